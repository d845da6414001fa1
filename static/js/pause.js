// Why a sale stands still, and when the shop says more, as `templates/flashsale/pause.html` says it.

import { hour, put } from "./wording.js";

/** The sentences of a pause of the status document; `word(name)` is one of the page's. */
export function pauseWords({ since, why, news_at: news }, word, zone, now) {
  const say = (name, ms) => put(word(name), { time: hour(ms, zone) });
  const told = why?.[document.documentElement.lang];
  return [say("paused", since), told, say(now < news ? "news" : "late", news)].filter(Boolean).join(" ");
}
