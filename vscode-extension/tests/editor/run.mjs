// What a person does, in a real VS Code, with what can be read on the screen: node run.mjs TOOLS OUTPACE IMAGES
//
// TOOLS is the folder that setup.sh filled, OUTPACE the command to serve the editor, IMAGES where pictures go.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { command, inEditor, MEASURED, openFile, project, repository, row, save, set, webview } from "./harness.mjs";

const [tools, outpace, images] = process.argv.slice(2).map((name) => path.resolve(name));
const example = path.join(project, "attention.py");
const FUSED = "scaled_dot_product_attention";

/** Its change is measured and rejected: on the CPU it takes longer. */
const NOT_FASTER = `"""Rows of length one, by their root mean square."""

import torch


def unit_rows(x: torch.Tensor) -> torch.Tensor:
    mean = x.float().pow(2).mean(-1, keepdim=True)
    return x.float() * torch.rsqrt(mean + 1e-6)


def get_inputs():
    return [torch.randn(64, 256)]
`;

function prepare() {
  fs.mkdirSync(path.join(project, ".outpace"), { recursive: true });
  for (const name of ["attention.py", "mlp_norm.py"]) {
    fs.copyFileSync(path.join(repository, "examples", name), path.join(project, name));
  }
  fs.writeFileSync(path.join(project, "unit_rows.py"), NOT_FASTER);
  set({
    "outpace.server.command": [outpace, "lsp", "--stdio"],
    "outpace.runOn": "save",
    "outpace.budgetSeconds": 1,
    "outpace.device": "cpu",
  });
}

async function picture(page, name) {
  await page.mouse.move(1150, 52); // no tooltip, no hovered line
  await page.waitForTimeout(700); // for what fades in or out
  await page.screenshot({ path: path.join(images, `${name}.png`) });
}

async function showView(page) {
  await page.locator(".activitybar .action-label[aria-label='outpace']").click();
}

/** Targets are there before anything was opened, measured, or clicked but the view. */
async function targets(page) {
  await showView(page);
  await row(page, "CausalSelfAttention").filter({ hasText: "not measured" }).waitFor();
  await row(page, "unit_rows").waitFor();
  await row(page, "Targets").filter({ hasText: "3" }).waitFor();
}

async function measures(page) {
  await openFile(page, "attention.py");
  await save(page);
  const question = page.locator(".notification-toast", { hasText: "May outpace run code of project to measure it?" });
  await question.waitFor();
  await picture(page, "consent");
  await question.locator(".monaco-button", { hasText: "Always" }).click();
  await page.locator(".statusbar-item", { hasText: "Optimizing attention.py" }).waitFor();
  const running = row(page, "attention.py");
  await running.filter({ hasText: "timing" }).waitFor({ timeout: MEASURED });
  await picture(page, "measuring");
  await running.waitFor({ state: "detached", timeout: MEASURED });
  await row(page, "× [").filter({ hasText: "CausalSelfAttention" }).waitFor();
  await page.locator(".codelens-decoration", { hasText: "audited" }).waitFor();
}

async function rejects(page) {
  await openFile(page, "unit_rows.py");
  await save(page);
  const rejected = row(page, "Rejected");
  await rejected.waitFor({ timeout: MEASURED });
  await rejected.click();
  await row(page, "loop-invariant").filter({ hasText: "unit_rows, L4" }).waitFor();
}

/** A run is cancelled from the view, and leaves nothing behind. */
async function cancels(page) {
  await openFile(page, "mlp_norm.py");
  await save(page);
  const running = row(page, "mlp_norm.py");
  await running.waitFor();
  await running.hover();
  await running.locator(".action-label[aria-label='Cancel']").click();
  await running.waitFor({ state: "detached" });
  await page.locator(".statusbar-item", { hasText: "Optimizing" }).waitFor({ state: "detached" });
  await row(page, "FeedForward").filter({ hasText: "not measured" }).waitFor();
}

async function goesToCode(page) {
  const accepted = row(page, "× [").first();
  await accepted.hover();
  await accepted.locator(".action-label[aria-label='Go to Code']").click();
  await page.locator(".codelens-decoration:visible", { hasText: "audited" }).waitFor();
}

async function previews(page) {
  await goesToCode(page);
  await picture(page, "speedups");
  await row(page, "× [").first().click();
  const sides = page.locator(".monaco-diff-editor");
  await sides.locator(".editor.original .view-line", { hasText: "masked_fill" }).waitFor();
  await sides.locator(".editor.modified .view-line", { hasText: FUSED }).waitFor();
  await page.locator(".editor-actions .action-label[aria-label*='Apply This Change']").waitFor();
  await picture(page, "preview");
}

