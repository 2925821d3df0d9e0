import assert from "node:assert/strict";
import { test } from "node:test";
import { fileName, folders } from "../src/places";

function told(...uris: string[]): string[] {
  const found = folders(uris);
  return uris.map((uri) => found.get(uri) ?? "missing");
}

test("a name that one file has needs no folder, however often it is listed", () => {
  assert.deepEqual(told("file:///w/a/model.py", "file:///w/a/other.py", "file:///w/a/model.py"), ["", "", ""]);
});

test("files of one name are told apart by as much of their folders as that takes", () => {
  assert.deepEqual(told("file:///w/a/model.py", "file:///w/b/model.py"), ["a", "b"]);
  assert.deepEqual(told("file:///w/model.py", "file:///w/sub/model.py"), ["w", "sub"]);
  assert.deepEqual(told("file:///w/x/nets/m.py", "file:///w/y/nets/m.py"), ["x/nets", "y/nets"]);
  assert.deepEqual(told("file:///nets/m.py", "file:///w/nets/m.py"), ["/nets", "w/nets"]);
});

test("names are shown as people write them, also one with a % in it", () => {
  assert.deepEqual(told("file:///w/my%20nets/m.py", "file:///w/b/m.py"), ["my nets", "b"]);
  assert.equal(fileName("file:///w/100%.py"), "100%.py");
});
