import assert from "node:assert/strict";
import { test } from "node:test";

const hear = {};
const workers = [];
globalThis.document = {
  hidden: false,
  addEventListener: (name, act) => (hear[name] = act),
  querySelector: () => ({ dataset: { waker: "/static/js/waker.js" } }),
};
globalThis.Worker = class {
  constructor(url) {
    this.url = url;
    workers.push(this);
  }
  addEventListener(_, act) {
    this.tell = (name) => act({ data: name });
  }
  postMessage([name, wait]) {
    this.asked = [name, wait];
  }
};
const { alarm } = await import("../../../static/js/alarm.js");
const { setTimeout: later } = globalThis;
const rest = (ms) => new Promise((done) => later(done, ms));

/** Page timers as a browser slows them: they come after a minute, that is not in this test. */
function slowed(act) {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = () => ({});
  act();
  globalThis.setTimeout = setTimeout;
}

test("in sight the page's own timer rings once and no worker is fetched", async () => {
  let rung = 0;
  const one = alarm(() => (rung += 1));
  one.set(20);
  one.set(30);
  await rest(60);
  assert.equal(rung, 1);
  assert.equal(workers.length, 0);
});

test("out of sight the worker is asked for what is left, and rings in the place of the slowed timer", async () => {
  let rung = 0;
  const one = alarm(() => (rung += 1));
  slowed(() => one.set(80));
  document.hidden = true;
  hear.visibilitychange();
  assert.equal(workers.length, 1);
  const [name, wait] = workers[0].asked;
  assert.ok(wait > 0 && wait <= 80, wait);
  await rest(90);
  workers[0].tell(name);
  workers[0].tell(name);
  assert.equal(rung, 1);
});

test("a worker that speaks for an alarm that was set anew or cleared rings nothing", () => {
  let rung = 0;
  const one = alarm(() => (rung += 1));
  slowed(() => one.set(10_000));
  const [name] = workers[0].asked;
  workers[0].tell(name);
  one.clear();
  workers[0].tell(name);
  assert.equal(rung, 0);
});

test("back in sight, what is overdue rings at once", async () => {
  let rung = 0;
  const one = alarm(() => (rung += 1));
  slowed(() => one.set(5));
  await rest(10);
  document.hidden = false;
  hear.visibilitychange();
  assert.equal(rung, 1);
});
