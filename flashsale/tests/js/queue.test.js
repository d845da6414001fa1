import assert from "node:assert/strict";
import { test } from "node:test";

import { served, turnAt } from "../../../static/js/queue.js";

const OPEN = 1_700_000_000_000;
const PACED = [[OPEN, 10, 10]];
const STEERED = [...PACED, [OPEN + 1000, 20, 0], [OPEN + 5000, 20, 5], [OPEN + 9000, 40, null]];

test("nobody is served before the opening", () => assert.equal(served(PACED, OPEN - 1), 0));

test("a burst is served at the opening and the rest at the rate", () => {
  assert.equal(served(PACED, OPEN), 10);
  assert.equal(served(PACED, OPEN + 99), 10);
  assert.equal(served(PACED, OPEN + 100), 11);
  assert.equal(turnAt(PACED, 10), OPEN);
  assert.equal(turnAt(PACED, 11), OPEN + 100);
});

test("a turn within a pause is unknown until the sale goes on", () => {
  assert.equal(turnAt(STEERED.slice(0, 2), 25), 0);
  assert.equal(turnAt(STEERED.slice(0, 3), 25), OPEN + 6000);
});

test("whoever is left when the limit goes is served then", () => {
  assert.equal(turnAt(STEERED, 5000), OPEN + 9000);
  assert.equal(served(STEERED, OPEN + 9000), Infinity);
});

test("no ticket overtakes another, and each is served at its turn and not a millisecond before", () => {
  let before = 0;
  for (let number = 1; number <= 60; number += 1) {
    const turn = turnAt(STEERED, number);
    assert.ok(turn >= before, `ticket ${number}`);
    assert.ok(served(STEERED, turn) >= number, `ticket ${number}`);
    assert.ok(served(STEERED, turn - 1) < number, `ticket ${number}`);
    before = turn;
  }
});
