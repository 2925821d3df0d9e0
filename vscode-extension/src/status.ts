import * as vscode from "vscode";

/** The parameters of `outpace/status`; see server/outpace_server/lsp/status.py. */
export interface ServerStatus {
  readonly health: "ok" | "warning" | "error";
  readonly quiescent: boolean;
  readonly message: string;
  readonly device: string | null;
  readonly queue: number;
}

const SEVERITY = {
  ok: vscode.LanguageStatusSeverity.Information,
  warning: vscode.LanguageStatusSeverity.Warning,
  error: vscode.LanguageStatusSeverity.Error,
};

/** One item among the status of Python files and CUDA sources: how the server is, and its log on a click. */
export class Status implements vscode.Disposable {
  private readonly item = vscode.languages.createLanguageStatusItem(
    "outpace",
    [
      { language: "python", scheme: "file" },
      { language: "cuda-cpp", scheme: "file" },
    ],
  );

  constructor() {
    this.item.name = "outpace";
    this.item.command = { title: "Show Log", command: "outpace.showLog" };
  }

  starting(): void {
    this.item.severity = vscode.LanguageStatusSeverity.Information;
    this.item.busy = true;
    this.item.text = "outpace: starting";
    setServer("starting");
  }

  show(status: ServerStatus, origin: string): void {
    this.item.severity = SEVERITY[status.health];
    this.item.busy = !status.quiescent;
    this.item.text = `outpace: ${status.message}`;
    this.item.detail = origin;
    setServer("running");
  }

  fail(message: string): void {
    this.item.severity = vscode.LanguageStatusSeverity.Error;
    this.item.busy = false;
    this.item.text = `outpace: ${message}`;
    setServer("failed");
  }

  dispose(): void {
    this.item.dispose();
  }
}

/** For the `when` clauses of package.json: what an empty Speedups view says. */
function setServer(state: "starting" | "running" | "failed"): void {
  void vscode.commands.executeCommand("setContext", "outpace.server", state);
}
