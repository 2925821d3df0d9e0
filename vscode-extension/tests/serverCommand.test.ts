import assert from "node:assert/strict";
import { test } from "node:test";
import { findServer, type Places } from "../src/serverCommand";

const NOWHERE: Places = { configured: [], interpreter: undefined, folders: [], searched: [] };
const EVERYWHERE: Places = {
  configured: ["/opt/outpace", "lsp"],
  interpreter: "/env/bin/python",
  folders: ["/work"],
  searched: ["/usr/bin", "/usr/local/bin"],
};

function found(places: Places, ...files: string[]): string | undefined {
  return findServer(places, (file) => files.includes(file))?.command;
}

test("the setting wins and is not looked for", () => {
  assert.equal(found(EVERYWHERE), "/opt/outpace");
  assert.deepEqual(findServer(EVERYWHERE, () => true)?.args, ["lsp"]);
});

test("then the interpreter's environment, the workspace's, the PATH", () => {
  const places = { ...EVERYWHERE, configured: [] };
  const files = ["/usr/local/bin/outpace", "/work/.venv/bin/outpace", "/env/bin/outpace"];
  assert.equal(found(places, ...files), "/env/bin/outpace");
  assert.equal(found(places, ...files.slice(0, 2)), "/work/.venv/bin/outpace");
  assert.equal(found(places, ...files.slice(0, 1)), "/usr/local/bin/outpace");
  assert.deepEqual(findServer(places, (file) => files.includes(file))?.args, ["lsp", "--stdio"]);
});

test("nothing is found where nothing is", () => {
  assert.equal(found(NOWHERE, "/env/bin/outpace"), undefined);
  assert.equal(found({ ...EVERYWHERE, configured: [] }), undefined);
});
