// The shopper's own page (reservation, standby): counts the deadline down and looks for news of its own state.

import { interrupt, say } from "./announcer.js";
import * as clock from "./clock.js";

// Milliseconds from one look to the next; states that nothing can change any more have none.
const PACE = { preparing: 1500, standby: 10000, paused: 10000, late: 3000, held: 20000 };
const HIDDEN = 60000;
let live = document.querySelector("[data-live]");
let timer = 0;

function milestones() {
  const words = live.querySelector("[data-milestones]")?.content.querySelectorAll("[data-at]") ?? [];
  return (left) => {
    for (const word of words) {
      if (left !== Number(word.dataset.at)) continue;
      (word.hasAttribute("data-loud") ? interrupt : say)(`deadline ${left}`, word.textContent);
    }
  };
}

function count() {
  if (live.dataset.now) clock.start(Number(live.dataset.now));
  clock.run(live, { tell: milestones(), end: () => setTimeout(() => look().then(plan), 1000) });
}

function replace(page, url) {
  const fresh = page.querySelector("[data-live]");
  if (!fresh) return location.assign(url);
  const head = fresh.querySelector("[data-say]")?.textContent.trim() ?? "";
  const changed = fresh.dataset.state !== live.dataset.state;
  if (!changed && head === live.querySelector("[data-say]")?.textContent.trim()) return null;
  const lostFocus = live.contains(document.activeElement);
  live.replaceWith(fresh);
  live = fresh;
  document.title = page.title;
  if (url !== location.href) history.replaceState(null, "", url);
  (changed ? interrupt : say)(`state ${head}`, `${head}.`);
  if (lostFocus) live.querySelector("h1")?.focus();
  return count();
}

async function look() {
  // Somebody who is about to give a unit back reads and presses in peace.
  if (!live.querySelector("details[open]")) {
    try {
      const response = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(5000) });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (response.ok) replace(page, response.url);
    } catch {
      // The next look comes in any case; the clock goes on meanwhile.
    }
  }
}

/** Look again at the pace of the state that is shown; a new state begins its own pace at once. */
function plan() {
  clearTimeout(timer);
  const pace = Number(live.dataset.pace) || PACE[live.dataset.state];
  if (!pace) return;
  const wait = (document.hidden ? Math.max(pace, HIDDEN) : pace) * (0.85 + Math.random() * 0.3);
  timer = setTimeout(() => look().then(plan), wait);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && PACE[live.dataset.state]) look().then(plan);
});
count();
plan();
