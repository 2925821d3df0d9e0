import assert from "node:assert/strict";
import { test } from "node:test";
import { findServer, type Places } from "../src/serverCommand";

const EVERYWHERE: Places = {
  configured: [],
  interpreter: "/env/bin/python",
  folders: ["/work"],
  trusted: true,
  searched: ["/usr/bin", "/usr/local/bin"],
  bundled: "/extension/bundled/libs",
};
const ORDER = [
  "/env/bin/outpace",
  "/work/.venv/bin/outpace",
  "/usr/bin/outpace",
  "/usr/local/bin/outpace",
];
const PYTHONS = ["/env/bin/python", "/work/.venv/bin/python", "/usr/bin/python3"];

/** What is started on a machine with these files; all Pythons but those in `old` suit. */
async function found(places: Places, files: readonly string[], old: readonly string[] = []) {
  const machine = {
    exists: (file: string) => files.includes(file),
    suits: (python: string) => Promise.resolve(!old.includes(python)),
  };
  return await findServer(places, machine);
}

test("the setting wins and is not looked for", async () => {
  const server = await found({ ...EVERYWHERE, configured: ["/opt/outpace", "lsp"] }, ORDER);
  assert.equal(server?.command, "/opt/outpace");
  assert.deepEqual(server.args, ["lsp"]);
});

test("then the interpreter's environment, the workspace's, the PATH, and last what is bundled", async () => {
  const bundled = [EVERYWHERE.bundled, ...PYTHONS];
  for (let missing = 0; missing < ORDER.length; missing++) {
    const server = await found(EVERYWHERE, [...ORDER.slice(missing), ...bundled]);
    assert.equal(server?.command, ORDER[missing]);
    assert.deepEqual(server?.args, ["lsp", "--stdio"]);
  }
  const last = await found(EVERYWHERE, bundled);
  assert.equal(last?.command, "/env/bin/python");
  assert.deepEqual(last.args, ["-P", "-m", "outpace_server.cli", "lsp", "--stdio"]);
  assert.deepEqual(last.env, { PYTHONPATH: EVERYWHERE.bundled, OUTPACE_BUNDLED: EVERYWHERE.bundled });
});

test("the bundled server takes the first Python that is new enough", async () => {
  const files = [EVERYWHERE.bundled, ...PYTHONS];
  assert.equal((await found(EVERYWHERE, files, PYTHONS.slice(0, 1)))?.command, "/work/.venv/bin/python");
  assert.equal((await found(EVERYWHERE, files, PYTHONS.slice(0, 2)))?.command, "/usr/bin/python3");
  assert.equal(await found(EVERYWHERE, files, PYTHONS), undefined);
});

test("nothing is found where nothing is, or where nothing is bundled", async () => {
  assert.equal(await found({ ...EVERYWHERE, interpreter: undefined, folders: [], searched: [] }, ORDER), undefined);
  assert.equal(await found(EVERYWHERE, PYTHONS), undefined);
});

test("nothing that lies in a folder without trust is run, also where it is selected", async () => {
  const places = { ...EVERYWHERE, trusted: false, interpreter: "/work/env/bin/python" };
  const inside = ["/work/env/bin/outpace", "/work/env/bin/python", "/work/.venv/bin/outpace", "/work/.venv/bin/python"];
  assert.equal(await found(places, [...inside, places.bundled]), undefined);
  const server = await found(places, [...inside, places.bundled, "/usr/bin/python3"]);
  assert.equal(server?.command, "/usr/bin/python3");
  assert.equal((await found({ ...places, trusted: true }, inside))?.command, "/work/env/bin/outpace");
});
