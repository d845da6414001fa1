// Something to be done later, in time also while nobody looks: browsers slow the timers of a page that was out of sight
// for five minutes to one a minute, and those of a worker not. The worker is fetched when the page goes out of sight.

const EARLY = 50; // ms by which two clocks may differ
const alarms = new Map();
let worker = null;

function hire() {
  const url = document.querySelector("[data-waker]")?.dataset.waker;
  if (!url) return null;
  try {
    worker = new Worker(url);
    worker.addEventListener("message", ({ data }) => alarms.get(data)?.ringIfDue());
  } catch {
    // Files that come from another address: the page's own timers have to do.
  }
  return worker;
}

/** Return `{ set(ms), clear() }`: `act` is called once for the last `set`. */
export function alarm(act) {
  const name = alarms.size;
  let timer = 0;
  let due = 0;

  function clear() {
    clearTimeout(timer);
    timer = 0;
  }

  function ring() {
    clear();
    act();
  }

  function ask() {
    if (timer && document.hidden) (worker ?? hire())?.postMessage([name, due - performance.now()]);
  }

  alarms.set(name, {
    ask,
    ringIfDue: () => timer && performance.now() > due - EARLY && ring(),
  });
  return {
    clear,
    set(ms) {
      clear();
      due = performance.now() + ms;
      timer = setTimeout(ring, ms);
      ask();
    },
  };
}

globalThis.document?.addEventListener("visibilitychange", () => {
  for (const one of [...alarms.values()]) {
    one.ringIfDue();
    one.ask();
  }
});
