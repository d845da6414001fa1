import assert from "node:assert/strict";
import { test } from "node:test";

import { follow, pace } from "../../../static/js/live.js";

const many = (facts) => Array.from({ length: 500 }, () => pace(facts));

test("nobody asks more often than once a second, whatever happens", () => {
  for (const state of ["coming", "running", "paused", "nonsense"]) {
    for (const failures of [0, 1, 2, 3]) {
      assert.ok(Math.min(...many({ state, failures, hidden: false })) >= 1000);
    }
  }
});

test("after failures it asks twice as slowly each time, and half a minute at most", () => {
  const middle = (failures) => many({ state: "running", failures, hidden: false }).reduce((a, b) => a + b) / 500;
  assert.ok(middle(3) > 1.8 * middle(2));
  assert.ok(Math.max(...many({ state: "running", failures: 30, hidden: false })) <= 34500);
});

test("while nobody looks it asks twice a minute at most", () => {
  assert.ok(Math.min(...many({ state: "running", failures: 0, hidden: true })) >= 25500);
});

test("a crowd spreads out", () => {
  const waits = many({ state: "running", failures: 0, hidden: false });
  assert.ok(Math.max(...waits) - Math.min(...waits) > 500);
});

test("a stream that fails again and again does not put off the question that is due", () => {
  const heard = {};
  const planned = new Set();
  let number = 0;
  class Stream {
    static OPEN = 1;
    static CLOSED = 2;
    readyState = 0;
    addEventListener(name, hear) {
      heard[name] = hear;
    }
    close() {}
  }
  const { setTimeout, clearTimeout } = globalThis;
  Object.assign(globalThis, {
    EventSource: Stream,
    document: { hidden: false, addEventListener() {} },
    addEventListener() {},
    setTimeout: () => planned.add((number += 1)) && number,
    clearTimeout: (one) => planned.delete(one),
  });
  follow("/gate/sales/1", {});
  heard.error();
  heard.error();
  Object.assign(globalThis, { setTimeout, clearTimeout });
  assert.deepEqual([...planned], [1]);
});

/** A page in a browser: counts its questions and streams; `look(hidden)` turns it away, `pass(ms)` lets time go by. */
function page() {
  const asked = [];
  const streams = [];
  const heard = {};
  let late = 0;
  const { now } = performance;
  performance.now = () => now.call(performance) + late;
  const { now: wall } = Date;
  Date.now = () => wall() + late;
  Object.assign(globalThis, {
    EventSource: class {
      static OPEN = 1;
      static CLOSED = 2;
      readyState = 1;
      constructor(url) {
        streams.push(this);
        this.url = url;
      }
      addEventListener() {}
      close() {
        this.readyState = 2;
      }
    },
    document: { hidden: false, addEventListener: (_, act) => (heard.look = act) },
    addEventListener() {},
    fetch: async (url) => {
      asked.push(url);
      return { ok: true, json: async () => ({ state: "running" }) };
    },
  });
  return {
    asked,
    streams,
    pass: (ms) => (late += ms),
    look(hidden) {
      document.hidden = hidden;
      heard.look();
    },
    end() {
      performance.now = now;
      Date.now = wall;
    },
  };
}

test("whoever looks again is told at once, and not more often than once a second", () => {
  const { asked, pass, look, end } = page();
  const { stop } = follow("/gate/sales/1", {});
  pass(10_000);
  for (let times = 0; times < 5; times += 1) {
    look(true);
    look(false);
  }
  assert.deepEqual(asked, ["/gate/sales/1"]);
  pass(1100);
  look(true);
  look(false);
  assert.equal(asked.length, 2);
  stop();
  end();
});

test("a stream of a page that was out of sight for a minute is opened anew, one of a short look is not", () => {
  const { streams, pass, look, end } = page();
  const { stop } = follow("/gate/sales/1", {});
  look(true);
  pass(30_000);
  look(false);
  assert.equal(streams.length, 1);
  look(true);
  pass(61_000);
  look(false);
  assert.equal(streams.length, 2);
  assert.equal(streams[0].readyState, EventSource.CLOSED);
  stop();
  end();
});
