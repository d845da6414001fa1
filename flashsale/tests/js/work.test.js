import assert from "node:assert/strict";
import { pbkdf2Sync } from "node:crypto";
import { test } from "node:test";

import { solve } from "../../../static/js/work.js";

const NONCE = "00112233445566778899aabbccddeeff";
const SALT = "ffeeddccbbaa99887766554433221100";

/** A challenge whose number is `counter`, made with another implementation than the one under test. */
function challenge(counter, most) {
  const password = Buffer.concat([Buffer.from(NONCE, "hex"), Buffer.alloc(4)]);
  password.writeUInt32BE(counter, 16);
  const key = pbkdf2Sync(password, Buffer.from(SALT, "hex"), 10, 32, "sha256").toString("hex");
  const parameters = { nonce: NONCE, salt: SALT, cost: 10, keyLength: 32, keyPrefix: key.slice(0, 32), data: { most } };
  return { key, challenge: { parameters, signature: "s" } };
}

for (const counter of [0, 7, 8, 299, 300]) {
  test(`the number ${counter} of 300 is found`, async () => {
    const { key, challenge: asked } = challenge(counter, 300);
    const told = JSON.parse(atob(await solve(asked)));
    assert.deepEqual(told, { challenge: asked, solution: { counter, derivedKey: key } });
  });
}

test("a number beyond the most is not searched", async () => {
  assert.equal(await solve(challenge(21, 20).challenge), null);
});

test("other work goes on meanwhile", async () => {
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  await solve(challenge(2000, 2000).challenge);
  clearInterval(timer);
  assert.ok(turns > 10, `${turns}`);
});
