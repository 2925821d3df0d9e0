import * as vscode from "vscode";
import { Client } from "./client";
import { onInterpreterChange } from "./interpreter";
import { Status } from "./status";

/** Settings that the server is told when it starts; it asks for the others itself. */
const RESTARTING = ["outpace.server.command", "outpace.interpreter"];

let client: Client | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("outpace", { log: true });
  const status = new Status();
  const started = new Client(log, status);
  client = started;
  const restart = (): Promise<void> => started.restart();
  context.subscriptions.push(
    log,
    status,
    started,
    vscode.commands.registerCommand("outpace.restartServer", restart),
    vscode.commands.registerCommand("outpace.showLog", () => log.show()),
    vscode.commands.registerCommand("outpace.cancelMeasurements", () => started.execute("outpace.cancelAll")),
    vscode.commands.registerTextEditorCommand("outpace.measureFile", (editor) =>
      started.execute("outpace.remeasure", editor.document.uri.toString()),
    ),
    vscode.commands.registerCommand("outpace.restoreDismissedSpeedups", () =>
      started.execute("outpace.restoreDismissed"),
    ),
    vscode.commands.registerCommand("outpace.showDiff", showDiff),
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

/** The file beside itself with a change made; the server serves the right side. */
async function showDiff(uri: string, id: string): Promise<void> {
  const file = vscode.Uri.parse(uri);
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  const changed = vscode.Uri.from({ scheme: "outpace-preview", path: `/${id}/${name}` });
  await vscode.commands.executeCommand("vscode.diff", file, changed, `${name}: audited change`);
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}
