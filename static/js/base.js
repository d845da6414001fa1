// What every page gets: forms that are sent once, passwords that can be looked at, and a button that prints.

const AGAIN_AFTER = 5000; // ms after which a press counts again, should no answer have come

function settle(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
  event.submitter?.setAttribute("aria-disabled", "true");
  setTimeout(settle, AGAIN_AFTER, form);
});

// A page that comes back from the browser's memory must not keep its buttons busy.
addEventListener("pageshow", () => document.querySelectorAll("[data-once]").forEach(settle));

// The server draws no number on a page that everybody shares; a cookie carries it.
function showCount() {
  const count = Number(document.cookie.match(/(?:^|; )cart_count=(\d+)/)?.[1] ?? 0);
  const sign = document.querySelector("[data-cart-count]");
  if (!sign) return;
  const words = document.querySelector("[data-cart-words]");
  sign.textContent = count;
  sign.hidden = !count;
  words.textContent = count ? words.dataset.text.replace("{count}", count) : "";
}
addEventListener("pageshow", showCount);

// A link that writes a mail hands the page to the device instead, or copies its address.
async function share(event) {
  const link = event.currentTarget;
  const url = document.querySelector('link[rel="canonical"]')?.href ?? location.href;
  if (!navigator.share && !navigator.clipboard) return;
  event.preventDefault();
  try {
    if (navigator.share) await navigator.share({ title: link.dataset.title, url });
    else {
      await navigator.clipboard.writeText(url);
      document.getElementById("say-politely").textContent = link.dataset.done;
      link.lastChild.textContent = link.dataset.done;
    }
  } catch {
    // the reader has closed the device's list of places to share to
  }
}
for (const link of document.querySelectorAll("[data-share]")) link.addEventListener("click", share);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

function addReveal(input) {
  const words = document.getElementById("reveal-words").content.firstElementChild;
  const button = words.cloneNode(true);
  const row = document.createElement("div");
  row.className = "reveal-row";
  input.replaceWith(row);
  row.append(input, button);
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  });
}

if (document.getElementById("reveal-words")) {
  document.querySelectorAll('input[type="password"]').forEach(addReveal);
}
