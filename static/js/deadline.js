// The deadline of an order: counts it down on the shop's clock, speaks at its milestones, and asks at its end.

import * as clock from "./clock.js";
import { run } from "./countdown.js";
import { milestones } from "./milestones.js";

const AFTER = 4000; // ms after the end, when the shop has had time to write it down
const page = document.getElementById("deadline");
const until = Number(document.querySelector("[data-clock]").dataset.until);
const isTyping = () => document.querySelector("main .field input:not([type=radio]), main .field select");

clock.start(Number(page.dataset.now));
if (clock.now() < until) {
  run(document, {
    tell: milestones(page, "pay"),
    // What somebody types stays before his eyes; the shop says at the next press that the time is over.
    end: () => isTyping() || setTimeout(() => location.assign(page.dataset.end), AFTER),
  });
}
