import * as vscode from "vscode";
import { UNTRUSTED } from "./advice";
import type { Client } from "./client";
import { selectedInterpreter } from "./interpreter";
import { show } from "./messages";
import { profileLine, runLine } from "./profileCommand";

/** Asks what is to be run, and runs it in the terminal under `outpace profile`: it can be seen there, and stopped. */
export async function profileScript(client: Client): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    return show(UNTRUSTED);
  }
  const server = (await client.isListening()) ? client.server : undefined;
  if (server === undefined) {
    return; // it was said why
  }
  const document = vscode.window.activeTextEditor?.document;
  const script = document?.languageId === "python" && document.uri.scheme === "file" ? document.uri : undefined;
  const folder = (script && vscode.workspace.getWorkspaceFolder(script)) ?? vscode.workspace.workspaceFolders?.[0];
  const name = script && (folder ? vscode.workspace.asRelativePath(script, false) : script.fsPath);
  const command = await vscode.window.showInputBox({
    title: "outpace: Profile",
    prompt:
      "What you type to run your script. It runs in the terminal, in no sandbox; after a few recorded steps it is ended.",
    value: runLine(await selectedInterpreter(), name),
    ignoreFocusOut: true,
  });
  const line = command === undefined ? undefined : profileLine(server, command);
  if (line !== undefined) {
    await vscode.tasks.executeTask(task(line, folder, server.env));
  } else if (command !== undefined) {
    void vscode.window.showWarningMessage("Run it in a terminal: outpace profile -- python train.py");
  }
}

function task(
  line: string,
  folder: vscode.WorkspaceFolder | undefined,
  env: Readonly<Record<string, string>>,
): vscode.Task {
  const cwd = folder === undefined ? {} : { cwd: folder.uri.fsPath };
  const execution = new vscode.ShellExecution(line, { env: { ...env }, ...cwd });
  const made = new vscode.Task({ type: "shell" }, folder ?? vscode.TaskScope.Workspace, "profile", "outpace", execution);
  made.presentationOptions = { reveal: vscode.TaskRevealKind.Always, focus: false, clear: true };
  return made;
}
