import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

interface Entry {
  readonly command: string;
  readonly title?: string;
  readonly category?: string;
  readonly when?: string;
  readonly enablement?: string;
}
const manifest = JSON.parse(fs.readFileSync("package.json", "utf8"));
const commands: Entry[] = manifest.contributes.commands;
const menus: Record<string, Entry[]> = manifest.contributes.menus;
const sources = fs.readdirSync("src").map((name) => fs.readFileSync(`src/${name}`, "utf8")).join("\n");

test("every command is registered, and shown with its category unless a menu alone has it", () => {
  for (const { command, title, category } of commands) {
    const [, item] = /^outpace\.tree\.(\w+)$/.exec(command) ?? [];
    assert.ok(sources.includes(item === undefined ? `"${command}"` : `onItem("${item}"`), command);
    assert.ok(title, command);
    const hidden = menus["commandPalette"]?.some((entry) => entry.command === command && entry.when === "false");
    assert.equal(category, hidden ? undefined : "outpace", command);
  }
});

test("menus name commands that there are", () => {
  const known = new Set(commands.map((entry) => entry.command));
  for (const entry of Object.values(menus).flat()) {
    assert.ok(known.has(entry.command), entry.command);
  }
});

test("no key is taken: a default key of ours would be somebody else's", () => {
  assert.equal(manifest.contributes.keybindings, undefined);
});

test("it runs beside the code, asks no other extension, and for trust before anything of a workspace runs", () => {
  assert.deepEqual(manifest.extensionKind, ["workspace"]);
  assert.equal(manifest.extensionDependencies, undefined);
  const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  assert.equal(supported, "limited");
  assert.deepEqual(restrictedConfigurations, ["outpace.server.command", "outpace.interpreter", "outpace.consent"]);
});

test("the pages of the walkthrough are there", () => {
  const steps: { media: { markdown: string } }[] = manifest.contributes.walkthroughs[0].steps;
  assert.equal(steps.length, 4);
  for (const { media } of steps) {
    assert.ok(fs.existsSync(media.markdown), media.markdown);
  }
});

test("a step of the walkthrough is completed by what was reached, never by a page that was opened", () => {
  const steps: { id: string; completionEvents: string[] }[] = manifest.contributes.walkthroughs[0].steps;
  for (const { id, completionEvents } of steps) {
    assert.ok(completionEvents.length > 0, id);
    for (const event of completionEvents) {
      const [, key] = /^onContext:(outpace\.\w+)$/.exec(event) ?? [];
      assert.ok(key !== undefined && sources.includes(`"${key}"`), `${id}: ${event}`);
    }
  }
});

test("what nobody could use without a server is not offered where there is none", () => {
  const needing = ["openProfile", "night.showProgress", "night.pause", "night.resume", "restoreDismissedSpeedups"];
  for (const name of needing) {
    const command = `outpace.${name}`;
    const shown = menus["commandPalette"]?.find((entry) => entry.command === command)?.when;
    const enabled = commands.find((entry) => entry.command === command)?.enablement;
    assert.match(`${shown} ${enabled}`, /outpace\.server != missing && outpace\.server != failed/, command);
  }
});

test("pictures of the README are in the repository", () => {
  const pictures = [...fs.readFileSync("README.md", "utf8").matchAll(/!\[[^\]]+\]\((\S+)\)/g)].map(([, url]) => url as string);
  assert.ok(pictures.length >= 3);
  for (const url of pictures) {
    const [, file] = /^https:\/\/raw\.githubusercontent\.com\/outpace-dev\/outpace\/main\/(.+)$/.exec(url) ?? [];
    assert.ok(file !== undefined && fs.existsSync(`../${file}`), url);
  }
});

test("the README lists every command of the palette", () => {
  const readme = fs.readFileSync("README.md", "utf8");
  for (const { command, title, category } of commands) {
    assert.ok(category === undefined || readme.includes(title as string), command);
  }
});
