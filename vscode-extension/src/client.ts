import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import * as vscode from "vscode";
import {
  type CancellationToken,
  type ClientCapabilities,
  type CodeAction,
  CodeActionResolveRequest,
  DidSaveTextDocumentNotification,
  type FeatureState,
  LanguageClient,
  type LanguageClientOptions,
  type ShowDocumentParams,
  type ShowDocumentRequest,
  type ShowDocumentResult,
  State,
  type StaticFeature,
  TransportKind,
} from "vscode-languageclient/node";
import { advice, isMade, type Standing } from "./advice";
import type { Profiled } from "./heat";
import type { HeatView } from "./heatView";
import { selectedInterpreter } from "./interpreter";
import { show } from "./messages";
import { fileName } from "./places";
import type { Report } from "./reportPage";
import type { Reports } from "./reports";
import { findServer, type ServerCommand } from "./serverCommand";
import type { Speedups } from "./speedupTree";
import type { SpeedupsView } from "./speedupsView";
import type { Status } from "./status";
import type { ServerStatus } from "./statusWords";

/** A start takes a second or two; who waits longer is told. */
const PATIENCE_MS = 10_000;

/** Tells the server which of its own messages are understood, and that `outpace.showDiff` and icons are there. */
class OwnMessages implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const understood = { outpaceStatus: true, outpaceSpeedups: true, outpacePreview: true, outpaceProfile: true };
    capabilities.experimental = { ...capabilities.experimental, ...understood };
  }
  initialize(): void {}
  getState(): FeatureState {
    return { kind: "static" };
  }
  clear(): void {}
}

