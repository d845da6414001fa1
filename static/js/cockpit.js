// The live page of the cockpit: it is told the figures once a second by a stream of events and swaps only the parts
// that changed. It shows itself to the shop now and then, and at once when its buttons may have changed; while the
// stream is silent it asks each second. Without it the page is whole and a reload brings the news.

const EVERY = 1000;
const SILENT = 3000;
const SHOW_MYSELF = 20000;
const page = document.getElementById("cockpit");
const frame = document.getElementById("cockpit-frame");
const said = document.getElementById("cockpit-said");
const freeze = document.getElementById("freeze");
const part = (name) => frame.querySelector(`[data-part="${name}"]`);
const word = () => frame.querySelector(".cockpit-chip").textContent.trim();
const stands = () => `${part("state").dataset.phase} ${part("state").dataset.seen}`;
let frozen = false;
let state = word();
let acted = stands();
let stream = null;
let heardAt = performance.now();
let askedAt = performance.now();

function swap(fresh) {
  const old = part(fresh.dataset.part);
  if (!old) {
    frame.append(fresh);
  } else if (old.outerHTML !== fresh.outerHTML) {
    // What somebody has opened stays open, what has the focus is left alone until the next second.
    if (old.contains(document.activeElement)) return;
    for (const one of old.querySelectorAll("details[open]")) {
      fresh.querySelector(`details[data-key="${one.dataset.key}"]`)?.setAttribute("open", "");
    }
    old.replaceWith(fresh);
  }
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const one of [...fresh.querySelectorAll("[data-part]")]) swap(document.importNode(one, true));
  const now = word();
  if (now !== state) said.textContent = `${(state = now)}.`;
  else if (said.textContent === page.dataset.silent) said.textContent = "";
}

async function ask() {
  askedAt = performance.now();
  try {
    const answer = await fetch(page.dataset.frame, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const html = await answer.text();
    if (!frozen) show(html);
    acted = stands();
    listen();
  } catch {
    if (said.textContent !== page.dataset.silent) said.textContent = page.dataset.silent;
  }
}

// Begun anew only after an answer, which has brought a fresh pass.
function listen() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource(page.dataset.stream);
  stream.addEventListener("figures", (event) => {
    heardAt = performance.now();
    if (frozen || document.hidden) return;
    show(JSON.parse(event.data).frame);
    if (stands() !== acted) ask();
  });
}

async function look() {
  const now = performance.now();
  const isDue = now - heardAt > SILENT || now - askedAt > SHOW_MYSELF;
  if (!frozen && !document.hidden && isDue) await ask();
  setTimeout(look, EVERY);
}

freeze.hidden = false;
freeze.addEventListener("click", () => {
  frozen = !frozen;
  freeze.setAttribute("aria-pressed", String(frozen));
});
listen();
setTimeout(look, EVERY);
