import type { ServerCommand } from "./serverCommand";

/** A line for the terminal: `outpace profile -- COMMAND`, by the outpace that is the server. */
export function profileLine(server: ServerCommand, command: string): string | undefined {
  const end = server.args.indexOf("lsp");
  if (end < 0 || command.trim() === "") {
    return undefined; // a server of the user's own kind, that nobody knows how to start for anything else
  }
  const words = [server.command, ...server.args.slice(0, end), "profile", "--"];
  return `${words.map(quoted).join(" ")} ${command.trim()}`;
}

/** What is typed to run a script, as the first thing to ask about. */
export function runLine(python: string | undefined, script: string | undefined): string {
  return `${quoted(python ?? "python")} ${quoted(script ?? "train.py")}`;
}

/** For a POSIX shell: outpace measures on Linux. */
function quoted(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
