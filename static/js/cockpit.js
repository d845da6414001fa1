// The live page of the cockpit: asks for the frame once a second and swaps only the parts that changed.
// Without it the page is whole and a reload brings the news.

const EVERY = 1000;
const page = document.getElementById("cockpit");
const frame = document.getElementById("cockpit-frame");
const said = document.getElementById("cockpit-said");
const freeze = document.getElementById("freeze");
let frozen = false;
const word = () => frame.querySelector(".cockpit-chip").textContent.trim();
let state = word();

function swap(part) {
  const old = frame.querySelector(`[data-part="${part.dataset.part}"]`);
  if (!old) {
    frame.append(part);
  } else if (old.innerHTML !== part.innerHTML) {
    // What somebody has opened stays open, what has the focus is left alone until the next second.
    if (old.contains(document.activeElement)) return;
    for (const one of old.querySelectorAll("details[open]")) {
      part.querySelector(`details[data-key="${one.dataset.key}"]`)?.setAttribute("open", "");
    }
    old.replaceWith(part);
  }
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const parts = [...fresh.querySelectorAll("[data-part]")];
  for (const part of parts) swap(document.importNode(part, true));
  const now = word();
  if (now !== state) said.textContent = `${(state = now)}.`;
  else if (said.textContent === page.dataset.silent) said.textContent = "";
}

async function ask() {
  if (!frozen && !document.hidden) {
    try {
      const answer = await fetch(page.dataset.frame, { signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(String(answer.status));
      const html = await answer.text();
      if (!frozen) show(html);
    } catch {
      if (said.textContent !== page.dataset.silent) said.textContent = page.dataset.silent;
    }
  }
  setTimeout(ask, EVERY);
}

freeze.hidden = false;
freeze.addEventListener("click", () => {
  frozen = !frozen;
  freeze.setAttribute("aria-pressed", String(frozen));
});
setTimeout(ask, EVERY);
