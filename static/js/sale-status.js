// The public state of a sale: one small document, the same for everybody, asked for at most once a second.

const PACE = { running: 2000, coming: 20000, paused: 4000 };
const HIDDEN = 30000;
const SLOWEST = 30000;

const jitter = (ms) => ms * (0.85 + Math.random() * 0.3);

/** Ask again and again until the sale has ended; `tell(document)` on news, `silent(lastHeard)` without an answer. */
export function follow(url, { tell, silent }) {
  let failures = 0;
  let state = "running";
  let timer = 0;

  const next = () => {
    if (state === "ended") return;
    const pace = failures ? Math.min(SLOWEST, 1000 * 2 ** failures) : PACE[state] ?? 4000;
    timer = setTimeout(ask, Math.max(1000, jitter(document.hidden ? Math.max(pace, HIDDEN) : pace)));
  };

  const ask = async () => {
    clearTimeout(timer);
    try {
      const response = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error(String(response.status));
      const news = await response.json();
      failures = 0;
      state = news.state;
      tell(news);
    } catch {
      failures += 1;
      silent(failures);
    }
    next();
  };

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && state !== "ended") ask();
  });
  ask();
  return ask;
}
