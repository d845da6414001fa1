// The shopper's own page (reservation, standby): counts the deadline down and shows each news of its own state.

import { interrupt, say } from "./announcer.js";
import * as clock from "./clock.js";
import { milestones } from "./milestones.js";

// Milliseconds from one look to the next; states that nothing can change any more have none.
const PACE = { preparing: 1500, standby: 5000, paused: 10000, late: 3000, held: 20000, paying: 5000, failed: 20000 };
const HIDDEN = 60000;
const MINUTE = 60000; // between two sentences about a place that moves
let live = document.querySelector("[data-live]");
let timer = 0;
let movedAt = -MINUTE;

const isLoud = (part) => Boolean(part.querySelector("[data-say][data-loud]"));

/** What a part has to say, as sentences. */
function sentenceOf(part) {
  const said = [...part.querySelectorAll("[data-say]")].map((one) => one.textContent.trim().replace(/\s+/g, " "));
  return said.map((one) => (one.endsWith(".") ? one : `${one}.`)).join(" ");
}

function count() {
  if (live.dataset.now) clock.start(Number(live.dataset.now));
  clock.run(live, { tell: milestones(live, "pay"), end: () => setTimeout(() => look({ whatever: true }).then(plan), 1000) });
}

function tell(changed) {
  const sentence = sentenceOf(live);
  if (changed) return (isLoud(live) ? interrupt : say)(`state ${sentence}`, sentence);
  if (performance.now() - movedAt < MINUTE) return;
  movedAt = performance.now();
  say(`moved ${sentence}`, sentence);
}

/** What stands in the fresh part where `old` stood: the same words in the same kind of element. */
function twin(old) {
  const words = old.textContent.trim();
  return [...live.querySelectorAll(old.tagName)].find((one) => one.textContent.trim() === words);
}

/** Put the fresh state in the place of the old one: the page moves, the focus stays where it can. */
function replace(page, url) {
  const fresh = page.querySelector("[data-live]");
  if (!fresh) return location.assign(url);
  const changed = fresh.dataset.state !== live.dataset.state;
  if (!changed && sentenceOf(fresh) === sentenceOf(live)) return;
  const focused = live.contains(document.activeElement) ? document.activeElement : null;
  live.replaceWith(fresh);
  live = fresh;
  document.title = page.title;
  if (url !== location.href) history.replaceState(null, "", url);
  tell(changed);
  if (focused) (twin(focused) ?? live.querySelector("h1"))?.focus({ preventScroll: true });
  count();
}

async function look({ whatever = false } = {}) {
  // Somebody who is about to give a unit back reads and presses in peace, until its time is over.
  if (!whatever && live.querySelector("details[open]")) return;
  try {
    const response = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(5000) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.ok) replace(page, response.url);
  } catch {
    // The next look comes in any case; the clock goes on meanwhile.
  }
}

/** Look again at the pace of the state that is shown; a new state begins its own pace at once. */
function plan() {
  clearTimeout(timer);
  const pace = PACE[live.dataset.state];
  if (!pace) return;
  const wait = (document.hidden ? Math.max(pace, HIDDEN) : pace) * (0.85 + Math.random() * 0.3);
  timer = setTimeout(() => look().then(plan), wait);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && PACE[live.dataset.state]) look().then(plan);
});
count();
plan();
