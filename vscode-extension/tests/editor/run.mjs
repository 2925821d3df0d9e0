// What a person does, in a real VS Code, with what can be read on the screen: node run.mjs TOOLS OUTPACE IMAGES
//
// TOOLS is the folder that setup.sh filled, OUTPACE the command to serve the editor, IMAGES where pictures go.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { firstSpeedup } from "./firstSpeedup.mjs";
import { allShown, command, goTo, inTurn, MEASURED, openFile, Person, repository, row, save, webview } from "./harness.mjs";

const [tools, outpace, images] = process.argv.slice(2).map((name) => path.resolve(name));
const FUSED = "scaled_dot_product_attention";
const STEP_GAIN = /audited, step \d\.\d\d× computed/;
const person = new Person("person");

/** Its change is measured and rejected: on the CPU it takes longer. */
const NOT_FASTER = `"""Rows of length one, by their root mean square."""

import torch


def unit_rows(x: torch.Tensor) -> torch.Tensor:
    mean = x.float().pow(2).mean(-1, keepdim=True)
    return x.float() * torch.rsqrt(mean + 1e-6)


def get_inputs():
    return [torch.randn(64, 256)]
`;

/** A training script around the attention of the example. */
const TRAINING = `"""A few steps of a block that is mostly attention."""

import torch
from attention import CausalSelfAttention, get_init_inputs, get_inputs

block = CausalSelfAttention(*get_init_inputs())
head = torch.nn.Linear(256, 256)
optimizer = torch.optim.AdamW([*block.parameters(), *head.parameters()])
for _ in range(30):
    (x,) = get_inputs()
    loss = head(block(x)).square().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
`;

const KERNEL = `#include <cuda_fp16.h>

#define THREADS 256

__global__ void scale(const half* x, half* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        out[i] = __hmul(x[i], __float2half(2.0f));
    }
}

void launch(const half* x, half* out, int n) {
    scale<<<(n + THREADS - 1) / THREADS, THREADS>>>(x, out, n);
}
`;

function write(name, text) {
  fs.writeFileSync(path.join(person.project, name), text);
}

function read(name) {
  return fs.readFileSync(path.join(person.project, name), "utf8");
}

function prepare() {
  for (const name of ["attention.py", "mlp_norm.py"]) {
    fs.copyFileSync(path.join(repository, "examples", name), path.join(person.project, name));
  }
  write("unit_rows.py", NOT_FASTER);
  write("train.py", TRAINING);
  write("scale.cu", KERNEL);
  person.set({
    "outpace.server.command": [outpace, "lsp", "--stdio"], // without trust the one in the extension serves
    "outpace.interpreter": path.join(path.dirname(outpace), "python"),
    "outpace.runOn": "save",
    "outpace.budgetSeconds": 400, // what comes after the first trial is cancelled
    "outpace.device": "cpu",
  });
}

/** No tooltip, no hovered line. */
function pointAway(page) {
  return page.mouse.move(1200, 18); // the title bar
}

async function picture(page, name) {
  await pointAway(page);
  await page.waitForTimeout(700); // for what fades in or out
  await page.screenshot({ path: path.join(images, `${name}.png`) });
}

async function showView(page) {
  await page.locator(".activitybar .action-label[aria-label='outpace']").click();
}

/** The side bar as wide as its lines. */
async function widen(page) {
  const view = await page.locator('[id="workbench.parts.sidebar"]').boundingBox();
  await page.mouse.move(view.x + view.width, 400);
  await page.mouse.down();
  await page.mouse.move(view.x + 440, 400, { steps: 5 });
  await page.mouse.up();
}

function lens(page, text) {
  return page.locator(".codelens-decoration:visible", { hasText: text });
}

function accepted(page) {
  return row(page, "× [").filter({ hasText: "CausalSelfAttention" });
}

/** Ends what goes on in a file, from the view. */
async function cancel(page, file) {
  const running = row(page, file).filter({ has: page.locator(".codicon-sync") });
  await running.hover();
  await running.locator(".action-label[aria-label='Cancel']").click();
  await running.waitFor({ state: "detached" });
}

/** Without trust targets are read from the files, CUDA sources get their hints, and a save runs nothing. */
async function restricts(page) {
  await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
  await showView(page);
  await widen(page);
  await row(page, "CausalSelfAttention").filter({ hasText: "not measured" }).waitFor();
  await page.getByText("Nothing is measured until this workspace is trusted.").waitFor();
  await openFile(page, "attention.py");
  await save(page);
  await row(page, "unit_rows").filter({ hasText: "not measured" }).waitFor();
  await nothingRuns(page);
  await picture(page, "restricted");
}

