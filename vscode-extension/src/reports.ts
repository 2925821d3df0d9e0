import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import { type Report, reportPage, tabTitle } from "./reportPage";

const SCHEME = "outpace-report";

/** Audits and profiles as pages of the editor: one tab for each. */
export class Reports implements vscode.Disposable {
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  /** Shows the page behind an address of the server's virtual documents; false for any other address. */
  async open(address: string, ask: (id: string) => Promise<Report | null>): Promise<boolean> {
    const uri = vscode.Uri.parse(address);
    if (uri.scheme !== SCHEME) {
      return false;
    }
    const id = uri.path.slice(1).replace(/\.md$/, "");
    const report = await ask(id);
    if (report === null) {
      return false;
    }
    const panel = this.panels.get(id) ?? this.opened(id);
    panel.title = tabTitle(id, report.title);
    panel.webview.html = reportPage(report, randomUUID());
    panel.reveal();
    return true;
  }

  dispose(): void {
    for (const panel of [...this.panels.values()]) {
      panel.dispose();
    }
  }

  private opened(id: string): vscode.WebviewPanel {
    const options = { enableScripts: false, localResourceRoots: [], enableFindWidget: true };
    const panel = vscode.window.createWebviewPanel("outpace.report", "Audit", vscode.ViewColumn.Active, options);
    panel.onDidDispose(() => this.panels.delete(id));
    this.panels.set(id, panel);
    return panel;
  }
}
