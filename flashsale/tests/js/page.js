// As much of a page as the modules under test touch.

class Region {
  textContent = "";
}

/** Put a page in place; returns its two live regions. */
export function page() {
  const regions = { "say-politely": new Region(), "say-at-once": new Region() };
  globalThis.document = {
    hidden: false,
    documentElement: { lang: "en" },
    getElementById: (id) => regions[id],
    addEventListener() {},
  };
  return { politely: regions["say-politely"], atOnce: regions["say-at-once"] };
}

/** The words of a page's milestones: `{ 60: "1 minute is left.", … }`; those in `loud` interrupt. */
export function words(sentences, loud = []) {
  const all = Object.entries(sentences)
    .map(([at, text]) => ({
      dataset: { at },
      textContent: text,
      hasAttribute: () => loud.includes(Number(at)),
    }))
    .sort((one, other) => other.dataset.at - one.dataset.at);
  return { querySelector: () => ({ content: { querySelectorAll: () => all } }) };
}
