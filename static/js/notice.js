// Tells whoever looks elsewhere by a notification of the device: only while the page is open, and only if a press asked.

const isOn = () => globalThis.Notification?.permission === "granted" && localStorage.getItem("notify") === "on";

/** Try one, and say whether this browser can: some let only installed pages notify. */
function shown(title, body) {
  try {
    const one = new Notification(title, { body });
    one.addEventListener("click", () => {
      focus();
      one.close();
    });
    return true;
  } catch {
    return false;
  }
}

/** Tell a sentence under the title of the page, where it was asked for and nobody looks. */
export function notify(sentence) {
  if (isOn() && document.hidden) shown(document.title, sentence);
}

/** Turn on or off; return what has come of it: "on", "off" or "denied". The device asks whoever it does not know. */
export async function toggle(sentence) {
  const wanted = !isOn();
  localStorage.setItem("notify", wanted ? "on" : "off");
  if (!wanted) return "off";
  const isAllowed = (await Notification.requestPermission()) === "granted" && shown(document.title, sentence);
  if (!isAllowed) localStorage.setItem("notify", "off");
  return isAllowed ? "on" : "denied";
}

/** Show the button under `root`; it keeps its room, so that nothing jumps, and is not there where nothing can be told. */
export function offer(root, say) {
  const button = root.querySelector("[data-notify]");
  if (!button || !globalThis.Notification) return;
  const name = () => {
    button.dataset.notify = isOn() ? "on" : "off";
    button.textContent = isOn() ? button.dataset.stop : button.dataset.start;
  };
  button.addEventListener("click", async () => {
    const note = root.querySelector("[data-notified]");
    note.textContent = note.dataset[await toggle(note.dataset.on)];
    note.hidden = false;
    name();
    say(`notify ${performance.now()}`, note.textContent);
  });
  name();
}
