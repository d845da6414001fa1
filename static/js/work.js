// Solves a challenge of proof of work: tries number after number until the key derived from it begins as asked.

const TOGETHER = 8; // derivations in flight: the browser does them beside the page, on as many cores as it likes

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function derive({ nonce, salt, cost, keyLength }, counter) {
  const start = bytes(nonce);
  const password = new Uint8Array(start.length + 4);
  password.set(start);
  new DataView(password.buffer).setUint32(start.length, counter);
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
  return hex(await crypto.subtle.deriveBits(how, key, 8 * keyLength));
}

/** Return what the shop takes for a solution of `challenge`; null if no number up to the most fits. */
export async function solve(challenge) {
  const { parameters } = challenge;
  const { most } = parameters.data;
  for (let first = 0; first <= most; first += TOGETHER) {
    const counters = Array.from({ length: Math.min(TOGETHER, most + 1 - first) }, (_, n) => first + n);
    const keys = await Promise.all(counters.map((counter) => derive(parameters, counter)));
    const place = keys.findIndex((key) => key.startsWith(parameters.keyPrefix));
    if (place < 0) continue;
    const solution = { counter: counters[place], derivedKey: keys[place] };
    return btoa(JSON.stringify({ challenge, solution }));
  }
  return null;
}
