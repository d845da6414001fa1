// The page of a sale: counts down to the opening, shows what is left, and carries the press to the gate.

import { interrupt, say } from "./announcer.js";
import * as clock from "./clock.js";
import { run } from "./countdown.js";
import { follow } from "./live.js";
import { milestones } from "./milestones.js";
import { pauseWords } from "./pause.js";
import { attempt } from "./sale-attempt.js";
import { hour, number, put, span } from "./wording.js";

const sale = document.querySelector("[data-sale]");
const changes = document.getElementById("changes").content;
const BOXES = { running: "status-box-live", paused: "status-box-warn", ended: "status-box-quiet" };

function turn(phase) {
  if (sale.dataset.phase === phase) return;
  const focused = document.activeElement;
  sale.dataset.phase = phase;
  for (const part of sale.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== phase;
  sale.querySelector("[data-box]").className = `status-box ${BOXES[phase] ?? ""}`;
  const sentence = changes.querySelector(`[data-phase="${phase}"]`);
  if (sentence) say(`phase ${phase} ${Math.floor(clock.now() / 1000)}`, sentence.textContent);
  if (focused?.closest("[hidden]")) document.getElementById("main").focus();
}

let late = 0;

/** What the shop says of a pause, told when it changes and when the news that it announced is overdue. */
function showPause({ state, pause }) {
  clearTimeout(late);
  if (state !== "paused") return;
  const word = (name) => changes.querySelector(`[data-word="${name}"]`).textContent;
  const node = sale.querySelector("[data-pause]");
  const text = pause ? pauseWords(pause, word, sale.dataset.zone, clock.now()) : word("stopped");
  if (node.textContent !== text) say(`pause ${text}`, text);
  node.textContent = text;
  const left = pause ? pause.news_at - clock.now() : 0;
  if (left > 0) late = setTimeout(() => showPause({ state, pause }), Math.min(left + 500, 2 ** 30));
}

function showLeft(item) {
  if (sale.dataset.phase === "ended") return;
  const kind = item.free ? "free" : item.standby_free ? "standby" : "soldout";
  for (const bar of sale.querySelectorAll(`[data-item="${item.item}"] [data-bar]`)) {
    bar.value = item.free;
    bar.hidden = false;
  }
  for (const text of sale.querySelectorAll(`[data-item="${item.item}"] [data-left]`)) {
    text.hidden = false;
    const sentence = put(text.dataset[kind], { free: number(item.free), places: number(item.standby_free) });
    if (text.textContent !== sentence) text.textContent = sentence;
    text.className = `state ${item.free ? "state-good" : "state-quiet"}`;
  }
  const button = sale.querySelector(`[data-item="${item.item}"] [data-buy]`);
  if (!button || button.getAttribute("aria-busy")) return;
  button.hidden = kind === "soldout";
  if (kind !== "soldout" && button.textContent !== button.dataset[kind]) button.textContent = button.dataset[kind];
}

function hideLeft(item) {
  for (const part of sale.querySelectorAll(`[data-item="${item}"] :is([data-left], [data-bar])`)) part.hidden = true;
}

/** Whoever has not entered is led elsewhere while nothing is to be had. */
function showGone(items) {
  const gone = items.some((item) => item.free || item.standby_free) ? "no" : "yes";
  for (const part of sale.querySelectorAll("[data-gone]")) part.hidden = part.dataset.gone !== gone;
}

function hear(news) {
  // The page's clock may open the sale a moment before a cached document does: it is not closed again for that.
  const early = news.state === "coming" && clock.now() >= news.opens_at;
  if (!early) turn(news.state);
  showPause(news);
  if (news.state === "coming") return;
  news.items.forEach(showLeft);
  showGone(news.items);
}

function lose(heardAt, again) {
  const note = sale.querySelector("[data-age]");
  note.textContent = put(note.dataset.text, { time: hour(heardAt, sale.dataset.zone, true), span: span(again) });
  note.hidden = false;
  say(`lost ${heardAt}`, note.textContent);
}

function find() {
  const note = sale.querySelector("[data-age]");
  note.textContent = note.dataset.back;
  say(`back ${performance.now()}`, note.dataset.back);
}

clock.start(Number(sale.dataset.now));
const hasPass = "entered" in sale.dataset;
const { ask } = follow(sale.dataset.sale, { state: hear, lost: lose, back: find }, { hasPass });
ask();
if (sale.dataset.phase === "coming") {
  const coming = sale.querySelector('[data-when="coming"]');
  run(coming, {
    tell: milestones(coming, "opening"),
    end: () => {
      turn("running");
      setTimeout(ask, 1000 + Math.random() * 3000);
    },
  });
} else {
  clock.measure();
}

function press(form, before = "") {
  const item = form.closest("[data-item]").dataset.item;
  attempt(form, {
    sale,
    isQuiet: before === "full",
    told: (sentence, { outcome, reservation, retry_after: seconds }) => {
      if (outcome === "reserved") sessionStorage.setItem("told", `reserved ${reservation} held`);
      if (outcome === "queued") return location.assign(form.dataset.result);
      if (outcome !== before) interrupt(`told ${performance.now()}`, sentence);
      // The answer is newer than the figure beside it: rather none than two that contradict each other.
      if (outcome === "standby" || outcome === "sold_out") hideLeft(item);
      if (outcome === "full") setTimeout(() => form.isConnected && press(form, outcome), 1000 * seconds);
      else setTimeout(ask, 1000);
    },
  });
}

sale.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-attempt]")) return;
  event.preventDefault();
  press(event.target);
});
