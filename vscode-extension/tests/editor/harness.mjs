// A real VS Code with the packaged extension in it, and a browser that looks at it.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "outpace-editor-"));
export const STEP = 60_000; // for what the editor does by itself, on a busy machine
export const MEASURED = 900_000; // an audit waits while others use the processors
const SIZE = { width: 1440, height: 900 };
const APPEARANCE = {
  "workbench.startupEditor": "none",
  "chat.disableAIFeatures": true,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "editor.minimap.enabled": false,
  "files.autoSave": "off", // unlike a desktop, a server saves after a second
  "workbench.colorTheme": "Default Dark Modern",
  "security.workspace.trust.startupPrompt": "never",
};

/** Somebody's editor, with nothing in it yet but what it looks like, and a folder for a project. */
export class Person {
  constructor(name) {
    this.project = path.join(scratch, name, "project");
    this.extensions = path.join(scratch, name, "extensions");
    this.user = path.join(scratch, name, "user");
    this.settings = {};
    fs.mkdirSync(this.project, { recursive: true });
    this.set(APPEARANCE);
  }

  /** Of the user; the editor takes a change over at once. What has the scope `machine` is read from the second file where
   * the editor runs as a server, as in a remote window. */
  set(changed) {
    this.settings = { ...this.settings, ...changed };
    for (const folder of ["User", "Machine"]) {
      const file = path.join(this.user, folder, "settings.json");
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, JSON.stringify(this.settings));
    }
  }

  /** Installs the extension, and runs `steps` with a page on the project. `tools` is the folder that setup.sh filled;
   * `trusting`: all folders are trusted, else none is until somebody says so. */
  async inEditor(tools, { trusting, environment = process.env }, steps) {
    const { chromium } = createRequire(path.join(tools, "pw/package.json"))("playwright-core");
    const port = 8500 + (process.pid % 1000);
    const codeServer = (...args) => [
      path.join(tools, "cs/node_modules/code-server/out/node/entry.js"),
      ...["--extensions-dir", this.extensions, "--user-data-dir", this.user],
      ...args,
    ];
    const folder = path.join(repository, "vscode-extension");
    const vsix = fs.readdirSync(folder).find((name) => name.endsWith(".vsix"));
    const log = fs.openSync(path.join(scratch, "code-server.log"), "a");
    const started = { stdio: ["ignore", log, log], env: environment };
    execFileSync(process.execPath, codeServer("--install-extension", path.join(folder, vsix)), started);
    const server = spawn(
      process.execPath,
      codeServer(
        ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`],
        ...["--disable-telemetry", "--disable-update-check", ...(trusting ? ["--disable-workspace-trust"] : [])],
      ),
      { ...started, detached: true },
    );
    await until(() => fetch(`http://127.0.0.1:${port}/healthz`).then(() => true, () => false));
    const browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
    });
    try {
      const page = await browser.newPage({ viewport: SIZE });
      page.setDefaultTimeout(STEP);
      await page.goto(`http://127.0.0.1:${port}/?folder=${this.project}`);
      await steps(page).catch((error) => explained(page, error));
    } finally {
      await browser.close();
      process.kill(-server.pid);
    }
  }
}

async function explained(page, error) {
  await page.screenshot({ path: path.join(scratch, "failed.png") });
  await command(page, "outpace: Show Log").catch(() => {});
  await page.waitForTimeout(2000);
  await page.screenshot({ path: path.join(scratch, "failed-log.png") });
  console.error(`what was on the screen, and the log: ${scratch}/failed*.png`);
  throw error;
}

export async function until(holds) {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 300, `waited in vain for ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** From the command palette. */
export async function command(page, title) {
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget input").fill(`>${title}`);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().waitFor();
  await page.keyboard.press("Enter");
}

export async function openFile(page, name) {
  const tab = page.locator(".tab", { hasText: name }).first();
  if (await tab.isVisible()) {
    await tab.click();
  } else {
    await page.keyboard.press("Control+p");
    await page.locator(".quick-input-widget input:visible").fill(name);
    await page.locator(".quick-input-list .monaco-list-row:visible", { hasText: name }).first().click();
  }
  await page.locator(".tab.active", { hasText: name }).waitFor();
  await page.locator(".monaco-editor .view-line").first().waitFor();
}

/** Puts the cursor there. A click would scroll sideways, to the middle of the longest line. */
export async function goTo(page, line, column) {
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget input:visible").fill(`:${line}:${column}`);
  await page.locator(".quick-input-list .monaco-list-row:visible", { hasText: `${line}` }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".statusbar-item", { hasText: `Ln ${line}, Col ${column}` }).waitFor();
}

/** That a picture has all of what it is of: the code from its first column, rows and hovers to their ends. */
export async function allShown(page) {
  const hidden = await page.evaluate(() => {
    const shown = (found) => [...document.querySelectorAll(found)].filter((one) => one.getClientRects().length);
    const rows = shown('[id="workbench.view.extension.outpace"] .monaco-icon-label-container');
    const hovers = shown(".monaco-hover .monaco-hover-content");
    return [
      ...shown(".editor-instance .lines-content").filter((one) => one.offsetLeft < 0).map(() => "code, to the left"),
      ...rows.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent),
      ...hovers.filter((one) => one.scrollHeight > one.parentElement.clientHeight + 1).map(() => "the end of a hover"),
    ];
  });
  assert.deepEqual(hidden, []);
}

/** In the order in which they are given; says how long each took. */
export async function inTurn(page, steps) {
  for (const doing of steps) {
    const begun = Date.now();
    await doing(page);
    console.log(`${doing.name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  }
}

/** Types at the start of the open file, and saves: a change that no verdict depends on. */
export async function save(page) {
  await page.locator(".monaco-editor .view-line").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("# saved\n");
  await page.keyboard.press("Control+s");
}

/** A line of the Speedups view by a text in it. */
export function row(page, text) {
  const view = page.locator('[id="workbench.view.extension.outpace"]');
  return view.locator(".monaco-list-row", { hasText: text });
}

/** The page inside the webview of the open tab. */
export function webview(page) {
  return page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
}
