// Counts a deadline down on the server's clock and speaks at its milestones; at its end the page asks how it stands.

import { say, interrupt } from "./announcer.js";

const clock = document.querySelector("[data-clock]");
const words = document.getElementById("deadline-words");
// The server said what time it was when it drew the page: a device whose clock is wrong still counts right.
const base = Number(words.dataset.now) - performance.now(); // server time at performance.now() = 0
const until = Number(clock.dataset.until);
const POLITE = [300, 120];
let before = secondsLeft();
let asked = false;

function secondsLeft() {
  return Math.max(0, Math.ceil((until - base - performance.now()) / 1000));
}

function draw(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const rest = `${two(minutes % 60)}:${two(seconds % 60)}`;
  return hours ? `${two(hours)}:${rest}` : rest;
}

function speak(left) {
  const crossed = (second) => before > second && left <= second;
  for (const second of POLITE) {
    if (crossed(second)) say(`left-${second}`, words.dataset[`left${second}`]);
  }
  if (crossed(60)) interrupt("left-60", words.dataset.left60);
  if (crossed(0)) interrupt("left-0", words.dataset.left0);
  before = left;
}

function tick() {
  const left = secondsLeft();
  clock.textContent = draw(left);
  speak(left);
  if (left === 0 && !asked && words.dataset.end) {
    asked = true;
    setTimeout(() => location.assign(words.dataset.end), 4000);
    return;
  }
  if (left > 0) setTimeout(tick, 1000 - (performance.now() % 1000));
}

if (before > 0) tick();
