// The shopper's own page (reservation, standby): counts the deadline down and shows each news of its own state.

import { interrupt, say } from "./announcer.js";
import * as clock from "./clock.js";
import { run } from "./countdown.js";
import { follow } from "./live.js";
import { milestones } from "./milestones.js";
import { offer } from "./notice.js";
import { hour, number, put, span } from "./wording.js";

// Milliseconds from one look to the next; states that nothing can change any more have none. What the stream
// tells needs no look: with it the page only makes sure now and then.
const PACE = { preparing: 1500, standby: 5000, paused: 10000, late: 3000, held: 20000, paying: 5000, failed: 20000 };
const STREAMING = { standby: 60000, paused: 60000, held: 60000, failed: 60000 };
const HIDDEN = 30000;
const MINUTE = 60000; // between two sentences about a place that moves
const SPREAD = 3000; // over which the pages of a crowd look again when the whole sale changes
const PRECIOUS = 120000; // ms: whoever has less to pay is told at once that the connection is lost
const note = document.querySelector("[data-connection]");
let live = document.querySelector("[data-live]");
let owned = live.dataset.own;
let phase = null;
let stream = null;
let timer = 0;
let movedAt = -MINUTE;

const isLoud = (part) => Boolean(part.querySelector("[data-say][data-loud]"));

/** What a part has to say, as sentences. */
function sentenceOf(part) {
  const said = [...part.querySelectorAll("[data-say]")].map((one) => one.textContent.trim().replace(/\s+/g, " "));
  return said.map((one) => (one.endsWith(".") ? one : `${one}.`)).join(" ");
}

/** Tell a state: loudly, if it is one of those that cannot wait and this browser was not told of it before. */
function tell() {
  const sentence = sentenceOf(live);
  const event = `${live.dataset.own} ${live.dataset.state}`;
  const isNews = isLoud(live) && sessionStorage.getItem("told") !== event;
  if (isNews) sessionStorage.setItem("told", event);
  (isNews ? interrupt : say)(`state ${sentence}`, sentence);
}

function count() {
  offer(live, say);
  if (live.dataset.now) clock.start(Number(live.dataset.now));
  run(live, { tell: milestones(live, "pay"), end: () => setTimeout(() => look({ whatever: true }), 1000) });
}

function tellMoved() {
  const sentence = sentenceOf(live);
  if (performance.now() - movedAt < MINUTE) return;
  movedAt = performance.now();
  say(`moved ${sentence}`, sentence);
}

/** What stands in the fresh part where `old` stood: the same words in the same kind of element. */
function twin(old) {
  const words = old.textContent.trim();
  return [...live.querySelectorAll(old.tagName)].find((one) => one.textContent.trim() === words);
}

/** A pause that begins, ends or is explained: only its own words change, for somebody may be typing beside them. */
function showPause(fresh) {
  const [mine, theirs] = [live, fresh].map((one) => one.querySelector("[data-pause]"));
  if (!mine || !theirs || mine.textContent === theirs.textContent) return;
  mine.textContent = theirs.textContent;
  mine.hidden = theirs.hidden;
  if (!mine.hidden) say(`pause ${mine.textContent}`, mine.textContent);
}

/** Put the fresh state in the place of the old one: the page moves, the focus stays where it can. */
function replace(page, url) {
  const fresh = page.querySelector("[data-live]");
  if (!fresh) return location.assign(url);
  const changed = fresh.dataset.state !== live.dataset.state;
  if (!changed) showPause(fresh);
  if (!changed && sentenceOf(fresh) === sentenceOf(live)) return;
  const focused = live.contains(document.activeElement) ? document.activeElement : null;
  live.replaceWith(fresh);
  live = fresh;
  document.title = page.title;
  if (url !== location.href) history.replaceState(null, "", url);
  if (changed) tell();
  else tellMoved();
  if (focused) (twin(focused) ?? live.querySelector("h1"))?.focus({ preventScroll: true });
  count();
}

async function look({ whatever = false } = {}) {
  clearTimeout(timer);
  // Somebody who is about to give a unit back reads and presses in peace, until its time is over.
  if (whatever || !live.querySelector("details[open]")) {
    try {
      const response = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(5000) });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (response.ok) replace(page, response.url);
    } catch {
      // The next look comes in any case; the clock goes on meanwhile.
    }
  }
  plan();
}

/** Look again at the pace of the state that is shown; a new state begins its own pace at once. */
function plan() {
  clearTimeout(timer);
  const state = live.dataset.state;
  const pace = (stream?.isStreaming() && STREAMING[state]) || PACE[state];
  if (!pace) return;
  const wait = (document.hidden ? Math.max(pace, HIDDEN) : pace) * (0.85 + Math.random() * 0.3);
  timer = setTimeout(look, wait);
}

/** The stream says what the shopper has: a place that moved is shown without a look, anything else with one. */
function own(things) {
  const mine = things.items.find((one) => String(one.item) === live.dataset.item);
  const isPlace = mine?.outcome === "standby";
  const now = mine && mine.outcome !== "none" ? `${mine.outcome} ${isPlace ? mine.position : mine.rid}` : "none";
  if (now === owned) return;
  owned = now;
  const head = live.querySelector("[data-moved]");
  if (!isPlace || !head) return look();
  head.textContent = put(head.dataset.moved, { position: number(mine.position) });
  tellMoved();
}

function lost(heardAt, again) {
  const facts = { time: hour(heardAt, note.dataset.zone, true), span: span(again) };
  note.firstElementChild.textContent = put(note.dataset.lost, facts);
  note.hidden = false;
  const until = Number(live.querySelector("[data-clock]")?.dataset.until ?? Infinity);
  const speak = until - clock.now() < PRECIOUS ? interrupt : say;
  speak(`lost ${heardAt}`, note.firstElementChild.textContent);
}

async function back() {
  const before = live;
  await look();
  note.hidden = true;
  // What was missed is told instead, if something was.
  if (live === before) say(`back ${performance.now()}`, note.dataset.back);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && PACE[live.dataset.state]) look();
});
count();
if (isLoud(live)) tell();
if (live.dataset.sale && PACE[live.dataset.state]) {
  stream = follow(live.dataset.sale, {
    own,
    result: (news) => String(news.item) === live.dataset.item && look(),
    state: (sale) => {
      const seen = `${sale.state} ${JSON.stringify(sale.pause)}`;
      const isShown = Boolean(live.querySelector("[data-pause]:not([hidden])"));
      const isNews = phase === null ? (sale.state === "paused") !== isShown : phase !== seen;
      if (isNews) setTimeout(look, Math.random() * SPREAD);
      phase = seen;
    },
    lost,
    back,
  });
}
plan();
