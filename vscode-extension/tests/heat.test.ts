import assert from "node:assert/strict";
import { test } from "node:test";
import { COLOURS, levelOf, type ProfiledFunction, stretches } from "../src/heat";

function profiled(first: number, last: number, share: number): ProfiledFunction {
  return { name: "f", first, last, share, label: "" };
}

test("the larger the share, the stronger the colour, and the strongest is for half a step", () => {
  const levels = [0.01, 0.05, 0.1, 0.25, 0.5].map(levelOf);
  assert.deepEqual(levels, [0, 1, 2, 3, 4]);
  assert.equal(levelOf(1), COLOURS - 1);
  assert.equal(levelOf(0.249), 2);
});

test("a line has the colour of the innermost function, in whichever order they come", () => {
  const outer = profiled(2, 9, 0.6);
  const inner = profiled(4, 6, 0.12);
  const expected = [
    { level: 4, first: 2, last: 3 },
    { level: 2, first: 4, last: 6 },
    { level: 4, first: 7, last: 9 },
  ];
  assert.deepEqual(stretches([outer, inner]), expected);
  assert.deepEqual(stretches([inner, outer]), expected);
});

test("neighbours of one colour are one stretch, others and those apart are not", () => {
  const found = stretches([profiled(0, 1, 0.3), profiled(2, 3, 0.3), profiled(5, 5, 0.3), profiled(6, 6, 0.01)]);
  assert.deepEqual(found, [
    { level: 3, first: 0, last: 3 },
    { level: 3, first: 5, last: 5 },
    { level: 0, first: 6, last: 6 },
  ]);
  assert.deepEqual(stretches([]), []);
});
