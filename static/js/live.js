// What the shop tells a page by itself: one stream of events. While it is closed the page asks for the public
// document instead, patiently: at most once a second, more slowly after failures and while nobody looks.

import { now } from "./clock.js";

const PACE = { coming: 20000, running: 2500, paused: 4000 };
const HIDDEN = 30000;
const SLOWEST = 30000;
const SILENT = 5000; // ms without a word after which the page says that the connection is lost
const FRESH = 1000; // ms for which the public document holds
const ASLEEP = 60000; // ms out of sight after which a stream is not trusted
const STREAM_AGAIN = 60000; // after the shop has refused the stream

const jitter = (ms) => ms * (0.85 + Math.random() * 0.3);

/** How long to wait before the next question. */
export function pace({ state, failures, hidden }) {
  const wait = failures ? Math.min(SLOWEST, 1000 * 2 ** failures) : (PACE[state] ?? 4000);
  return Math.max(1000, jitter(hidden ? Math.max(wait, HIDDEN) : wait));
}

/**
 * Follow the sale at `base` ("/gate/sales/5"). `hear` may have `state(document)`, `own(things)`, `result(news)`,
 * `lost(heardAt, again)` (the shop's time of the last word, ms to the next try) and `back()`. Returns `ask()`, `stop()` and `isStreaming()`.
 * Without a pass there is no stream to open.
 */
export function follow(base, hear, { hasPass = true } = {}) {
  let stream = null;
  let timer = 0;
  let failures = 0;
  let state = "running";
  let heardAt = now();
  let isLost = false;
  let isOver = false;
  let wasOpen = false;
  let askedAt = 0;
  let hiddenAt = 0;

  const heard = () => {
    failures = 0;
    heardAt = now();
    if (isLost) hear.back?.();
    isLost = false;
  };
  const missed = (again) => {
    if (isLost || now() - heardAt < SILENT) return;
    isLost = true;
    hear.lost?.(heardAt, again);
  };
  const isStreaming = () => stream?.readyState === EventSource.OPEN;

  /** Ask again in a while, and return in how many ms. */
  function plan() {
    stopTimer();
    const wait = pace({ state, failures, hidden: document.hidden });
    if (!isOver && !isStreaming() && state !== "ended") timer = setTimeout(ask, wait);
    return wait;
  }

  function tell(document) {
    heard();
    state = document.state;
    hear.state?.(document);
  }

  function stopTimer() {
    clearTimeout(timer);
    timer = 0;
  }

  async function ask() {
    stopTimer();
    askedAt = now();
    try {
      const response = await fetch(base, { credentials: "same-origin", signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error(String(response.status));
      tell(await response.json());
      plan();
    } catch {
      failures += 1;
      missed(plan());
    }
  }

  function open() {
    if (isOver || !hasPass) return;
    stream = new EventSource(`${base}/events`);
    stream.addEventListener("open", () => {
      heard();
      wasOpen = true;
      stopTimer();
    });
    stream.addEventListener("state", (event) => tell(JSON.parse(event.data)));
    for (const name of ["own", "result"]) {
      stream.addEventListener(name, (event) => {
        heard();
        hear[name]?.(JSON.parse(event.data));
      });
    }
    stream.addEventListener("error", () => {
      // Until now the shop was there, even if it had nothing to say.
      if (wasOpen) heardAt = now();
      wasOpen = false;
      // A stream that was cut opens again by itself; one that was refused does not.
      if (stream.readyState === EventSource.CLOSED) setTimeout(open, jitter(STREAM_AGAIN));
      // Each of its failures comes here: they must not put off the question that is due.
      if (!timer) plan();
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenAt = Date.now(); // not by a clock that stops with the device
    if (document.hidden || isOver || state === "ended") return;
    // Somebody looks again: what is shown may be old, and a device that slept does not know that its stream broke.
    if (isStreaming() && Date.now() - hiddenAt > ASLEEP) {
      stream.close();
      open();
    }
    if (now() - Math.max(heardAt, askedAt) > FRESH) ask();
  });
  addEventListener("pagehide", () => stream?.close());
  open();
  plan();
  return {
    ask,
    isStreaming,
    stop() {
      isOver = true;
      stopTimer();
      stream?.close();
    },
  };
}
