// Speaks when a clock crosses one of its milestones: whole sentences of a template, each once, the loud ones at once.

import { interrupt, say } from "./announcer.js";

/** Return what is to be called with the seconds left; `name` tells the clocks of a page apart. */
export function milestones(root, name) {
  const words = [...(root.querySelector("[data-milestones]")?.content.querySelectorAll("[data-at]") ?? [])];
  let before = null;
  return (left) => {
    // A page that slept may cross several at a time: only the last of them is still true.
    const crossed = words.filter((word) => before > Number(word.dataset.at) && left <= Number(word.dataset.at)).at(-1);
    before = left;
    if (!crossed) return;
    const speak = crossed.hasAttribute("data-loud") ? interrupt : say;
    speak(`${name} ${crossed.dataset.at}`, crossed.textContent.trim());
  };
}
