// The only voice of a page: whole sentences into the two live regions of the base template. What cannot wait goes to
// whoever looks elsewhere, too.

import { notify } from "./notice.js";

const GAP = 5000; // ms between two polite sentences
const said = new Set();
let waiting = null;
let quietUntil = 0;

function speak(region, sentence) {
  document.getElementById(region).textContent = sentence;
}

function flush() {
  const left = quietUntil - performance.now();
  if (left > 0) return setTimeout(flush, left); // something that could not wait has been said meanwhile
  quietUntil = performance.now() + GAP;
  speak("say-politely", waiting);
  waiting = null;
}

/** Say a sentence when there is a pause. The same event is told once; a newer sentence replaces a waiting one. */
export function say(event, sentence) {
  if (said.has(event)) return;
  said.add(event);
  const idle = waiting === null;
  waiting = sentence;
  if (idle) setTimeout(flush, Math.max(0, quietUntil - performance.now()));
}

/** Say a sentence at once, for what cannot wait: a turn, a reservation, the end of its time. */
export function interrupt(event, sentence) {
  if (said.has(event)) return;
  said.add(event);
  quietUntil = performance.now() + GAP;
  speak("say-at-once", sentence);
  notify(sentence);
}
