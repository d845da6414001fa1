// The page of entry: the browser's own check runs while the shopper reads, and a press waits for it.

import { solve } from "./work.js";

const field = document.querySelector("[data-work]");
const form = field.form;
const status = document.querySelector("[data-work-status]");
let isRunning = true;
let pressed = null;

function end(solution) {
  isRunning = false;
  field.value = solution ?? "";
  status.textContent = solution ? status.dataset.done : status.dataset.unable;
  pressed?.removeAttribute("aria-busy");
  if (pressed && solution) form.requestSubmit(pressed);
  pressed = null;
}

// Before the listener of every page, which counts a form as sent.
form.addEventListener("submit", (event) => {
  if (!isRunning || event.submitter?.name) return; // a new challenge or a link needs no check
  event.preventDefault();
  event.stopPropagation();
  pressed = event.submitter;
  pressed?.setAttribute("aria-busy", "true");
});

status.textContent = status.dataset.running;
// Without a secure connection a browser has no Web Crypto.
solve(JSON.parse(field.dataset.work)).then(end, () => end(null));
