import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { notify, toggle } from "../../../static/js/notice.js";

let told;

/** A device that gives that answer when it is asked; `isStrict` lets only installed pages notify. */
function device(answer, { isStrict = false } = {}) {
  globalThis.Notification = class {
    static permission = "default";

    static async requestPermission() {
      this.permission = answer;
      return answer;
    }

    constructor(title, { body }) {
      if (isStrict) throw new TypeError("Only a service worker may do that.");
      told.push(`${title}: ${body}`);
    }

    addEventListener() {}
  };
}

beforeEach(() => {
  const kept = new Map();
  told = [];
  globalThis.document = { title: "In line", hidden: true };
  globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
});

test("nothing is told before a press asked for it", () => {
  device("granted");
  notify("It is your turn.");
  assert.deepEqual(told, []);
});

test("after a press the device tells what cannot wait, until the next press", async () => {
  device("granted");
  assert.equal(await toggle("This device tells you."), "on");
  notify("It is your turn.");
  assert.equal(await toggle("This device tells you."), "off");
  notify("It is yours.");
  assert.deepEqual(told, ["In line: This device tells you.", "In line: It is your turn."]);
});

test("whoever looks at the page needs no notification", async () => {
  device("granted");
  await toggle("This device tells you.");
  document.hidden = false;
  notify("It is your turn.");
  assert.equal(told.length, 1);
});

test("a device that says no, or cannot, is not said to tell", async () => {
  device("denied");
  assert.equal(await toggle("This device tells you."), "denied");
  device("granted", { isStrict: true });
  assert.equal(await toggle("This device tells you."), "denied");
  notify("It is your turn.");
  assert.deepEqual(told, []);
});
