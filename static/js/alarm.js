// Something to be done later, in time also while nobody looks: browsers slow the timers of a page that was out of sight
// for five minutes to one a minute, and those of a worker not. The worker is fetched when the page goes out of sight.

const EARLY = 50; // ms by which two clocks may differ

/** Return `{ set(ms), clear() }`: `act` is called once for the last `set`. */
export function alarm(act) {
  let timer = 0;
  let due = 0;
  let worker = null;

  /** Ring if it is time, else let the worker say when it is. */
  function check() {
    const left = due - performance.now();
    if (!timer) return;
    if (left < EARLY) {
      clearTimeout(timer);
      timer = 0;
      return act();
    }
    if (!document.hidden) return;
    try {
      worker ??= new Worker(document.querySelector("[data-waker]").dataset.waker);
      worker.onmessage = check;
      worker.postMessage(left);
    } catch {
      // Without one, or with files that come from another address, the page's own timer has to do.
    }
  }

  document.addEventListener("visibilitychange", check);
  return {
    set(ms) {
      clearTimeout(timer);
      due = performance.now() + ms;
      timer = setTimeout(check, ms);
      if (document.hidden && ms > EARLY) check();
    },
    clear() {
      clearTimeout(timer);
      worker?.terminate();
      timer = 0;
      worker = null;
    },
  };
}
