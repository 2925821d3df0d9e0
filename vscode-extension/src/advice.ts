/** How it is with the server while none listens. */
export type Standing = "starting" | "missing" | "failed";

export interface Button {
  readonly title: string;
  readonly command: string;
}

export interface Advice {
  readonly message: string;
  readonly buttons: readonly Button[];
}

const LOG = { title: "Show Log", command: "outpace.showLog" };
const RESTART = { title: "Restart Server", command: "outpace.restartServer" };
const INTERPRETER = { title: "Select Interpreter", command: "outpace.selectInterpreter" };
const TRUST = { title: "Manage Workspace Trust", command: "workbench.trust.manage" };

/** What is said, and offered, where something is asked for that takes a server. */
export function advice(standing: Standing, trusted: boolean): Advice {
  switch (standing) {
    case "starting":
      return { message: "outpace is still starting. Try again in a moment; the log says how far it is.", buttons: [LOG] };
    case "missing":
      return missing(trusted);
    case "failed":
      return { message: "outpace is not running: its server ended, or did not start. The log says why.", buttons: [LOG, RESTART] };
  }
}

function missing(trusted: boolean): Advice {
  if (trusted) {
    const places = "in the selected environment, in the workspace's .venv or on the PATH";
    return { message: `outpace needs Python 3.11 or newer, ${places}. Select an interpreter.`, buttons: [INTERPRETER, LOG] };
  }
  const held = "a Python that lies in a workspace without your trust is not started, and no other one that is 3.11 or newer was found";
  return { message: `outpace is not running: ${held}.`, buttons: [TRUST, INTERPRETER] };
}

export const UNTRUSTED: Advice = {
  message: "This workspace is not trusted: outpace runs nothing of it.",
  buttons: [TRUST],
};

/** Makes an edit of a file; false, and said to the user, where the editor refuses it. */
export async function isMade(
  file: string,
  make: () => PromiseLike<boolean>,
  tell: (message: string) => unknown,
): Promise<boolean> {
  const made = await make();
  if (!made) {
    tell(`${file} was not changed: the editor refused the edit. Save the file or undo what is unsaved, then apply it again.`);
  }
  return made;
}
