import assert from "node:assert/strict";
import { test } from "node:test";
import { debugInformation } from "../src/debugInformation";
import { detail, SELECTORS, type ServerStatus } from "../src/statusWords";

const STATUS: ServerStatus = { health: "ok", quiescent: true, message: "idle", device: "H100", queue: 2 };
const FACTS = {
  extension: "outpace-dev.outpace 0.1.0",
  editor: "Code 1.91.0",
  remote: undefined,
  system: "Linux 6.1 x64",
  trusted: true,
  interpreter: "/venv/bin/python",
  server: { command: "/venv/bin/outpace", args: ["lsp"], env: { PYTHONPATH: "/secret" }, origin: "PATH" },
  running: "outpace 0.1.0",
  status: STATUS,
};

test("the status says where verdicts come from and which server it is, as far as there is one", () => {
  assert.equal(detail(STATUS, "PATH"), "H100, PATH");
  assert.equal(detail({ ...STATUS, device: null }, "PATH"), "PATH");
});

test("cells of notebooks show the status, as files do", () => {
  const python = SELECTORS.filter((one) => one.language === "python").map((one) => one.scheme);
  assert.deepEqual(python, ["file", "vscode-notebook-cell"]);
});

test("what a report of a bug needs is one line a fact, without the environment", () => {
  assert.equal(
    debugInformation(FACTS),
    "extension: outpace-dev.outpace 0.1.0\neditor: Code 1.91.0\nsystem: Linux 6.1 x64\nworkspace: trusted\n" +
      "interpreter: /venv/bin/python\nserver: /venv/bin/outpace lsp (PATH)\nrunning: outpace 0.1.0\ndevice: H100\n" +
      "status: ok, idle, 2 in the queue\n",
  );
});

test("where nothing runs, that is what is told", () => {
  const nothing = { ...FACTS, remote: "ssh-remote", interpreter: undefined, server: undefined, running: undefined };
  const told = debugInformation({ ...nothing, status: undefined, trusted: false });
  for (const line of ["remote: ssh-remote", "not trusted", "none selected", "none found", "running: no", "no verdict yet"]) {
    assert.ok(told.includes(line), line);
  }
});
