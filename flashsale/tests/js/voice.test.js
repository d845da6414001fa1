import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { page, words } from "./page.js";

let regions;
let voice;
let milestones;
let at = 0;
let turn = 0;

// The clock of the page and its timers move together.
const pass = (ms) => {
  for (let i = 0; i < ms; i += 100) {
    at += 100;
    mock.timers.tick(100);
  }
};

beforeEach(async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => at);
  regions = page();
  turn += 1;
  voice = await import("../../../static/js/announcer.js");
  ({ milestones } = await import("../../../static/js/milestones.js"));
  pass(20000);
});

test("two polite sentences stand at least five seconds apart, and the newest waits", () => {
  voice.say(`${turn} one`, "One.");
  pass(100);
  assert.equal(regions.politely.textContent, "One.");
  voice.say(`${turn} two`, "Two.");
  voice.say(`${turn} three`, "Three.");
  pass(4800);
  assert.equal(regions.politely.textContent, "One.");
  pass(300);
  assert.equal(regions.politely.textContent, "Three.");
});

test("the same event is told once", () => {
  voice.interrupt(`${turn} turn`, "It is your turn.");
  assert.equal(regions.atOnce.textContent, "It is your turn.");
  regions.atOnce.textContent = "";
  voice.interrupt(`${turn} turn`, "It is your turn.");
  assert.equal(regions.atOnce.textContent, "");
});

test("what waits keeps silent while something urgent is read", () => {
  voice.say(`${turn} a`, "A.");
  pass(100);
  voice.say(`${turn} b`, "B.");
  pass(4000);
  voice.interrupt(`${turn} now`, "Now.");
  pass(4800);
  assert.equal(regions.politely.textContent, "A.");
  pass(300);
  assert.equal(regions.politely.textContent, "B.");
});

test("a clock speaks when it crosses a milestone, once", () => {
  const tell = milestones(words({ 120: "2 minutes.", 60: "1 minute." }, [60]), `${turn} pay`);
  tell(125);
  pass(100);
  assert.equal(regions.politely.textContent, "");
  tell(120);
  pass(100);
  assert.equal(regions.politely.textContent, "2 minutes.");
  tell(59);
  assert.equal(regions.atOnce.textContent, "1 minute.");
});

test("a page that slept says only what is still true", () => {
  const tell = milestones(words({ 300: "5 minutes.", 120: "2 minutes.", 60: "1 minute." }), `${turn} slept`);
  tell(400);
  tell(90);
  pass(100);
  assert.equal(regions.politely.textContent, "2 minutes.");
});

test("a page that is opened late does not speak of what has passed", () => {
  const tell = milestones(words({ 300: "5 minutes." }), `${turn} late`);
  tell(100);
  pass(100);
  assert.equal(regions.politely.textContent, "");
});
