import * as vscode from "vscode";
import { type Group, groups, type Item, progress, type Speedups } from "./speedupTree";

export type Node = Group | Item;

const NOTHING: Speedups = { targets: [], running: [], speedups: [] };

/** The Speedups view. What it says where it is empty stands in package.json (viewsWelcome). */
export class SpeedupsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly view: vscode.TreeView<Node>;
  private groups: Group[] = [];
  readonly onDidChangeTreeData = this.changed.event;

  constructor() {
    this.view = vscode.window.createTreeView("outpace.speedups", { treeDataProvider: this });
  }

  show(content: Speedups = NOTHING): void {
    this.groups = groups(content);
    this.changed.fire();
    const held = this.groups.length > 0 && !vscode.workspace.isTrusted;
    this.view.message = held ? "Nothing is measured until this workspace is trusted." : "";
    void vscode.commands.executeCommand("setContext", "outpace.running", content.running.length > 0);
    for (const [key, reached] of Object.entries(progress(content))) {
      void vscode.commands.executeCommand("setContext", key, reached);
    }
  }

  getChildren(node?: Node): Node[] {
    return node === undefined ? this.groups : "items" in node ? [...node.items] : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return "items" in node ? groupItem(node) : leaf(node);
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }
}

function groupItem(group: Group): vscode.TreeItem {
  const { Expanded, Collapsed } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(group.label, group.open ? Expanded : Collapsed);
  item.id = group.label; // what the user has opened stays open
  item.description = String(group.items.length);
  return item;
}

function leaf(node: Item): vscode.TreeItem {
  const item = new vscode.TreeItem(node.label);
  item.id = node.key;
  item.description = node.description;
  item.tooltip = node.words;
  item.accessibilityInformation = { label: node.words };
  item.iconPath = new vscode.ThemeIcon(node.icon);
  item.contextValue = node.kind;
  item.command = opening(node);
  return item;
}

/** What a click does: a change is seen beside the original, what was judged is explained, the rest is shown. */
function opening(node: Item): vscode.Command {
  switch (node.kind) {
    case "offered":
      return { title: "Preview the Change", command: "outpace.showDiff", arguments: [node.uri, node.id] };
    case "target":
    case "running":
      return { title: "Go to Code", command: "outpace.tree.goToCode", arguments: [node] };
    default:
      return { title: "Show Audit", command: "outpace.showAudit", arguments: [node.id] };
  }
}

export async function goToCode(node: Item): Promise<void> {
  const start = new vscode.Position(node.line, 0);
  await vscode.window.showTextDocument(vscode.Uri.parse(node.uri), { selection: new vscode.Range(start, start) });
}
