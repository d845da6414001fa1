// The clock of the shop in the browser. The device's own clock is never believed: the offset comes from the
// sample with the shortest way there and back, and time is carried on by a clock that nobody sets.

const SAMPLES = 5;
const OFF_BY = 2000; // ms that a device's clock may be off before the page says so

let base = Date.now() - performance.now(); // server time at performance.now() = 0
let known = false;

/** The shop's time in ms since 1970, as well as this page knows it. */
export function now() {
  return base + performance.now();
}

/** Take a first reading from the page itself; samples replace it. */
export function start(serverNow) {
  base = serverNow - performance.now();
}

async function sample() {
  const sent = performance.now();
  const response = await fetch("/gate/clock", { cache: "no-store", credentials: "same-origin" });
  const { now: server } = await response.json();
  const received = performance.now();
  return { trip: received - sent, base: server + (received - sent) / 2 - received };
}

/** Measure the offset; keeps what it has where the gate does not answer. */
export async function measure() {
  let best = null;
  for (let i = 0; i < SAMPLES; i += 1) {
    try {
      const found = await sample();
      if (!best || found.trip < best.trip) best = found;
    } catch {
      break;
    }
    await new Promise((done) => setTimeout(done, 60));
  }
  if (best) {
    base = best.base;
    known = true;
  }
  return known;
}

const two = (number) => String(number).padStart(2, "0");

/** `2 d 03:04:05`, `03:04:05` or `04:05`, like the server draws it. */
export function figures(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(all / 86400);
  const hours = Math.floor((all % 86400) / 3600);
  const rest = `${two(Math.floor((all % 3600) / 60))}:${two(all % 60)}`;
  if (days) return `${days} d ${two(hours)}:${rest}`;
  return hours ? `${two(hours)}:${rest}` : rest;
}

/** An instant as `10:24 CEST` in the shop's zone; with seconds if asked. */
export function hour(ms, zone, withSeconds = false) {
  const lang = document.documentElement.lang || "en";
  const shape = { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
  if (withSeconds) shape.second = "2-digit";
  return new Intl.DateTimeFormat(lang, shape).format(ms);
}

function sayOff(root) {
  const note = root.querySelector("[data-clock-off]");
  const off = Math.abs(Date.now() - now());
  if (!note || !known) return;
  note.hidden = off < OFF_BY;
  note.textContent = note.dataset.text.replace("{span}", figures(off));
}

function addSwitch(root, clock) {
  const button = root.querySelector("[data-clock-switch]");
  if (!button) return;
  const turn = () => {
    clock.hidden = !clock.hidden;
    [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
  };
  button.hidden = false;
  if (localStorage.getItem("clock") === "hidden") turn();
  button.addEventListener("click", () => {
    turn();
    localStorage.setItem("clock", clock.hidden ? "hidden" : "shown");
  });
}

/** Count every clock under `root` down; `tell(seconds)` is called once a second, `end()` once at zero. */
export function run(root, { tell = () => {}, end = () => {} } = {}) {
  const clock = root.querySelector("[data-clock]");
  if (!clock) return;
  const until = Number(clock.dataset.until);
  let ended = false;
  const tick = () => {
    const left = until - now();
    const text = figures(Math.ceil(left / 1000) * 1000);
    if (clock.textContent !== text) clock.textContent = text;
    tell(Math.ceil(left / 1000));
    if (left <= 0 && !ended) {
      ended = true;
      end();
      return;
    }
    setTimeout(tick, Math.max(20, left % 1000 || 1000));
  };
  tick();
  addSwitch(root, clock);
  sayOff(root);
  measure().then(() => sayOff(root));
}