async function nothingRuns(page) {
  assert.equal(await row(page, "Accepted").or(row(page, "Rejected")).or(row(page, "Running")).count(), 0);
  assert.equal(await page.locator(".codelens-decoration").count(), 0);
  assert.equal(await page.locator(".statusbar-item", { hasText: "Optimizing" }).count(), 0);
}

async function readsCuda(page) {
  await openFile(page, "scale.cu");
  await page.locator(".view-line", { hasText: "__global__" }).getByText("scale", { exact: true }).click();
  await pointAway(page);
  await command(page, "Show or Focus Hover");
  const said = page.locator(".monaco-hover", { hasText: "Every launch in this file has 256 threads a block" });
  await said.filter({ hasText: "x may overlap out" }).waitFor();
  await picture(page, "cuda");
  await page.keyboard.press("Escape");
}

async function trusts(page) {
  await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).click();
  const trust = page.locator(".workspace-trust-editor");
  await trust.locator(".monaco-button", { hasText: /^Trust$/ }).first().click();
  await trust.getByText("You trust this folder").waitFor();
  await page.keyboard.press("Control+w");
  await page.getByText("Nothing is measured until this workspace is trusted.").waitFor({ state: "detached" });
}

/** Targets are there before anything was opened or measured. */
async function targets(page) {
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
  await page.locator(".statusbar-item", { hasText: "Optimizing attention.py: " }).waitFor();
  const running = row(page, "attention.py");
  await running.filter({ hasText: "timing" }).waitFor({ timeout: MEASURED });
  await picture(page, "measuring");
  await accepted(page).waitFor({ timeout: MEASURED });
  await row(page, "CausalSelfAttention").filter({ hasText: /Attentionmeasured/ }).waitFor();
  await lens(page, "audited").waitFor();
  await cancel(page, "attention.py");
}

async function rejects(page) {
  await openFile(page, "unit_rows.py");
  await save(page);
  const rejected = row(page, "Rejected");
  await rejected.waitFor({ timeout: MEASURED });
  await rejected.click();
  await row(page, "loop-invariant").filter({ hasText: "unit_rows, L4" }).waitFor();
  await cancel(page, "unit_rows.py");
}

/** A run is cancelled before it has a verdict, and leaves nothing behind. */
async function cancels(page) {
  await openFile(page, "mlp_norm.py");
  await save(page);
  await row(page, "mlp_norm.py").waitFor();
  await cancel(page, "mlp_norm.py");
  await page.locator(".statusbar-item", { hasText: "Optimizing" }).waitFor({ state: "detached" });
  await row(page, "FeedForward").filter({ hasText: "not measured" }).waitFor();
}

/** The command asks how the script is run. What it would do in the terminal, which this editor has none of, is done
 * here; then the function says its share, and the offer its gain on the step. */
async function profiles(page) {
  await openFile(page, "train.py");
  await command(page, "outpace: Profile...");
  await page.locator(".quick-input-widget", { hasText: "What you type to run your script" }).waitFor();
  assert.match(await page.locator(".quick-input-widget input:visible").inputValue(), /python train\.py$/);
  await page.keyboard.press("Escape");
  const profile = ["profile", "--", path.join(path.dirname(outpace), "python"), "train.py"];
  await promisify(execFile)(outpace, profile, { cwd: person.project });
  await openFile(page, "attention.py");
  await goesToCode(page);
  await lens(page, STEP_GAIN).waitFor({ timeout: MEASURED });
  await page.locator(".view-line", { hasText: /def\sforward.*of\sthe\sstep/ }).waitFor();
  await picture(page, "profile");
}

/** Once more where the view was drawn anew under the pointer. */
async function goesToCode(page) {
  const there = page.locator(".statusbar-item", { hasText: /Ln 3\d, Col 1$/ });
  for (let tries = 0; tries < 5 && !(await there.isVisible()); tries++) {
    await accepted(page).hover();
    await accepted(page).locator(".action-label[aria-label='Go to Code']").click();
    await there.waitFor({ timeout: 5000 }).catch(() => {});
  }
  await there.waitFor();
  await lens(page, "audited").waitFor();
}

async function previews(page) {
  await goesToCode(page);
  await picture(page, "speedups");
  await lens(page, "audited").locator("a").first().click();
  const sides = page.locator(".monaco-diff-editor");
  await sides.locator(".editor.original .view-line", { hasText: "masked_fill" }).waitFor();
  await sides.locator(".editor.modified .view-line", { hasText: FUSED }).waitFor();
  await page.locator(".editor-actions .action-label[aria-label*='Apply This Change']").waitFor();
  await picture(page, "preview");
  await page.keyboard.press("Control+w");
}

