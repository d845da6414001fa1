// One press: a POST that carries the pass, at most a few seconds of waiting, and one outcome in words.
// Pressing again is always safe: the gate gives the same shopper the same answer.

import { say } from "./announcer.js";
import { now } from "./clock.js";
import { hour, number, put, span } from "./wording.js";
import { keep } from "./receipt.js";

const PATIENCE = 5000; // ms after which the button counts again
const GIVE_UP = 8000;
const SHORT = 120000; // ms to pay below which a deadline is told with its seconds
const RETRIES = 3;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function send(url) {
  for (let tries = 0; ; tries += 1) {
    try {
      const options = { method: "POST", credentials: "same-origin", signal: AbortSignal.timeout(GIVE_UP) };
      const response = await fetch(url, options);
      return await response.json();
    } catch {
      if (tries === RETRIES) return { outcome: "unknown" };
      await pause(Math.random() * Math.min(8000, 500 * 2 ** tries));
    }
  }
}

function facts(answer, form, sale) {
  const zone = sale.dataset.zone;
  const at = (ms) => (ms ? hour(ms, zone, true) : "");
  return {
    pay_by: answer.pay_by ? hour(answer.pay_by, zone, answer.pay_by - now() < SHORT) : "",
    opens_at: at(answer.opens_at),
    retry_at: at(now() + 1000 * (answer.retry_after ?? 0)),
    span: span(1000 * (answer.retry_after ?? 1)),
    position: number(answer.position ?? 0),
    reservation: sale.dataset.reservation.replace("RID", answer.reservation ?? ""),
    result: form.dataset.result,
  };
}

function fill(node, values) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = put(walker.currentNode.data, values);
  for (const link of node.querySelectorAll("[href*='{']")) link.setAttribute("href", put(link.getAttribute("href"), values));
}

function words(outcome, values = {}) {
  const all = document.getElementById("outcomes").content;
  const found = all.querySelector(`[data-outcome="${outcome}"]`) ?? all.querySelector('[data-outcome="unknown"]');
  const part = found.cloneNode(true);
  fill(part, values);
  return part;
}

function busy(button, is) {
  for (const name of ["aria-busy", "aria-disabled"]) {
    if (is) button.setAttribute(name, "true");
    else button.removeAttribute(name);
  }
}

function settle(form, answer, part) {
  const button = form.querySelector("button");
  busy(button, false);
  if (["reserved", "standby"].includes(answer.outcome)) form.remove();
  if (answer.outcome === "sold_out") button.hidden = true;
  if (part.dataset.title) document.title = `${part.dataset.title} – ${document.title.replace(/^[^–]* – /, "")}`;
}

/**
 * Try for one unit; `told(sentence, answer)` is called with what was answered, for whoever listens rather than
 * looks. A quiet attempt is one that the page makes by itself: nobody is told that it began.
 */
export async function attempt(form, { sale, told, isQuiet = false }) {
  const button = form.querySelector("button");
  if (button.getAttribute("aria-busy")) return;
  const box = form.parentElement.querySelector("[data-told]");
  const hadFocus = document.activeElement === button;
  busy(button, true);
  if (!isQuiet) {
    box.replaceChildren(words("sent"));
    say(`sent ${performance.now()}`, box.textContent.trim());
  }
  const late = setTimeout(() => {
    busy(button, false);
    box.replaceChildren(words("late"));
    say(`late ${performance.now()}`, box.textContent.trim());
  }, PATIENCE);
  const answer = await send(form.dataset.attempt);
  clearTimeout(late);
  keep(answer);
  const outcome = answer.outcome === "reserved" && answer.paid ? "paid" : answer.outcome;
  const part = words(outcome, facts(answer, form, sale));
  settle(form, answer, part);
  box.replaceChildren(part);
  if (hadFocus && (!form.isConnected || button.hidden)) (box.querySelector("a") ?? box).focus();
  told(part.textContent.trim().replace(/\s+/g, " "), { ...answer, outcome });
}
