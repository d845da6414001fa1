// What this browser has looked at, kept in the browser only: the shop is never told.
(() => {
  const KEPT = 7;
  const section = document.querySelector("[data-recent]");
  let seen = [];
  try {
    seen = JSON.parse(localStorage.getItem("recent")) ?? [];
  } catch {
    return; // storage is closed to us, or holds what we did not write
  }

  function card({ url, title, picture }) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = url;
    if (picture) link.append(Object.assign(new Image(96, 96), { src: picture, alt: "", loading: "lazy" }));
    link.append(Object.assign(document.createElement("span"), { textContent: title }));
    item.append(link);
    return item;
  }

  const { url, title, picture } = section.dataset;
  const others = seen.filter((one) => one.url !== url);
  section.querySelector("ul").append(...others.slice(0, KEPT - 1).map(card));
  section.hidden = !others.length;
  section.querySelector("[data-forget]").addEventListener("click", () => {
    localStorage.removeItem("recent");
    section.hidden = true;
    document.getElementById("main").focus();
  });
  if (url) localStorage.setItem("recent", JSON.stringify([{ url, title, picture }, ...others].slice(0, KEPT)));
})();
