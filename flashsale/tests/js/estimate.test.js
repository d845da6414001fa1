import assert from "node:assert/strict";
import { test } from "node:test";

import { Estimate } from "../../../static/js/estimate.js";

const HOUR = 3600000;

/** A device whose clock began `off` ms away from the shop's and runs `rate` too slowly, on a way of `trip` ms. */
function device({ off = 0, rate = 0, trip = () => 2 }) {
  const shop = (here) => Math.floor(here * (1 + rate) + off);
  return {
    shop,
    ask(estimate, asked) {
      const way = trip();
      const length = way.out === undefined ? way : way.out + way.back;
      estimate.add({ asked, answered: asked + length, there: shop(asked + (way.out ?? way / 2)) });
    },
  };
}

for (const off of [HOUR, -HOUR]) {
  test(`a device that is ${off / HOUR} hours off shows the shop's time`, () => {
    const { shop, ask } = device({ off });
    const estimate = new Estimate(0, 0);
    assert.equal(estimate.isKnown, false);
    for (let at = 0; at < 300; at += 60) ask(estimate, at);
    assert.ok(Math.abs(estimate.at(60000) - shop(60000)) <= 2);
  });
}

test("a device that drifts by a hundredth is followed", () => {
  const { shop, ask } = device({ off: HOUR, rate: 0.01 });
  const estimate = new Estimate(0, 0);
  for (const at of [0, 60, 120, 180, 240, 2000, 6000, 14000]) ask(estimate, at);
  assert.ok(Math.abs(estimate.at(30000) - shop(30000)) < 20);
});

test("control: without following, the same device is wrong by more than a tenth of a second", () => {
  const { shop, ask } = device({ off: HOUR, rate: 0.01 });
  const estimate = new Estimate(0, 0);
  for (const at of [0, 60, 120, 180, 240]) ask(estimate, at);
  assert.ok(Math.abs(estimate.at(30000) - shop(30000)) > 100);
});

test("the shortest way wins, and a long one changes nothing", () => {
  let way = { out: 1, back: 1 };
  const { shop, ask } = device({ off: 500, trip: () => way });
  const estimate = new Estimate(0, 0);
  ask(estimate, 0);
  way = { out: 900, back: 10 };
  ask(estimate, 100);
  assert.ok(Math.abs(estimate.at(2000) - shop(2000)) <= 2);
});

test("the true time always lies within the error that is told", () => {
  let turn = 0;
  const ways = [{ out: 80, back: 3 }, { out: 5, back: 40 }, { out: 1, back: 200 }];
  const { shop, ask } = device({ off: -HOUR, trip: () => ways[turn++ % 3] });
  const estimate = new Estimate(0, 0);
  assert.equal(estimate.error(0), Infinity);
  for (let at = 0; at < 60000; at += 5000) {
    ask(estimate, at);
    assert.ok(Math.abs(estimate.at(at + 400) - shop(at + 400)) <= estimate.error(at + 400) + 1);
  }
});

test("the error grows with the age of the last sample", () => {
  const { ask } = device({});
  const estimate = new Estimate(0, 0);
  ask(estimate, 0);
  assert.ok(estimate.error(600000) > estimate.error(1000) + 50);
});
