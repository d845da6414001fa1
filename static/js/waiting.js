// The page of whoever waits in line: shows the place from the schedule alone, and presses again when the turn is
// near. The gate lets that press wait for the turn, so that a slow line costs nobody a place.

import { alarm } from "./alarm.js";
import { interrupt, say } from "./announcer.js";
import * as clock from "./clock.js";
import { follow } from "./live.js";
import { offer } from "./notice.js";
import { pauseWords } from "./pause.js";
import { served, turnAt } from "./queue.js";
import { form, hour as hourOf, number as figures, put, range, span } from "./wording.js";
import { keep } from "./receipt.js";

const MINUTE = 60000;
const GIVE_UP = 8000; // ms to an answer; the gate itself holds a press for a second at most
const line = document.querySelector("[data-line]");
const part = (name) => line.querySelector(`[data-${name}]`);
const words = part("words").content;
let number = Number(line.dataset.number);
let turn = Number(line.dataset.turn);
let schedule = null;
let paused = Boolean(line.dataset.paused);
let pause = null; // what the shop says of it; null also where only the server has drawn it yet
let spokeAt = -MINUTE;
let isPressing = false;
const asFound = { head: part("head").textContent, title: document.title };

const word = (name) => words.querySelector(`[data-word="${name}"]`).textContent;
const hour = (ms) => hourOf(ms, line.dataset.zone, ms - clock.now() < 20 * MINUTE);

function show(name, text, hidden = false) {
  const node = part(name);
  if (!node) return;
  node.hidden = hidden;
  if (node.textContent !== text) node.textContent = text;
}

function aheadWords(ahead) {
  if (!ahead) return word("ahead-none");
  return put(word(`ahead-${form(ahead)}`), { count: figures(ahead) });
}

function turnWords() {
  if (!turn) return word("unknown");
  const facts = { time: hour(turn), span: range(turn - clock.now()) };
  return put(word(number ? "turn" : "draw"), facts);
}

/** Speak on arrival, then at most once a minute, and when about a minute is left. */
function speak(text) {
  if (turn && turn - clock.now() < MINUTE + 2000 && turn > clock.now()) say("a minute", word("minute"));
  if (performance.now() - spokeAt < MINUTE) return;
  spokeAt = performance.now();
  say(`turn ${turn}`, text);
}

function draw() {
  if (isPressing) return;
  drawPause();
  const sentence = turnWords();
  show("turn-words", sentence);
  if (number && schedule) {
    const done = Math.min(number, served(schedule, clock.now()));
    show("place", aheadWords(Math.max(0, number - 1 - done)));
    const bar = line.querySelector("progress");
    if (bar) Object.assign(bar, { max: number, value: done });
  }
  speak(number && schedule ? `${part("place").textContent} ${sentence}` : sentence);
}

/** Why the sale stands still and when there is news, and nothing else meanwhile; told when it changes or is overdue. */
function drawPause() {
  if (!schedule) return; // what the server drew stands
  const text = pause ? pauseWords(pause, word, line.dataset.zone, clock.now()) : "";
  show("pause", text, !text);
  if (!text) return;
  spokeAt = performance.now();
  say(`pause ${text}`, text);
}

/** Press again a little before the turn; how much earlier is left to chance, so that not all come at once. */
function plan() {
  if (paused || !turn) return again.clear();
  const early = 400 + Math.random() * 500;
  again.set(Math.min(2 ** 30, Math.max(0, turn - early - clock.now())));
}

function come() {
  isPressing = true;
  show("head", word("soon-title"));
  show("place", word("soon"));
  show("turn-words", "\u00a0"); // its line stays, so that nothing jumps
  document.title = `${word("soon-title")} – ${document.title.replace(/^[^–]* – /, "")}`;
  interrupt("turn", word("soon"));
}

async function ask() {
  try {
    const options = { method: "POST", credentials: "same-origin", signal: AbortSignal.timeout(GIVE_UP) };
    return await (await fetch(line.dataset.attempt, options)).json();
  } catch {
    return { outcome: "unknown", retry_after: 1 };
  }
}

async function press() {
  if (number) come();
  const answer = await ask();
  keep(answer);
  if (answer.outcome === "reserved") return location.replace(line.dataset.reservation.replace("RID", answer.reservation));
  if (answer.outcome === "refused") return location.replace(line.dataset.enter);
  if (["standby", "sold_out", "ended"].includes(answer.outcome)) return location.replace(location.pathname);
  isPressing = false;
  if (answer.outcome === "queued") return stay(answer);
  const wait = 1000 * (answer.retry_after ?? 2) * (1 + Math.random() * 0.5);
  show("reason", put(word("retry"), { span: span(wait) }));
  again.set(wait);
}

const again = alarm(press);

function stay(answer) {
  show("head", asFound.head);
  document.title = asFound.title;
  number = answer.number;
  turn = answer.turn_at;
  draw();
  plan();
}

/** A later or earlier turn always comes with its reason; what is said of a pause stands by itself. */
function explain(news, before) {
  const [start, , rate] = news.queue.schedule.at(-1);
  const time = hour(start);
  if (news.pause) return "";
  if (paused) return put(word("resumed"), { time });
  if (!before || rate === null || before === rate) return null;
  return put(word(rate < before ? "slower" : "faster"), { time });
}

/** The turn is exact but for our clock, as long as nobody changes the pace. */
function sure(rate) {
  if (clock.error() === Infinity) return; // the server's sentence stands until we know better
  const facts = { span: span(Math.max(1000, Math.ceil(clock.error() / 1000) * 1000)), rate: figures(rate) };
  show("sure", put(part("sure").dataset.text, facts), !rate || !turn);
}

function isGone(news) {
  const mine = news.items.find((one) => one.item === Number(line.dataset.item));
  return news.state === "ended" || mine?.sold_out || !news.queue;
}

function hear(news) {
  show("age", put(part("age").dataset.text, { time: hourOf(news.now, line.dataset.zone, true) }));
  if (isGone(news) && !isPressing) return location.reload();
  const reason = schedule || paused ? explain(news, schedule?.at(-1)[2]) : null;
  paused = news.state === "paused";
  pause = news.pause;
  schedule = news.queue.schedule;
  if (number) turn = turnAt(schedule, number);
  if (reason) {
    // In one breath: a sentence about the turn alone would take the place of its reason.
    spokeAt = performance.now();
    say(`reason ${reason}`, `${reason} ${turnWords()}`);
  }
  if (reason !== null) show("reason", reason, !reason);
  const left = news.items.reduce((sum, one) => sum + one.free, 0);
  part("few").hidden = !number || number - 1 - served(schedule, clock.now()) <= left;
  draw();
  sure(schedule.at(-1)[2]);
  if (!isPressing) plan();
}

clock.start(Number(line.dataset.now));
clock.measure();
follow(line.dataset.line, {
  state: hear,
  result: ({ kind }) => kind === "ready" && location.reload(),
  lost: (heardAt, again) => {
    show("reason", put(word("lost"), { time: hourOf(heardAt, line.dataset.zone, true), span: span(again) }));
    say(`lost ${heardAt}`, part("reason").textContent);
  },
  back: () => {
    show("reason", word("back"));
    say(`back ${performance.now()}`, word("back"));
  },
}).ask();
offer(line, say);
setInterval(draw, 1000);
draw();
plan();