/** Read as a screen reader would: headings, landmarks, names of plots; then in the light. */
async function reports(page) {
  await accepted(page).hover();
  await accepted(page).locator(".action-label[aria-label='Show Audit']").click();
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
  person.set({ "workbench.colorTheme": "Default Light Modern" });
  await page.locator(".monaco-workbench.vs").waitFor();
  await picture(page, "report-light");
  assert.notEqual(await ink(), dark);
  person.set({ "workbench.colorTheme": "Default Dark Modern" });
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
  await page.locator(".view-line", { hasText: "self.attn_dropout(att)" }).first().click();
  await page.keyboard.press("End");
  await page.keyboard.type("*2"); // one step to undo
  await page.locator(".codelens-decoration", { hasText: "audited" }).waitFor({ state: "detached" });
  await accepted(page).waitFor({ state: "detached" });
  await row(page, "CausalSelfAttention").filter({ hasText: "not measured" }).waitFor();
  await picture(page, "stale");
  await page.keyboard.press("Control+z");
  await accepted(page).waitFor();
  await lens(page, STEP_GAIN).waitFor();
}

async function dismisses(page) {
  const rejected = row(page, "loop-invariant");
  await rejected.click({ button: "right" });
  const dismiss = page.locator(".monaco-menu .action-menu-item", { hasText: "Dismiss" });
  await dismiss.waitFor();
  await page.waitForTimeout(300); // a menu that has just opened takes a click for the end of the one that opened it
  await dismiss.click();
  await rejected.waitFor({ state: "detached" });
  await row(page, "Rejected").waitFor({ state: "detached" });
  assert.match(read(".outpace/dismissed.json"), /loop-invariant unit_rows/);
}

/** From the light bulb beside the code. */
async function applies(page) {
  await goesToCode(page);
  const header = read("attention.py").split("\n").findIndex((line) => line.includes("def forward")) + 1;
  await goTo(page, header, 9);
  const bulb = page.locator(".codicon-light-bulb:visible, .codicon-gutter-lightbulb:visible, [class*='codicon-gutter-lightbulb']");
  await bulb.first().waitFor();
  await picture(page, "light-bulb");
  await bulb.first().click();
  const menu = page.locator(".action-widget .monaco-list-row");
  const apply = menu.filter({ hasText: /^Apply scaled_dot_product_attention.*: \d\.\d\d× \[.*step \d\.\d\d× computed \(tolerant, L4\)/ });
  await apply.waitFor();
  for (const other of ["Preview the change", "Show audit of explicit-attention", "Measure again", "Dismiss explicit-attention"]) {
    await menu.filter({ hasText: other }).first().waitFor();
  }
  await picture(page, "quick-fix");
  await apply.click();
  await page.locator(".view-line", { hasText: FUSED }).first().waitFor();
  await page.locator(".statusbar-item", { hasText: "Measuring attention.py again: " }).waitFor();
  await page.keyboard.press("Control+s");
  await row(page, "applied, measuring").waitFor();
  await allShown(page);
  await picture(page, "applied");

  await lens(page, "applied, measured again").waitFor({ timeout: MEASURED });
  await row(page, "applied, confirmed").waitFor();
  await goTo(page, header, 9);
  await pointAway(page);
  await command(page, "Show or Focus Hover");
  await page.locator(".monaco-hover", { hasText: "Applied, measured again in place" }).waitFor();
  await allShown(page);
  await picture(page, "measured-again");
  assert.match(read("attention.py"), new RegExp(FUSED));
}

/** The window starts anew, and shows no more than before it was trusted; nothing of it goes on running. */
async function revokes(page) {
  await command(page, "Workspaces: Manage Workspace Trust");
  const trust = page.locator(".workspace-trust-editor");
  const folder = trust.locator(".monaco-list-row", { hasText: person.project });
  await folder.hover();
  await folder.locator("[aria-label*='Delete']").first().click();
  await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
  await showView(page).catch(() => {});
  await page.getByText("Nothing is measured until this workspace is trusted.").waitFor();
  await row(page, "CausalSelfAttention").filter({ hasText: "not measured" }).waitFor();
  await openFile(page, "unit_rows.py");
  await save(page);
  await row(page, "unit_rows").filter({ hasText: "not measured" }).waitFor();
  await nothingRuns(page);
  await picture(page, "revoked");
}

prepare();
await person.inEditor(tools, { trusting: false }, (page) =>
  inTurn(page, [
    ...[restricts, readsCuda, trusts, targets, measures, rejects, cancels, profiles, previews, reports, goesStale],
    ...[dismisses, applies, revokes],
  ]),
);
await firstSpeedup(tools, path.dirname(outpace), images);
console.log(`pictures in ${images}`);