/** Read as a screen reader would: headings, landmarks, names of plots; then in the light. */
async function reports(page) {
  const accepted = row(page, "× [").first();
  await accepted.hover();
  await accepted.locator(".action-label[aria-label='Show Audit']").click();
  await page.locator(".tab.active", { hasText: /^Audit of CausalSelfAttention$/ }).waitFor();
  const report = webview(page);
  await report.getByRole("heading", { level: 1, name: "CausalSelfAttention" }).waitFor();
  await report.getByRole("main").waitFor();
  await report.getByText("accepted").first().waitFor();
  await report.getByRole("region", { name: "Checks" }).getByText("outputs-against-truth").first().waitFor();
  await report.getByRole("img", { name: "pair by pair" }).first().waitFor();
  await picture(page, "report");

  const ink = () => report.locator("body").evaluate((body) => getComputedStyle(body).color);
  const dark = await ink();
  set({ "workbench.colorTheme": "Default Light Modern" });
  await page.locator(".monaco-workbench.vs").waitFor();
  await picture(page, "report-light");
  assert.notEqual(await ink(), dark);
  set({ "workbench.colorTheme": "Default Dark Modern" });
  await page.locator(".monaco-workbench.vs-dark").waitFor();

  await report.locator("body").click();
  for (let presses = 0; presses < 3; presses++) {
    await page.keyboard.press("Tab");
  }
  const role = await report.locator(":focus").getAttribute("role");
  assert.equal(role, "region", "the tables are reached by Tab");
  await page.keyboard.press("Control+w");
}

/** What is touched loses its offer at once, and has it again when the touch is undone. */
async function goesStale(page) {
  await goesToCode(page);
  const lens = page.locator(".codelens-decoration", { hasText: "audited" });
  await page.locator(".view-line", { hasText: "self.attn_dropout(att)" }).first().click();
  await page.keyboard.press("End");
  await page.keyboard.type("*2"); // one step to undo
  await lens.waitFor({ state: "detached" });
  await row(page, "× [").waitFor({ state: "detached" });
  await picture(page, "stale");
  await page.keyboard.press("Control+z");
  await row(page, "× [").waitFor();
}

async function dismisses(page) {
  const rejected = row(page, "loop-invariant");
  await rejected.click({ button: "right" });
  await page.locator(".monaco-menu .action-menu-item", { hasText: "Dismiss" }).click();
  await rejected.waitFor({ state: "detached" });
  await row(page, "Rejected").waitFor({ state: "detached" });
  assert.ok(fs.existsSync(path.join(project, ".outpace/dismissed.json")));
}

async function applies(page) {
  await page.keyboard.press("Control+Shift+M"); // the problems
  const problem = page.locator(".markers-panel .monaco-list-row", { hasText: "audited to L4" });
  await problem.first().dblclick();
  await page.keyboard.press("Control+j");
  await page.keyboard.press("Control+.");
  const apply = page.locator(".action-widget .monaco-list-row", { hasText: "Apply" });
  await apply.first().waitFor();
  await picture(page, "quick-fix");
  await apply.first().click();
  await page.locator(".view-line", { hasText: FUSED }).first().waitFor();
  await page.keyboard.press("Control+s");
  await row(page, "attention.py").waitFor();
  await picture(page, "applied");

  await page.locator(".codelens-decoration", { hasText: "applied, measured again" }).waitFor({ timeout: MEASURED });
  await row(page, "applied, measured again in place").waitFor();
  await page.keyboard.press("Home");
  await command(page, "Show or Focus Hover");
  await page.locator(".monaco-hover", { hasText: "measured again in place" }).waitFor();
  await picture(page, "measured-again");
  assert.match(fs.readFileSync(example, "utf8"), new RegExp(FUSED));
}

/** Without trust targets are read from the files, and a save runs nothing. */
async function restricts(page) {
  await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
  await showView(page);
  await row(page, "CausalSelfAttention").filter({ hasText: "not measured" }).waitFor();
  await page.getByText("Nothing is measured until this workspace is trusted.").waitFor();
  await openFile(page, "attention.py");
  await save(page);
  await row(page, "unit_rows").filter({ hasText: "not measured" }).waitFor();
  assert.equal(await row(page, "Accepted").or(row(page, "Rejected")).or(row(page, "Running")).count(), 0);
  assert.equal(await page.locator(".codelens-decoration").count(), 0);
  await picture(page, "restricted");
}

async function inTurn(page, steps) {
  for (const doing of steps) {
    const begun = Date.now();
    await doing(page);
    console.log(`${doing.name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  }
}

prepare();
const steps = [targets, measures, rejects, cancels, previews, reports, goesStale, dismisses, applies];
await inEditor(tools, { trusted: true }, (page) => inTurn(page, steps));
set({ "outpace.server.command": [] }); // the one in the extension
await inEditor(tools, { trusted: false }, (page) => inTurn(page, [restricts]));
console.log(`pictures in ${images}`);
