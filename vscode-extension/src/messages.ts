import * as vscode from "vscode";
import type { Advice } from "./advice";

/** Shows what is wrong, and does what the user chooses. */
export async function show({ message, buttons }: Advice): Promise<void> {
  const chosen = await vscode.window.showWarningMessage(message, ...buttons.map((button) => button.title));
  const button = buttons.find((one) => one.title === chosen);
  if (button !== undefined) {
    await vscode.commands.executeCommand(button.command);
  }
}
