// From save to applied edit in a real VS Code: node run.mjs TOOLS OUTPACE IMAGES
//
// TOOLS is the folder that setup.sh filled, OUTPACE the command to serve the editor, IMAGES where pictures go.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const [tools, outpace, images] = process.argv.slice(2).map((name) => path.resolve(name));
const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const { chromium } = createRequire(path.join(tools, "pw/package.json"))("playwright-core");
const port = 8500 + (process.pid % 1000);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "outpace-editor-"));
const project = path.join(scratch, "project");
const example = path.join(project, "attention.py");
const AUDITED = 120_000;

function prepare() {
  fs.mkdirSync(path.join(project, ".outpace"), { recursive: true });
  fs.copyFileSync(path.join(repository, "examples/attention.py"), example);
  const settings = {
    "workbench.startupEditor": "none",
    "chat.disableAIFeatures": true,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "editor.minimap.enabled": false,
    "workbench.colorTheme": "Default Dark Modern",
    "outpace.server.command": [outpace, "lsp", "--stdio"],
    "outpace.runOn": "save",
    "outpace.consent": "always",
    "outpace.budgetSeconds": 1,
    "outpace.device": "cpu",
  };
  fs.mkdirSync(path.join(scratch, "user/User"), { recursive: true });
  fs.writeFileSync(path.join(scratch, "user/User/settings.json"), JSON.stringify(settings));
}

function codeServer(...args) {
  const entry = path.join(tools, "cs/node_modules/code-server/out/node/entry.js");
  const places = ["--extensions-dir", path.join(scratch, "extensions"), "--user-data-dir", path.join(scratch, "user")];
  return [entry, ...places, ...args];
}

function install() {
  const folder = path.join(repository, "vscode-extension");
  const vsix = fs.readdirSync(folder).find((name) => name.endsWith(".vsix"));
  execFileSync(process.execPath, codeServer("--install-extension", path.join(folder, vsix)), { stdio: "inherit" });
}

async function serve() {
  const args = codeServer(
    ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`],
    ...["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"],
  );
  const log = fs.openSync(path.join(scratch, "code-server.log"), "w");
  const server = spawn(process.execPath, args, { stdio: ["ignore", log, log], detached: true });
  let up = false;
  await until(() => {
    fetch(`http://127.0.0.1:${port}/healthz`).then(() => (up = true), () => {});
    return up;
  });
  return server;
}

async function until(holds) {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 300, `waited in vain for ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function picture(page, name) {
  await page.waitForTimeout(500); // for what fades in
  await page.screenshot({ path: path.join(images, `${name}.png`) });
}

async function fromSaveToApplied(page) {
  await page.goto(`http://127.0.0.1:${port}/?folder=${project}`);
  await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "attention.py" }).dblclick();
  const lines = page.locator(".monaco-editor .view-line");
  await lines.first().waitFor();

  const ledger = path.join(project, ".outpace/ledger.sqlite");
  await until(() => fs.existsSync(ledger)); // the server has asked what is known of the file
  await lines.first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("# measured on save\n");
  await page.keyboard.press("Control+s");
  const progress = page.locator(".statusbar-item", { hasText: "Optimizing attention.py" });
  await progress.waitFor({ timeout: 30_000 });
  await page.locator(".statusbar-item", { hasText: "timing" }).waitFor({ timeout: 60_000 });
  await picture(page, "measuring");

  await page.keyboard.press("Control+Shift+M"); // the problems
  const problem = page.locator(".markers-panel .monaco-list-row", { hasText: "audited to L4" });
  await problem.waitFor({ timeout: AUDITED });
  await problem.first().dblclick();
  await page.keyboard.press("Control+j");
  await page.keyboard.press("Control+.");
  const apply = page.locator(".action-widget .monaco-list-row", { hasText: "Apply" });
  await apply.first().waitFor({ timeout: 30_000 });
  await picture(page, "quick-fix");

  await apply.first().click();
  await page.locator(".statusbar-item", { hasText: "Measuring attention.py again" }).waitFor();
  await page.locator(".view-line", { hasText: "scaled_dot_product_attention" }).first().waitFor();
  await page.keyboard.press("Control+s");
  await picture(page, "applied");

  await page.locator(".squiggly-hint").waitFor({ state: "attached", timeout: AUDITED });
  await page.keyboard.press("Home");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Control+i");
  await page.locator(".monaco-hover", { hasText: "measured again in place" }).waitFor();
  await picture(page, "measured-again");
  assert.match(fs.readFileSync(example, "utf8"), /scaled_dot_product_attention/);
}

prepare();
install();
const server = await serve();
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(30_000);
  try {
    await fromSaveToApplied(page);
  } catch (error) {
    await page.keyboard.press("F1");
    await page.keyboard.type("outpace: Show Log");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(2000);
    await page.screenshot({ path: path.join(scratch, "failed.png") });
    const items = await page.locator(".statusbar-item").evaluateAll((all) => all.map((one) => one.ariaLabel));
    console.error(`what was on the screen: ${scratch}/failed.png; status: ${items.join(" | ")}`);
    throw error;
  }
  console.log(`saved, measured, applied, measured again; pictures in ${images}`);
} finally {
  await browser.close();
  process.kill(-server.pid);
}
