// Figures, times and sentences, drawn as the server draws them.

const language = () => globalThis.document?.documentElement.lang || "en";

/** A sentence with its {names} filled in. */
export const put = (text, facts) => text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);

/** `12,431`. */
export const number = (value) => new Intl.NumberFormat(language()).format(value);

/** Which form of a sentence a number takes: "one" or "other". */
export const form = (value) => (new Intl.PluralRules(language()).select(value) === "one" ? "one" : "other");

/** An instant as `10:24 CEST`, with seconds if asked; `zone` is "Europe/Berlin CEST", because browsers say GMT+2. */
export function hour(ms, zone, withSeconds = false) {
  const [timeZone, name] = zone.split(" ");
  const shape = { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (withSeconds) shape.second = "2-digit";
  return `${new Intl.DateTimeFormat(language(), shape).format(ms)} ${name}`;
}

const measured = (unit) => {
  const unitDisplay = language().startsWith("zh") ? "short" : "long"; // as our translation has it: 秒, not 秒钟
  return new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay });
};

/** A wait, whose pace may change: "14 minutes", and past twenty of them a range, "25–30 minutes". */
export function range(ms) {
  const minutes = Math.round(ms / 60000);
  if (minutes <= 20) return span(ms);
  const [unit, step, length] = minutes < 100 ? ["minute", 5, minutes] : ["hour", 1, ms / 3600000];
  const low = step * Math.floor(length / step);
  return measured(unit).formatRange(low, low + step);
}

/** "40 seconds", "14 minutes", "2 hours": like `flashsale/words.py`. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  let minutes = Math.round(seconds / 60);
  if (minutes > 20) minutes = 5 * Math.round(minutes / 5);
  const hours = Math.round(seconds / 3600);
  const [value, unit] = [
    [seconds, "second", seconds < 60],
    [minutes, "minute", minutes < 100],
    [hours, "hour", hours < 48],
    [Math.round(seconds / 86400), "day", true],
  ].find(([, , fits]) => fits);
  return measured(unit).format(value);
}
