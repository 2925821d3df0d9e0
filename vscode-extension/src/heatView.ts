import * as vscode from "vscode";
import { COLOURS, type Profiled, stretches } from "./heat";

const SWITCH = "outpace.profile.heat.enable";

/** Colours lines by their function's share of a step, as the newest profile has it. */
export class HeatView implements vscode.Disposable {
  private readonly colours = Array.from({ length: COLOURS }, (_, level) => decoration(level + 1));
  private readonly known = new Map<string, Profiled>();
  private readonly listening = vscode.Disposable.from(
    vscode.window.onDidChangeVisibleTextEditors(() => this.showAll()),
    vscode.window.tabGroups.onDidChangeTabs(() => this.showAll()),
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
    const compared = filesCompared();
    for (const editor of vscode.window.visibleTextEditors) {
      const uri = editor.document.uri.toString();
      const content = compared.has(uri) ? undefined : this.known.get(uri);
      const found = shown && content !== undefined ? stretches(content.functions) : [];
      this.colours.forEach((colour, level) => {
        const own = found.filter((stretch) => stretch.level === level);
        editor.setDecorations(colour, own.map(({ first, last }) => new vscode.Range(first, 0, last, 0)));
      });
    }
  }
}

/** Of the comparisons on the screen: what is taken away there has a colour of its own. */
function filesCompared(): Set<string> {
  const shown = vscode.window.tabGroups.all.map((group) => group.activeTab?.input);
  return new Set(shown.flatMap((tab) => (tab instanceof vscode.TabInputTextDiff ? [tab.original.toString()] : [])));
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
