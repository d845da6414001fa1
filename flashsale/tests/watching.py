"""What a browser test watches over a whole visit, from one document to the next: shifts, and what is said."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

WATCH = """(() => {
  const add = (key, value) =>
    sessionStorage.setItem(key, JSON.stringify([...JSON.parse(sessionStorage.getItem(key) ?? "[]"), value]));
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      const moved = one.sources.map(({ node }) => node?.textContent.trim().slice(0, 40));
      if (!one.hadRecentInput) add("shifts", [`${document.title} (${moved.join(", ")})`, one.value]);
    }
  }).observe({ type: "layout-shift", buffered: true });
  const Stream = EventSource;
  window.EventSource = class extends Stream {
    constructor(...args) {
      super(...args);
      for (const name of ["own", "result", "state"]) {
        super.addEventListener(name, ({ data }) => add("pushed", [name, JSON.parse(data).kind ?? ""]));
      }
    }
  };
  addEventListener("DOMContentLoaded", () => {
    for (const id of ["say-politely", "say-at-once"]) {
      const region = document.getElementById(id);
      add("first", region?.textContent ?? "missing");
      if (!region) continue;
      const hear = () =>
        add("said", {
          loud: id !== "say-politely", at: Date.now(), text: region.textContent,
          page: performance.timeOrigin,
        });
      new MutationObserver(hear).observe(region, { childList: true });
    }
    for (const one of document.querySelectorAll("[role=timer]")) add("timers", one.getAttribute("aria-live"));
  });
})()"""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of a live region: whether it interrupted, when (ms), its text, and its document."""

    loud: bool
    at: int
    text: str
    page: float


def watch(page: Page) -> None:
    """Begin to watch, before the first document."""
    page.add_init_script(WATCH)


def _kept(page: Page, key: str) -> list[Any]:
    found: list[Any] = page.evaluate(f"JSON.parse(sessionStorage.getItem('{key}') ?? '[]')")
    return found


def shifts(page: Page) -> list[tuple[str, float]]:
    """Return every layout shift that no key or press brought about: the page, what moved, and how far."""
    return [(title, value) for title, value in _kept(page, "shifts")]


def said(page: Page) -> list[Said]:
    """Return what the live regions said, in order."""
    return [Said(**one) for one in _kept(page, "said")]


def first_words(page: Page) -> set[str]:
    """Return what stood in the regions of each document before anything was said."""
    return set(_kept(page, "first"))


def timers_that_speak(page: Page) -> list[str]:
    """Return the live attributes of clocks; a clock is silent."""
    return [one for one in _kept(page, "timers") if one]


def pushed(page: Page) -> list[tuple[str, str]]:
    """Return what the stream has brought: the name of each event, and of a result its kind."""
    return [(name, kind) for name, kind in _kept(page, "pushed")]
