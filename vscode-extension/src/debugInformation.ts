import type { ServerCommand } from "./serverCommand";
import type { ServerStatus } from "./statusWords";

/** What a report of a bug should say, as far as the extension knows it. */
export interface Facts {
  readonly extension: string;
  readonly editor: string;
  /** Kind of remote window; undefined in a local one. */
  readonly remote: string | undefined;
  readonly system: string;
  readonly trusted: boolean;
  readonly interpreter: string | undefined;
  readonly server: ServerCommand | undefined;
  /** Name and version, as the running server gave them. */
  readonly running: string | undefined;
  readonly status: ServerStatus | undefined;
}

/** One fact a line; environment variables and settings stay out, which may hold secrets. */
export function debugInformation(facts: Facts): string {
  const { server, status } = facts;
  const lines = {
    extension: facts.extension,
    editor: facts.remote === undefined ? facts.editor : `${facts.editor}, remote: ${facts.remote}`,
    system: facts.system,
    workspace: facts.trusted ? "trusted" : "not trusted",
    interpreter: facts.interpreter ?? "none selected",
    server: server === undefined ? "none found" : `${[server.command, ...server.args].join(" ")} (${server.origin})`,
    running: facts.running ?? "no",
    device: status?.device ?? "no verdict yet",
    status: status === undefined ? "none" : `${status.health}, ${status.message}, ${status.queue} in the queue`,
  };
  return Object.entries(lines).map(([name, text]) => `${name}: ${text}\n`).join("");
}
