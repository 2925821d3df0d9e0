import * as vscode from "vscode";
import { COLOURS, type Profiled, stretches } from "./heat";

const SWITCH = "outpace.profile.heat.enable";

/** Colours lines by their function's share of a step, as the newest profile has it. */
export class HeatView implements vscode.Disposable {
  private readonly colours = Array.from({ length: COLOURS }, (_, level) => decoration(level + 1));
  private readonly known = new Map<string, Profiled>();
  private readonly listening = vscode.Disposable.from(
    vscode.window.onDidChangeVisibleTextEditors(() => this.showAll()),
    vscode.workspace.onDidCloseTextDocument((document) => this.known.delete(document.uri.toString())),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(SWITCH)) {
        this.showAll();
      }
    }),
  );

  show(content: Profiled): void {
    this.known.set(vscode.Uri.parse(content.uri).toString(), content);
    this.showAll();
  }

  /** Without a server nothing holds. */
  clear(): void {
    this.known.clear();
    this.showAll();
  }

  dispose(): void {
    this.listening.dispose();
    this.colours.forEach((colour) => colour.dispose());
  }

  private showAll(): void {
    const shown = vscode.workspace.getConfiguration().get<boolean>(SWITCH, true);
    for (const editor of vscode.window.visibleTextEditors) {
      const content = this.known.get(editor.document.uri.toString());
      const found = shown && content !== undefined ? stretches(content.functions) : [];
      this.colours.forEach((colour, level) => {
        const own = found.filter((stretch) => stretch.level === level);
        editor.setDecorations(colour, own.map(({ first, last }) => new vscode.Range(first, 0, last, 0)));
      });
    }
  }
}

function decoration(level: number): vscode.TextEditorDecorationType {
  const colour = new vscode.ThemeColor(`outpace.heat${level}`);
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: colour,
    overviewRulerColor: colour,
    overviewRulerLane: vscode.OverviewRulerLane.Left,
  });
}
