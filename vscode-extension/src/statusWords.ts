/** The parameters of `outpace/status`; see server/outpace_server/lsp/status.py. */
export interface ServerStatus {
  readonly health: "ok" | "warning" | "error";
  readonly quiescent: boolean;
  readonly message: string;
  /** Where the last verdict came from. */
  readonly device: string | null;
  readonly queue: number;
}

/** Documents that show the status: those that the server is told of, cells of notebooks among them. */
export const SELECTORS = [
  { language: "python", scheme: "file" },
  { language: "python", scheme: "vscode-notebook-cell" },
  { language: "cuda-cpp", scheme: "file" },
];

/** Beside the status: where verdicts come from, and which server it is. */
export function detail(status: ServerStatus, origin: string): string {
  return [status.device, origin].filter((part) => part).join(", ");
}
