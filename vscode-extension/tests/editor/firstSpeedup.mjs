// From a fresh install to a first applied speedup: how many clicks a person needs who has changed no setting.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { inTurn, MEASURED, openFile, Person, repository } from "./harness.mjs";

const MOST_CLICKS = 3;

/** A project as people have it: an environment of its own with torch in it, and no outpace but that of the extension. */
function withEnvironment(person, bin) {
  fs.copyFileSync(path.join(repository, "examples/attention.py"), path.join(person.project, "attention.py"));
  const python = path.join(bin, "python");
  execFileSync(python, ["-m", "venv", "--without-pip", path.join(person.project, ".venv")]);
  const say = "import torch, pathlib; print(pathlib.Path(torch.__file__).parents[1])";
  const packages = execFileSync(python, ["-c", say], { encoding: "utf8" }).trim();
  const [site] = fs.globSync(path.join(person.project, ".venv/lib/python3*/site-packages"));
  fs.writeFileSync(path.join(site, "torch.pth"), `${packages}\n`);
  const folders = process.env.PATH.split(":").filter((folder) => !fs.existsSync(path.join(folder, "outpace")));
  return { ...process.env, PATH: folders.join(":") };
}

export async function firstSpeedup(tools, bin, images) {
  const person = new Person("newcomer");
  const environment = withEnvironment(person, bin);
  let clicks = 0;
  const click = async (where, options) => {
    await where.click(options);
    clicks++;
  };

  /** Opened by the keyboard; the rest is clicked. */
  async function appliesAtOnce(page) {
    await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "attention.py" }).waitFor();
    await openFile(page, "attention.py");
    const question = page.locator(".notification-toast", { hasText: "May outpace run code of project to measure it?" });
    await click(question.locator(".monaco-button", { hasText: "Always" }));
    const lens = page.locator(".codelens-decoration a", { hasText: "audited" });
    await lens.first().waitFor({ timeout: MEASURED });
    await click(lens.first());
    await click(page.locator(".editor-actions .action-label[aria-label*='Apply This Change']"));
    await page.locator(".view-line", { hasText: "scaled_dot_product_attention" }).first().waitFor();
    await page.locator(".statusbar-item", { hasText: "Measuring attention.py again" }).waitFor();
    await page.screenshot({ path: path.join(images, "first-speedup.png") });
    assert.ok(clicks <= MOST_CLICKS, `${clicks} clicks`);
    assert.equal(page.context().pages().length, 1, "a web page was opened");
  }

  await person.inEditor(tools, { trusting: true, environment }, (page) => inTurn(page, [appliesAtOnce]));
}
