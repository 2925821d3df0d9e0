import * as vscode from "vscode";

/** The part of the Python extension's interface that is used here; the extension may be missing. */
interface PythonExtension {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonExtension(): Promise<PythonExtension | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  if (extension === undefined) {
    return undefined;
  }
  try {
    return await extension.activate();
  } catch {
    return undefined; // it reports its own trouble
  }
}

/** The setting, else what the Python extension has selected for the first folder. */
export async function selectedInterpreter(): Promise<string | undefined> {
  const configured = vscode.workspace.getConfiguration("outpace").get<string>("interpreter");
  if (configured) {
    return configured;
  }
  const python = await pythonExtension();
  const selected = python?.environments.getActiveEnvironmentPath(vscode.workspace.workspaceFolders?.[0]?.uri).path;
  return selected?.includes("/") ? selected : undefined; // a bare "python" is none
}

export async function onInterpreterChange(changed: () => void): Promise<vscode.Disposable | undefined> {
  return (await pythonExtension())?.environments.onDidChangeActiveEnvironmentPath(changed);
}

/** Where an interpreter is chosen: the setting, if it decides, or nobody else can; else the Python extension's list. */
export async function selectInterpreter(): Promise<void> {
  const configured = vscode.workspace.getConfiguration("outpace").get<string>("interpreter");
  if (!configured && (await pythonExtension()) !== undefined) {
    await vscode.commands.executeCommand("python.setInterpreter");
  } else {
    await vscode.commands.executeCommand("workbench.action.openSettings", "outpace.interpreter");
  }
}
