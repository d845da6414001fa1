import assert from "node:assert/strict";
import { test } from "node:test";

const heard = [];
const workers = [];
globalThis.document = {
  hidden: false,
  addEventListener: (_, act) => heard.push(act),
  querySelector: () => ({ dataset: { waker: "/static/js/waker.js" } }),
};
globalThis.Worker = class {
  constructor(url) {
    this.url = url;
    workers.push(this);
  }
  postMessage(wait) {
    this.asked = wait;
  }
  terminate() {
    this.isOver = true;
  }
};
const look = (hidden) => {
  document.hidden = hidden;
  for (const act of heard) act();
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
  one.set(70);
  one.set(90);
  await rest(150);
  assert.equal(rung, 1);
  assert.equal(workers.length, 0);
});

test("out of sight a worker is asked for what is left, and rings in the place of the slowed timer", async () => {
  let rung = 0;
  const one = alarm(() => (rung += 1));
  slowed(() => one.set(120));
  look(true);
  assert.equal(workers.length, 1);
  assert.ok(workers[0].asked > 0 && workers[0].asked <= 120, workers[0].asked);
  await rest(130);
  workers[0].onmessage();
  workers[0].onmessage();
  assert.equal(rung, 1);
});

test("a worker whose alarm was put off rings nothing, and one that was cleared is gone", () => {
  let rung = 0;
  const one = alarm(() => (rung += 1));
  slowed(() => one.set(60_000));
  const worker = workers.at(-1);
  worker.onmessage();
  assert.ok(worker.asked > 59_000, "it is asked again for what is left");
  one.clear();
  worker.onmessage();
  assert.equal(rung, 0);
  assert.ok(worker.isOver);
});

test("back in sight, what is overdue rings at once", async () => {
  let rung = 0;
  const one = alarm(() => (rung += 1));
  slowed(() => one.set(60));
  await rest(70);
  look(false);
  assert.equal(rung, 1);
});
