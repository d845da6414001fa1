// Beside a page that nobody looks at: tells it when the time has come.

let timer = 0;
addEventListener("message", ({ data: wait }) => {
  clearTimeout(timer);
  timer = setTimeout(() => postMessage("now"), wait);
});
