// Why a sale stands still, and when the shop says more, as `templates/flashsale/pause.html` says it.

import { hour, put } from "./wording.js";

/** The sentences of a pause of the status document (null: nothing is known); `word(name)` is one of the page's. */
export function pauseWords(pause, word, zone, now) {
  if (!pause) return word("stopped");
  const { since, why, news_at: newsAt } = pause;
  const told = why?.[document.documentElement.lang.toLowerCase()];
  const said = [put(word("paused"), { time: hour(since, zone) })];
  if (told) said.push(told);
  said.push(put(word(now < newsAt ? "news" : "late"), { time: hour(newsAt, zone) }));
  return said.join(" ");
}
