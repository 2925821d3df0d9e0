import * as path from "node:path";

/** Where an `outpace` could be, in the order in which they are tried. */
export interface Places {
  /** The setting `outpace.server.command`. */
  readonly configured: readonly string[];
  /** The Python interpreter that is selected for the workspace, if any is. */
  readonly interpreter: string | undefined;
  readonly folders: readonly string[];
  /** The folders of the PATH. */
  readonly searched: readonly string[];
}

export interface ServerCommand {
  readonly command: string;
  readonly args: string[];
  /** For the user: why this one. */
  readonly origin: string;
}

/** How the server is started, or undefined where no outpace is installed. */
export function findServer(places: Places, exists: (file: string) => boolean): ServerCommand | undefined {
  const [configured, ...args] = places.configured;
  if (configured !== undefined) {
    return { command: configured, args, origin: "setting outpace.server.command" };
  }
  const installed = [
    ...(places.interpreter ? [[path.dirname(places.interpreter), "selected interpreter"] as const] : []),
    ...places.folders.map((folder) => [path.join(folder, ".venv", "bin"), ".venv of the workspace"] as const),
    ...places.searched.map((folder) => [folder, "PATH"] as const),
  ];
  for (const [folder, origin] of installed) {
    const command = path.join(folder, "outpace");
    if (exists(command)) {
      return { command, args: ["lsp", "--stdio"], origin };
    }
  }
  return undefined;
}
