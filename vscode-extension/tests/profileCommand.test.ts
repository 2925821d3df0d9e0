import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { profileLine, runLine } from "../src/profileCommand";

const INSTALLED = { command: "/my env/bin/outpace", args: ["lsp", "--stdio"], env: {}, origin: "" };
const BUNDLED = { ...INSTALLED, command: "python3", args: ["-P", "-m", "outpace_server.cli", "lsp", "--stdio"] };

test("the same outpace runs the profile, with what was typed as it was typed", () => {
  assert.equal(
    profileLine(INSTALLED, " torchrun train.py --name 'a b' "),
    "'/my env/bin/outpace' profile -- torchrun train.py --name 'a b'",
  );
  assert.equal(profileLine(BUNDLED, "python a.py"), "python3 -P -m outpace_server.cli profile -- python a.py");
});

test("nothing is made of nothing, and of a server that is started in a way of its own", () => {
  assert.equal(profileLine(INSTALLED, "  "), undefined);
  assert.equal(profileLine({ ...INSTALLED, args: ["serve"] }, "python a.py"), undefined);
});

test("a shell reads the words that were meant, whatever is in them", () => {
  const words = ["/a b/python", "it's $HOME; `x`.py"];
  const shell = `for word in ${runLine(words[0], words[1])}; do printf '%s\\n' "$word"; done`;
  const read = execFileSync("/bin/sh", ["-c", shell], { encoding: "utf8" });
  assert.deepEqual(read.trimEnd().split("\n"), words);
  assert.equal(runLine(undefined, undefined), "python train.py");
});
