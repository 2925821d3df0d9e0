import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import {
  type ClientCapabilities,
  type FeatureState,
  LanguageClient,
  type LanguageClientOptions,
  State,
  type StaticFeature,
  TransportKind,
} from "vscode-languageclient/node";
import { selectedInterpreter } from "./interpreter";
import { findServer, type ServerCommand } from "./serverCommand";
import type { ServerStatus, Status } from "./status";

/** Tells the server that `outpace/status` is understood, and that `outpace.showDiff` and icons are there. */
class StatusFeature implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    capabilities.experimental = { ...capabilities.experimental, outpaceStatus: true, outpacePreview: true };
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

  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly status: Status,
  ) {}

  restart(): Promise<void> {
    this.turn = this.turn.then(async () => {
      await this.stopNow();
      await this.startNow();
    });
    return this.turn;
  }

  stop(): Promise<void> {
    this.turn = this.turn.then(() => this.stopNow());
    return this.turn;
  }

  async execute(command: string, ...args: unknown[]): Promise<void> {
    await this.client?.sendRequest("workspace/executeCommand", { command, arguments: args });
  }

  dispose(): void {
    void this.stop();
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.log.warn(`the server did not stop in order: ${String(error)}`);
    }
  }

  private async startNow(): Promise<void> {
    const interpreter = await selectedInterpreter();
    const server = findServer(
      {
        configured: vscode.workspace.getConfiguration("outpace").get<string[]>("server.command", []),
        interpreter,
        folders: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
        searched: (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== ""),
      },
      (file) => fs.existsSync(file),
    );
    if (server === undefined) {
      this.status.fail("not installed");
      void this.tellMissing(); // its answer may never come, and a changed setting starts the server meanwhile
      return;
    }
    this.log.info(`server: ${[server.command, ...server.args].join(" ")} (${server.origin})`);
    try {
      await this.run(server, interpreter);
    } catch (error) {
      this.status.fail("the server did not start: see the log");
      this.log.error(`the server did not start: ${String(error)}`);
    }
  }

  private async run(server: ServerCommand, interpreter: string | undefined): Promise<void> {
    const run = { command: server.command, args: server.args, transport: TransportKind.stdio };
    const client = new LanguageClient("outpace", "outpace", run, this.options(interpreter));
    client.registerFeature(new StatusFeature());
    client.onNotification("outpace/status", (status: ServerStatus) => this.status.show(status, server.origin));
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped && client === this.client) {
        this.status.fail("the server ended: see the log");
      }
    });
    this.client = client;
    await client.start();
  }

  private options(interpreter: string | undefined): LanguageClientOptions {
    const set = vscode.workspace.getConfiguration().get<Record<string, unknown>>("outpace");
    const given = interpreter === undefined ? {} : { interpreter };
    return {
      documentSelector: [{ scheme: "file", language: "python" }],
      outputChannel: this.log,
      initializationOptions: { settings: { ...set, ...given, trusted: vscode.workspace.isTrusted } },
    };
  }

  private async tellMissing(): Promise<void> {
    if (this.toldMissing) {
      return;
    }
    this.toldMissing = true;
    const settings = "Open Settings";
    const answer = await vscode.window.showWarningMessage(
      "outpace is not installed in the selected Python environment, in the workspace's .venv or on the PATH: " +
        "`pip install outpace` there, or say where it is.",
      settings,
    );
    if (answer === settings) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "outpace.server.command");
    }
  }
}
