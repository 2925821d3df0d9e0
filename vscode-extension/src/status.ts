import * as vscode from "vscode";
import type { Standing } from "./advice";
import { detail, SELECTORS, type ServerStatus } from "./statusWords";

const SEVERITY = {
  ok: vscode.LanguageStatusSeverity.Information,
  warning: vscode.LanguageStatusSeverity.Warning,
  error: vscode.LanguageStatusSeverity.Error,
};

/** One item among the status of Python files, cells and CUDA sources: how the server is, and its log on a click. */
export class Status implements vscode.Disposable {
  private readonly item = vscode.languages.createLanguageStatusItem("outpace", SELECTORS);
  /** What the server that runs has said last. */
  said: ServerStatus | undefined;

  constructor() {
    this.item.name = "outpace";
    this.item.command = { title: "Show Log", command: "outpace.showLog" };
  }

  starting(): void {
    this.item.severity = vscode.LanguageStatusSeverity.Information;
    this.item.busy = true;
    this.item.text = "outpace: starting";
    this.forget();
    setServer("starting");
  }

  show(status: ServerStatus, origin: string): void {
    this.item.severity = SEVERITY[status.health];
    this.item.busy = !status.quiescent;
    this.item.text = `outpace: ${status.message}`;
    this.item.detail = detail(status, origin);
    this.said = status;
    setServer("running");
  }

  fail(message: string, standing: "missing" | "failed" = "failed"): void {
    this.item.severity = vscode.LanguageStatusSeverity.Error;
    this.item.busy = false;
    this.item.text = `outpace: ${message}`;
    this.forget();
    setServer(standing);
  }

  dispose(): void {
    this.item.dispose();
  }

  private forget(): void {
    this.said = undefined;
    this.item.detail = "";
  }
}

/** For the `when` clauses of package.json: what an empty Speedups view says. */
function setServer(state: Standing | "running"): void {
  void vscode.commands.executeCommand("setContext", "outpace.server", state);
}