/** The one language client, started and stopped one after the other, however fast the reasons follow. */
export class Client implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private turn: Promise<void> = Promise.resolve();
  private toldMissing = false;
  private standing: Standing = "starting";
  private found: ServerCommand | undefined;
  /** Saved while no server listened: the next one is told. */
  private readonly missed = new Set<vscode.TextDocument>();
  private readonly saving = vscode.workspace.onDidSaveTextDocument((document) => {
    if (!this.client?.isRunning()) {
      this.missed.add(document);
    }
  });

  constructor(
    private readonly extensionPath: string,
    private readonly log: vscode.LogOutputChannel,
    private readonly status: Status,
    private readonly view: SpeedupsView,
    private readonly reports: Reports,
    private readonly heat: HeatView,
  ) {}

  /** How it was started; undefined where none was found. */
  get server(): ServerCommand | undefined {
    return this.found;
  }

  /** Name and version of the server that runs. */
  get running(): string | undefined {
    const about = this.client?.isRunning() ? this.client.initializeResult?.serverInfo : undefined;
    return about && `${about.name} ${about.version ?? ""}`.trim();
  }

  restart(): Promise<void> {
    return this.inTurn(async () => {
      await this.stopNow();
      await this.startNow();
    });
  }

  stop(): Promise<void> {
    return this.inTurn(() => this.stopNow());
  }

  async execute(command: string, ...args: unknown[]): Promise<void> {
    const client = await this.listening();
    await client?.sendRequest("workspace/executeCommand", { command, arguments: args });
  }

  /** Whether a server listens: one that is starting is waited for, and why there is none is said. */
  async isListening(): Promise<boolean> {
    return (await this.listening()) !== undefined;
  }

  /** Makes an offered change, if the code is still what was measured; else the server says why not. */
  async apply(uri: string, id: string): Promise<void> {
    const client = await this.listening();
    if (client === undefined) {
      return;
    }
    const asked: CodeAction = { title: "Apply", data: { uri, id } };
    const action = await client.sendRequest(CodeActionResolveRequest.type, asked);
    const edit = await client.protocol2CodeConverter.asWorkspaceEdit(action.edit);
    const make = (): Thenable<boolean> => vscode.workspace.applyEdit(edit ?? new vscode.WorkspaceEdit());
    const tell = (message: string): unknown => vscode.window.showWarningMessage(message);
    if (edit !== undefined && !(await isMade(fileName(uri), make, tell))) {
      return;
    }
    reveal(vscode.Uri.parse(uri), edit);
    if (action.command !== undefined) {
      await this.execute(action.command.command, ...(action.command.arguments ?? []));
    }
  }

  dispose(): void {
    this.saving.dispose();
    void this.stop();
  }

  /** What a step throws (another extension's interpreter, say) is said, and holds up none that follows. */
  private inTurn(step: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(step).catch((error: unknown) => {
      this.log.error(error instanceof Error ? error : String(error));
      this.fail(`the server did not start: ${error instanceof Error ? error.message : String(error)}`);
    });
    return this.turn;
  }

  private async listening(): Promise<LanguageClient | undefined> {
    const stillStarting = new AbortController();
    await Promise.race([this.turn, after(PATIENCE_MS, undefined, { signal: stillStarting.signal, ref: false }).catch(() => {})]);
    stillStarting.abort();
    if (this.client?.isRunning()) {
      return this.client;
    }
    void show(advice(this.standing, vscode.workspace.isTrusted));
    return undefined;
  }

  private fail(message: string, standing: "missing" | "failed" = "failed"): void {
    this.standing = standing;
    this.status.fail(message, standing);
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.view.show();
    this.heat.clear();
    try {
      await client?.dispose();
    } catch (error) {
      this.log.warn(`the server did not stop in order: ${String(error)}`);
    }
  }

  private async startNow(): Promise<void> {
    this.standing = "starting";
    this.status.starting();
    const interpreter = await selectedInterpreter();
    void vscode.commands.executeCommand("setContext", "outpace.interpreterKnown", interpreter !== undefined);
    const server = await findServer(
      {
        configured: vscode.workspace.getConfiguration("outpace").get<string[]>("server.command", []),
        interpreter,
        folders: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
        trusted: vscode.workspace.isTrusted,
        searched: (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== ""),
        bundled: path.join(this.extensionPath, "bundled", "libs"),
      },
      { exists: (file) => fs.existsSync(file), suits: isNewEnough },
    );
    this.found = server;
    if (server === undefined) {
      this.fail("no Python 3.11 or newer was found", "missing");
      this.tellMissing();
      return;
    }
    this.log.info(`server: ${[server.command, ...server.args].join(" ")} (${server.origin})`);
    try {
      await this.run(server, interpreter);
    } catch (error) {
      this.fail("the server did not start: see the log");
      this.log.error(`the server did not start: ${String(error)}`);
    }
  }

  private async run(server: ServerCommand, interpreter: string | undefined): Promise<void> {
    const { command, args, env } = server;
    const run = { command, args, transport: TransportKind.stdio, options: { env: { ...process.env, ...env } } };
    const client = new LanguageClient("outpace", "outpace", run, this.options(interpreter));
    client.registerFeature(new OwnMessages());
    client.onNotification("outpace/speedups", (content: Speedups) => this.view.show(content));
    client.onNotification("outpace/profile", (content: Profiled) => this.heat.show(content));
    client.onNotification("outpace/status", (status: ServerStatus) => this.status.show(status, server.origin));
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped && client === this.client) {
        this.view.show();
        this.heat.clear();
        this.fail("the server ended: see the log");
      }
    });
    this.client = client;
    await client.start();
    await this.tellMissed(client);
  }

  private async tellMissed(client: LanguageClient): Promise<void> {
    const saved = [...this.missed].filter((document) => !document.isClosed);
    this.missed.clear();
    const feature = client.getFeature(DidSaveTextDocumentNotification.method);
    for (const document of saved) {
      await feature.getProvider(document)?.send(document);
    }
  }

  private options(interpreter: string | undefined): LanguageClientOptions {
    const set = vscode.workspace.getConfiguration().get<Record<string, unknown>>("outpace");
    const given = interpreter === undefined ? {} : { interpreter };
    return {
      documentSelector: [
        { scheme: "file", language: "python" },
        { scheme: "file", language: "cuda-cpp" },
        { notebook: { scheme: "file", notebookType: "jupyter-notebook" }, language: "python" },
      ],
      outputChannel: this.log,
      middleware: { window: { showDocument: (params, token, next) => this.showDocument(params, token, next) } },
      initializationOptions: { settings: { ...set, ...given, trusted: vscode.workspace.isTrusted } },
    };
  }

  /** Audits as pages with plots; whatever cannot be had as one is shown as the text that it is. */
  private async showDocument(
    params: ShowDocumentParams,
    token: CancellationToken,
    next: ShowDocumentRequest.HandlerSignature,
  ): Promise<ShowDocumentResult> {
    const ask = (id: string): Promise<Report | null> =>
      this.client?.sendRequest<Report | null>("outpace/report", { id }) ?? Promise.resolve(null);
    try {
      if (await this.reports.open(params.uri, ask)) {
        return { success: true };
      }
    } catch (error) {
      this.log.warn(`no page for ${params.uri}: ${String(error)}`);
    }
    const shown = await next(params, token);
    return "success" in shown ? shown : { success: false };
  }

  /** Once: nobody has asked for anything yet. */
  private tellMissing(): void {
    if (!this.toldMissing) {
      this.toldMissing = true;
      void show(advice("missing", vscode.workspace.isTrusted)); // its answer may never come
    }
  }
}

/** The place that an edit has changed, where the file is shown. */
function reveal(uri: vscode.Uri, edit: vscode.WorkspaceEdit | undefined): void {
  const editor = vscode.window.visibleTextEditors.find((one) => one.document.uri.toString() === uri.toString());
  const changed = edit?.get(uri)[0];
  if (changed !== undefined) {
    editor?.revealRange(changed.range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }
}

const ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))";
const PROBE_MS = 10_000; // on a network's disk

/** Isolated: neither the workspace nor the environment has a say in what runs. */
function isNewEnough(python: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(python, ["-I", "-S", "-c", ENOUGH], { timeout: PROBE_MS }, (error) => resolve(error === null));
  });
}
