// Counts the clock of a page down, on the shop's time.

import { alarm } from "./alarm.js";
import * as clock from "./clock.js";

const UNSEEN = 5000; // ms between two looks while nobody looks; milestones are multiples of it
const OFF_BY = 2000; // ms that a device's clock may be off before the page says so

const two = (value) => String(value).padStart(2, "0");

/** `2 d 03:04:05`, `03:04:05` or `04:05`. */
export function figures(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(all / 86400);
  const hours = Math.floor((all % 86400) / 3600);
  const rest = `${two(Math.floor((all % 3600) / 60))}:${two(all % 60)}`;
  if (days) return `${days} d ${two(hours)}:${rest}`;
  return hours ? `${two(hours)}:${rest}` : rest;
}

function sayOff(root) {
  const note = root.querySelector("[data-clock-off]");
  const off = Math.abs(Date.now() - clock.now());
  if (!note || !clock.isKnown()) return;
  note.hidden = off < OFF_BY;
  note.textContent = note.dataset.text.replace("{span}", figures(off));
}

function addSwitch(root, shown) {
  const button = root.querySelector("[data-clock-switch]");
  if (!button) return;
  const turn = () => {
    shown.hidden = !shown.hidden;
    [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
  };
  button.hidden = false;
  if (localStorage.getItem("clock") === "hidden") turn();
  button.addEventListener("click", () => {
    turn();
    localStorage.setItem("clock", shown.hidden ? "hidden" : "shown");
  });
}

/** Count the clock under `root` down; `tell(seconds)` is called once a second, `end()` once at zero. */
export function run(root, { tell = () => {}, end = () => {} } = {}) {
  const shown = root.querySelector("[data-clock]");
  if (!shown) return;
  const until = Number(shown.dataset.until);
  const tick = () => {
    if (!shown.isConnected) return next.clear();
    const left = until - clock.now();
    const text = figures(Math.ceil(left / 1000) * 1000);
    if (shown.textContent !== text) shown.textContent = text;
    shown.dataset.error = Math.ceil(Math.min(clock.error(), 86400000));
    tell(Math.ceil(left / 1000));
    const step = document.hidden ? UNSEEN : 1000;
    if (left > 0) next.set(Math.max(20, left % step || step));
    else end();
  };
  const next = alarm(tick);
  tick();
  addSwitch(root, shown);
  sayOff(root);
  clock.measure().then(() => sayOff(root));
}
