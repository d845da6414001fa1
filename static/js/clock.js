// The clock of the shop in the browser. The device's own clock is never believed: time is carried on by one that
// nobody sets, from samples of the shop's. The server alone decides; this page only shows.

import { Estimate } from "./estimate.js";

const BURST = 5;
const BETWEEN = 60; // ms between two samples of a burst
const FIRST_GAP = 2000; // ms to the next sample, then twice as much, and so on
const LAST_GAP = 300000;
const SLEPT = 2000; // ms by which the two clocks of a device part when it sleeps, or when somebody sets one

let estimate = new Estimate(Date.now(), performance.now());
let isMeasuring = false;
let parted = Date.now() - performance.now();

/** The shop's time in ms since 1970, as well as this page knows it. */
export const now = () => estimate.at(performance.now());

/** By how many ms `now()` may be wrong; infinite before the first sample. */
export const error = () => estimate.error(performance.now());

export const isKnown = () => estimate.isKnown;

/** Take a first reading from the page itself; samples replace it. */
export function start(serverNow) {
  if (!estimate.isKnown) estimate = new Estimate(serverNow, performance.now());
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function sample() {
  const asked = performance.now();
  const response = await fetch("/gate/clock", { cache: "no-store", credentials: "same-origin" });
  const { now: there } = await response.json();
  estimate.add({ asked, answered: performance.now(), there });
}

async function burst() {
  for (let i = 0; i < BURST; i += 1) {
    await sample();
    await pause(BETWEEN);
  }
}

async function keep() {
  for (let gap = FIRST_GAP; ; gap = Math.min(LAST_GAP, 2 * gap)) {
    await pause(gap * (0.85 + Math.random() * 0.3));
    if (!document.hidden) await sample().catch(() => {});
  }
}

/** Measure the offset and follow the drift from then on; keeps what it has where the gate does not answer. */
export async function measure() {
  if (isMeasuring) return;
  isMeasuring = true;
  await burst().catch(() => {});
  keep();
}

// A device that slept may have stopped the one clock and not the other: what was known then is of no use.
globalThis.document?.addEventListener("visibilitychange", () => {
  if (document.hidden || Math.abs(Date.now() - performance.now() - parted) < SLEPT) return;
  parted = Date.now() - performance.now();
  estimate = new Estimate(now(), performance.now());
  burst().catch(() => {});
});
