import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { advice, isMade, type Standing, UNTRUSTED } from "../src/advice";

const STANDINGS: readonly Standing[] = ["starting", "missing", "failed"];

test("where no server listens the reason is said, and what to do is a button", () => {
  assert.match(advice("starting", true).message, /still starting/);
  assert.match(advice("missing", true).message, /needs Python 3\.11/);
  assert.equal(advice("missing", true).buttons[0]?.title, "Select Interpreter");
  assert.match(advice("failed", true).message, /ended, or did not start/);
  assert.equal(advice("failed", true).buttons[0]?.title, "Show Log");
});

test("without trust, a Python that is missing may be one that is not started", () => {
  const { message, buttons } = advice("missing", false);
  assert.match(message, /without your trust/);
  assert.equal(buttons[0]?.command, "workbench.trust.manage");
});

test("every button of ours has a command that there is", () => {
  const known = JSON.parse(fs.readFileSync("package.json", "utf8")).contributes.commands.map(
    (entry: { command: string }) => entry.command,
  );
  const all = STANDINGS.flatMap((standing) => [advice(standing, true), advice(standing, false)]);
  for (const { command } of [...all, UNTRUSTED].flatMap((one) => one.buttons)) {
    assert.ok(known.includes(command) || command === "workbench.trust.manage", command);
  }
});

test("an edit that the editor refuses is told, with the file and what to do; one that it makes is not", async () => {
  const told: string[] = [];
  const tell = (message: string): number => told.push(message);
  assert.equal(await isMade("model.py", async () => true, tell), true);
  assert.deepEqual(told, []);
  assert.equal(await isMade("model.py", async () => false, tell), false);
  assert.match(told.join(), /^model\.py was not changed: .*apply it again\.$/);
});
