import * as os from "node:os";
import * as vscode from "vscode";
import { Client } from "./client";
import { debugInformation } from "./debugInformation";
import { HeatView } from "./heatView";
import { onInterpreterChange, selectedInterpreter, selectInterpreter } from "./interpreter";
import { Previews } from "./preview";
import { profileScript } from "./profiling";
import { Reports } from "./reports";
import { goToCode, SpeedupsView } from "./speedupsView";
import type { Item } from "./speedupTree";
import { Status } from "./status";

/** Settings that the server is told when it starts; it asks for the others itself. */
const RESTARTING = ["outpace.server.command", "outpace.interpreter"];

let client: Client | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("outpace", { log: true });
  const status = new Status();
  const view = new SpeedupsView();
  const reports = new Reports();
  const previews = new Previews();
  const heat = new HeatView();
  const started = new Client(context.extensionPath, log, status, view, reports, heat);
  client = started;
  const restart = (): Promise<void> => started.restart();
  const onItem = (name: string, act: (item: Item) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(`outpace.tree.${name}`, act);
  context.subscriptions.push(
    log,
    status,
    view,
    reports,
    heat,
    started,
    vscode.commands.registerCommand("outpace.restartServer", restart),
    vscode.commands.registerCommand("outpace.showLog", () => log.show()),
    vscode.commands.registerCommand("outpace.cancelMeasurements", () => started.execute("outpace.cancelAll")),
    vscode.commands.registerCommand("outpace.selectInterpreter", selectInterpreter),
    vscode.commands.registerCommand("outpace.copyDebugInformation", () => copyDebugInformation(context, started, status)),
    vscode.commands.registerCommand("outpace.measureFile", () => measureFile(started)),
    vscode.commands.registerCommand("outpace.restoreDismissedSpeedups", () =>
      started.execute("outpace.restoreDismissed"),
    ),
    vscode.commands.registerCommand("outpace.profileScript", () => profileScript(started)),
    vscode.commands.registerCommand("outpace.openProfile", () => {
      const uri = vscode.window.activeTextEditor?.document.uri.toString();
      return started.execute("outpace.showProfile", ...(uri === undefined ? [] : [uri]));
    }),
    ...[
      ["outpace.night.showProgress", "outpace.showProgress"],
      ["outpace.night.pause", "outpace.pause"],
      ["outpace.night.resume", "outpace.resume"],
    ].map(([here, there]) =>
      vscode.commands.registerCommand(here as string, () => {
        const uri = vscode.window.activeTextEditor?.document.uri.toString();
        return started.execute(there as string, ...(uri === undefined ? [] : [uri]));
      }),
    ),
    vscode.commands.registerCommand("outpace.openWalkthrough", () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`),
    ),
    vscode.commands.registerCommand("outpace.showDiff", (uri: string, id: string) => previews.show(uri, id)),
    vscode.commands.registerCommand("outpace.applyPreviewed", (preview?: vscode.Uri) =>
      applyPreviewed(started, previews, preview),
    ),
    onItem("goToCode", goToCode),
    onItem("preview", (item) => previews.show(item.uri, item.id)),
    onItem("showAudit", (item) => started.execute("outpace.showAudit", item.id)),
    onItem("dismiss", (item) => started.execute("outpace.dismiss", item.uri, item.id)),
    onItem("revert", (item) => started.execute("outpace.revert", item.uri, item.id)),
    onItem("cancel", (item) => started.execute("outpace.cancel", item.uri)),
    onItem("measure", async (item) => {
      await goToCode(item); // what is known of a file is kept while it is open
      await started.execute("outpace.remeasure", item.uri);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (RESTARTING.some((setting) => change.affectsConfiguration(setting))) {
        void restart();
      }
    }),
  );
  void restart(); // commands work while the server starts, and also where it does not
  const listening = await onInterpreterChange(() => void restart());
  if (listening !== undefined) {
    context.subscriptions.push(listening);
  }
}

async function measureFile(client: Client): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId === "python") {
    await client.execute("outpace.remeasure", document.uri.toString());
  } else {
    void vscode.window.showInformationMessage("Open the Python file that is to be measured, then run this again.");
  }
}

async function copyDebugInformation(context: vscode.ExtensionContext, client: Client, status: Status): Promise<void> {
  const facts = {
    extension: `${context.extension.id} ${context.extension.packageJSON.version}`,
    editor: `${vscode.env.appName} ${vscode.version}`,
    remote: vscode.env.remoteName,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    trusted: vscode.workspace.isTrusted,
    interpreter: await selectedInterpreter(),
    server: client.server,
    running: client.running,
    status: status.said,
  };
  await vscode.env.clipboard.writeText(debugInformation(facts));
  void vscode.window.showInformationMessage("Copied: versions, interpreter, server, device and status. Paste it into your report.");
}

/** From the button of a preview: the change is made, and the file shown with it. */
async function applyPreviewed(client: Client, previews: Previews, preview: vscode.Uri | undefined): Promise<void> {
  const change = previews.previewed(preview);
  if (change !== undefined) {
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
    await vscode.window.showTextDocument(vscode.Uri.parse(change.uri));
    await client.apply(change.uri, change.id);
  }
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}
