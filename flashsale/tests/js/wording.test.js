import assert from "node:assert/strict";
import { test } from "node:test";

import { figures } from "../../../static/js/countdown.js";
import { form, hour, number, put, range, span } from "../../../static/js/wording.js";

test("seconds below a minute, minutes to twenty, then steps of five, hours and days", () => {
  const spans = [0, 1, 59, 60, 840, 1320, 5000, 90000, 200000].map((seconds) => span(1000 * seconds));
  assert.deepEqual(spans, [
    "0 seconds",
    "1 second",
    "59 seconds",
    "1 minute",
    "14 minutes",
    "20 minutes",
    "85 minutes",
    "25 hours",
    "2 days",
  ]);
});

test("a wait past twenty minutes is a range, because the pace may change", () => {
  const waits = [40, 1200, 1260, 1799, 5940, 6000, 90000].map((seconds) => range(1000 * seconds));
  assert.deepEqual(waits, [
    "40 seconds",
    "20 minutes",
    "20–25 minutes",
    "30–35 minutes",
    "95–100 minutes",
    "1–2 hours",
    "25–26 hours",
  ]);
});

test("a clock is drawn like the server's", () => {
  assert.deepEqual([0, 65000, 3600000, 183845000].map(figures), ["00:00", "01:05", "01:00:00", "2 d 03:04:05"]);
});

test("numbers are grouped and know their form", () => {
  assert.deepEqual([0, 1, 2, 12431, 1000000].map(number), ["0", "1", "2", "12,431", "1,000,000"]);
  assert.deepEqual([0, 1, 2].map(form), ["other", "one", "other"]);
});

test("an instant is told in the shop's zone, and names are filled in", () => {
  assert.equal(hour(Date.UTC(2026, 5, 12, 8, 14, 5), "Europe/Berlin CEST", true), "10:14:05 CEST");
  assert.equal(put("{a} of {b}, {c}", { a: 1, b: 2 }), "1 of 2, {c}");
});
