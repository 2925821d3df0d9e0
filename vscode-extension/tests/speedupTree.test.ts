import assert from "node:assert/strict";
import { test } from "node:test";
import { groups, progress, type Speedup, type Speedups } from "../src/speedupTree";

const OFFERED: Speedup = {
  id: "v0",
  uri: "file:///home/me/my%20model.py",
  line: 3,
  target: "Attention",
  title: "fused attention",
  rule: "explicit-attention",
  gain: "1.42× [1.38, 1.46]",
  step: "",
  numerics: "tolerant",
  level: "L4",
  state: "offered",
  reason: "",
};
const REJECTED: Speedup = { ...OFFERED, id: "v1", rule: "other", state: "rejected", gain: "", reason: "L2 x: wrong" };
const EMPTY: Speedups = { targets: [], running: [], speedups: [] };

test("groups without anything are left out, so that an empty view says what to do", () => {
  assert.deepEqual(groups(EMPTY), []);
});

test("what runs comes first, then what was accepted, targets, and what was rejected, closed", () => {
  const uri = OFFERED.uri;
  const content: Speedups = {
    running: [{ uri, title: "Optimizing my model.py", message: "[1/2] fused attention" }],
    targets: [{ uri, name: "Attention", line: 3, trouble: "", measured: true, outcome: "" }],
    speedups: [OFFERED, REJECTED],
  };
  const shown = groups(content);
  assert.deepEqual(
    shown.map((group) => group.label),
    ["Running", "Accepted", "Targets", "Rejected"],
  );
  assert.deepEqual(
    shown.filter((group) => !group.open).map((group) => group.label),
    ["Rejected"],
  );
  const keys = shown.flatMap((group) => group.items.map((item) => item.key));
  assert.equal(new Set(keys).size, keys.length);
});

test("the order of the server is kept", () => {
  const second = { ...OFFERED, id: "v2", gain: "1.20× [1.10, 1.30]" };
  const [accepted] = groups({ ...EMPTY, speedups: [OFFERED, second] });
  assert.deepEqual(
    accepted?.items.map((item) => item.label),
    ["1.42× [1.38, 1.46]", "1.20× [1.10, 1.30]"],
  );
});

test("a rejected change says why, where it shows and where it is read out", () => {
  const item = groups({ ...EMPTY, speedups: [REJECTED] })[0]?.items[0];
  assert.equal(item?.description, "Attention, L2 x: wrong");
  assert.match(item.words, /rejected\. L2 x: wrong/);
});

test("a gain is read out with its class, its level and the file, as people write its name", () => {
  const item = groups({ ...EMPTY, speedups: [{ ...OFFERED, state: "confirmed" }] })[0]?.items[0];
  assert.equal(item?.kind, "confirmed");
  assert.equal(
    item.words,
    "1.42× [1.38, 1.46] Attention: fused attention. " +
      "tolerant, audited to L4, applied, measured again in place, my model.py",
  );
});

test("where a profile says it, the gain of a whole step stands beside the target, and is read out as computed", () => {
  const item = groups({ ...EMPTY, speedups: [{ ...OFFERED, step: "step 1.08× computed" }] })[0]?.items[0];
  assert.equal(item?.description, "Attention, step 1.08× computed");
  assert.equal(
    item.words,
    "1.42× [1.38, 1.46] Attention: fused attention. " +
      "step 1.08× computed, tolerant, audited to L4, my model.py",
  );
});

test("a file without one target says its trouble", () => {
  const trouble = "several possible targets (a, b)";
  const item = groups({ ...EMPTY, targets: [{ uri: OFFERED.uri, name: "", line: 0, trouble, measured: false, outcome: "" }] })[0]
    ?.items[0];
  assert.equal(item?.label, "my model.py");
  assert.equal(item.description, trouble);
});

test("a target whose last run brought no verdict says why", () => {
  const known = { uri: OFFERED.uri, name: "Attention", line: 0, trouble: "", measured: false };
  const said = (outcome: string): string | undefined =>
    groups({ ...EMPTY, targets: [{ ...known, outcome }] })[0]?.items[0]?.description;
  assert.equal(said(""), "not measured");
  assert.equal(said("nothing to offer: no ideas left"), "nothing to offer: no ideas left");
});

test("two files of one name are told apart, wherever they are listed", () => {
  const [here, there] = ["file:///w/a/model.py", "file:///w/b/model.py"];
  const target = { line: 0, trouble: "", measured: true, outcome: "" };
  const content: Speedups = {
    running: [here, there].map((uri) => ({ uri, title: "Optimizing model.py", message: "[1/2] fused" })),
    targets: [
      { ...target, uri: here, name: "Attention" },
      { ...target, uri: there, name: "Mlp" },
    ],
    speedups: [
      { ...OFFERED, uri: here },
      { ...REJECTED, uri: there, target: "Mlp" },
    ],
  };
  const items = groups(content).flatMap((group) => group.items);
  assert.deepEqual(
    items.map((item) => item.description),
    ["a, [1/2] fused", "b, [1/2] fused", "Attention, a", "measured, a", "measured, b", "Mlp, b, L2 x: wrong"],
  );
  assert.ok(items.every((item) => /, [ab]$|, [ab]\/|[ab]$/.test(item.words)), "and read out");
});

test("two targets of one name are told apart by their files", () => {
  const target = { name: "Model", line: 0, trouble: "", measured: false, outcome: "" };
  const shown = (...uris: string[]): (string | undefined)[] =>
    groups({ ...EMPTY, targets: uris.map((uri) => ({ ...target, uri })) })[0]?.items.map((item) => item.description) ?? [];
  assert.deepEqual(shown("file:///w/a.py", "file:///w/b.py"), ["not measured, a.py", "not measured, b.py"]);
  assert.deepEqual(shown("file:///w/x/m.py", "file:///w/y/m.py"), ["not measured, x/m.py", "not measured, y/m.py"]);
  assert.deepEqual(shown("file:///w/a.py"), ["not measured"]);
});

test("a step of the walkthrough is done once what it is about has happened", () => {
  const target = { uri: OFFERED.uri, name: "Attention", line: 3, trouble: "", measured: false, outcome: "" };
  const reached = (content: Speedups): string[] =>
    Object.entries(progress(content)).filter(([, done]) => done).map(([key]) => key);
  assert.deepEqual(reached(EMPTY), []);
  assert.deepEqual(reached({ ...EMPTY, targets: [{ ...target, name: "", trouble: "none" }] }), []);
  assert.deepEqual(reached({ ...EMPTY, targets: [target] }), ["outpace.targetsFound"]);
  assert.deepEqual(reached({ ...EMPTY, speedups: [OFFERED] }), ["outpace.measured"]);
  assert.deepEqual(reached({ ...EMPTY, speedups: [{ ...OFFERED, state: "applied" }] }), ["outpace.measured", "outpace.applied"]);
});
