import assert from "node:assert/strict";
import { test } from "node:test";
import { reportPage, tabTitle } from "../src/reportPage";

const PAGE = reportPage({ title: "a <b> & c", style: "p { color: red }", body: "<main>numbers</main>" }, "secret");

test("the policy lets one style through, by its nonce, and nothing else", () => {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(PAGE)?.[1];
  assert.equal(policy, "default-src 'none'; style-src 'nonce-secret'");
  assert.equal(PAGE.match(/nonce="secret"/g)?.length, 1);
  assert.doesNotMatch(PAGE, /<script|style="|https?:\/\//);
});

test("the theme comes after the report's own style, so that it wins", () => {
  assert.ok(PAGE.indexOf("--vscode-editor-foreground") > PAGE.indexOf("color: red"));
});

test("the title is text, the body is markup", () => {
  assert.match(PAGE, /<title>a &lt;b> &amp; c<\/title>/);
  assert.match(PAGE, /<body><main>numbers<\/main><\/body>/);
});

test("a tab is named for the target of an audit, or for what was profiled", () => {
  assert.equal(tabTitle("0123", "attend: fused attention"), "Audit of attend");
  assert.equal(tabTitle("profile-0123", "profile of train.py"), "Profile of train.py");
  assert.equal(tabTitle("night-0123", "a night on project"), "A night on project");
});

test("colours are the theme's alone, with borders, and nothing faint, in high contrast", () => {
  const theme = PAGE.slice(PAGE.indexOf("color: red }"), PAGE.indexOf("</style>"));
  assert.doesNotMatch(theme, /#[0-9a-f]{3,8}\b|rgb\(/i);
  assert.match(theme, /figure, pre \{ border: 1px solid var\(--vscode-contrastBorder/);
  assert.match(theme, /\.vscode-high-contrast \.band \{ stroke:/);
  assert.match(theme, /\.vscode-high-contrast \.dot \{ fill-opacity: 1; \}/);
  assert.match(theme, /:focus-visible \{ outline: 1px solid var\(--vscode-focusBorder\)/);
});
