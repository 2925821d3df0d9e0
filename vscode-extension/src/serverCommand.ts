import * as path from "node:path";

/** Where an `outpace` could be, in the order in which they are tried. */
export interface Places {
  /** The setting `outpace.server.command`. */
  readonly configured: readonly string[];
  /** The Python interpreter that is selected for the workspace, if any is. */
  readonly interpreter: string | undefined;
  readonly folders: readonly string[];
  /** Whether programs that lie in the folders may be run. */
  readonly trusted: boolean;
  /** The folders of the PATH. */
  readonly searched: readonly string[];
  /** What the extension brings along: a folder for Python's path. */
  readonly bundled: string;
}

/** What there is on this machine. */
export interface Machine {
  exists(file: string): boolean;
  /** Whether a Python is new enough for outpace. */
  suits(python: string): Promise<boolean>;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: string[];
  /** Beyond the environment of the editor. */
  readonly env: Readonly<Record<string, string>>;
  /** For the user: why this one. */
  readonly origin: string;
}

/** How the server is started, or undefined where there is no outpace, and no Python for the bundled one. */
export async function findServer(places: Places, machine: Machine): Promise<ServerCommand | undefined> {
  const [configured, ...args] = places.configured;
  if (configured !== undefined) {
    return { command: configured, args, env: {}, origin: "setting outpace.server.command" };
  }
  const environments = binFolders(places);
  for (const [folder, origin] of environments) {
    const command = path.join(folder, "outpace");
    if (machine.exists(command)) {
      return { command, args: ["lsp", "--stdio"], env: {}, origin };
    }
  }
  const selected = environments.some(([, origin]) => origin === SELECTED) ? places.interpreter : undefined;
  const pythons = environments.map(([folder]) => path.join(folder, folder.endsWith(VENV) ? "python" : "python3"));
  for (const python of selected === undefined ? pythons : [selected, ...pythons]) {
    if (machine.exists(python) && machine.exists(places.bundled) && (await machine.suits(python))) {
      return bundledServer(python, places.bundled);
    }
  }
  return undefined;
}

const SELECTED = "selected interpreter";
const VENV = path.join(".venv", "bin");

function binFolders(places: Places): (readonly [folder: string, origin: string])[] {
  const all = [
    ...(places.interpreter ? [[path.dirname(places.interpreter), SELECTED] as const] : []),
    ...places.folders.map((folder) => [path.join(folder, VENV), ".venv of the workspace"] as const),
    ...places.searched.map((folder) => [folder, "PATH"] as const),
  ];
  return places.trusted ? all : all.filter(([bin]) => !places.folders.some((folder) => isWithin(bin, folder)));
}

function isWithin(file: string, folder: string): boolean {
  const way = path.relative(folder, file);
  return !way.startsWith("..") && !path.isAbsolute(way);
}

/** -P: nothing is imported from the folder in which it starts, which is the workspace. OUTPACE_BUNDLED: this entry of
 * Python's path is not passed on to a script that is profiled. */
function bundledServer(python: string, libs: string): ServerCommand {
  const args = ["-P", "-m", "outpace_server.cli", "lsp", "--stdio"];
  return { command: python, args, env: { PYTHONPATH: libs, OUTPACE_BUNDLED: libs }, origin: `bundled, run by ${python}` };
}
