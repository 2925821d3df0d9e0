import * as vscode from "vscode";

const SCHEME = "outpace-preview";

/** A change beside the file that it is for, and made from there. The server serves the changed side. */
export class Previews {
  private readonly files = new Map<string, string>();

  async show(uri: string, id: string): Promise<void> {
    this.files.set(id, uri);
    const file = vscode.Uri.parse(uri);
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    const changed = vscode.Uri.from({ scheme: SCHEME, path: `/${id}/${name}` });
    await vscode.commands.executeCommand("vscode.diff", file, changed, `${name}: audited change`);
  }

  /** File and verdict of a preview's address, as the editor's title passes it. */
  previewed(preview: vscode.Uri | undefined): { uri: string; id: string } | undefined {
    const id = preview?.scheme === SCHEME ? preview.path.split("/")[1] : undefined;
    const uri = id === undefined ? undefined : this.files.get(id);
    return id === undefined || uri === undefined ? undefined : { uri, id };
  }
}
