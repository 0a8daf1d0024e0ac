/**
 * Adapter. A place for the tests of the agent: a directory of real files, time by hand, a destination in memory.
 */
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realSystem } from "@millrace/core/runtime";
import { Agent } from "../agent.ts";
import type { AgentConfigInput, FlowConfigInput } from "../config/schema.ts";
import type { AgentEvent } from "../events.ts";
import type { AgentWiring } from "../options.ts";
import { ManualSystem } from "./manual-system.ts";
import { MemoryDestination } from "./memory-destination.ts";

/** Options of the flow under test; the pattern is relative to the bench's directory. */
export type BenchFlow = Partial<FlowConfigInput>;

export class AgentBench implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "millrace-agent-"));
  readonly destination = new MemoryDestination();
  readonly events: AgentEvent[] = [];
  readonly #flow: BenchFlow;
  readonly #pattern: string;
  system = new ManualSystem(() => realSystem.breathe());
  #agent: Agent | undefined;
  #starts = 0;

  constructor(pattern = "*.log*", flow: BenchFlow = {}) {
    this.#pattern = pattern;
    this.#flow = flow;
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error("the agent has not been started");
    return this.#agent;
  }

  get lines(): readonly string[] {
    return this.destination.lines;
  }

  get positionsPath(): string {
    return join(this.directory, "state", "positions.db");
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string | Uint8Array): void {
    mkdirSync(join(this.path(name), ".."), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  append(name: string, text: string | Uint8Array): void {
    appendFileSync(this.path(name), text);
  }

  rename(from: string, to: string): void {
    renameSync(this.path(from), this.path(to));
  }

  copy(from: string, to: string): void {
    copyFileSync(this.path(from), this.path(to));
  }

  truncate(name: string, sizeBytes = 0): void {
    truncateSync(this.path(name), sizeBytes);
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }

  /** Starts an agent; everything in the directory is read from its start unless the flow says otherwise. */
  start(flow: BenchFlow = {}, keys: Partial<AgentConfigInput> = {}, wiring: Partial<AgentWiring> = {}): void {
    this.#starts += 1;
    this.system = new ManualSystem(() => realSystem.breathe(), this.#starts);
    this.#agent = new Agent(
      {
        config: {
          // Time stands still for tests; what the file system says by itself comes when it comes.
          watchFiles: false,
          ...keys,
          flows: [
            {
              filePattern: this.path(this.#pattern),
              kinesisStream: "lines",
              initialPosition: "START_OF_FILE",
              ...this.#flow,
              ...flow,
            },
          ],
        },
        positionsPath: this.positionsPath,
        onEvent: (event) => this.events.push(event),
      },
      { system: this.system, createDestination: () => this.destination, ...wiring },
    );
    this.#agent.start();
  }

  /** Resolves once what the files hold now is stored and saved. */
  catchUp(): Promise<void> {
    return this.agent.catchUp();
  }

  /** Lets `ms` pass in steps, as a running agent would see it, and catches up after each. */
  async settle(ms = 30_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5_000) await this.pass(5_000);
  }

  /** Lets `ms` pass, and catches up before and after. */
  async pass(ms: number): Promise<void> {
    await this.catchUp();
    this.system.advance(ms);
    await this.catchUp();
  }

  async stop(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.close();
  }

  async restart(flow: BenchFlow = {}): Promise<void> {
    await this.stop();
    this.start(flow);
  }

  /** Sum of what was reported as possibly lost. */
  get lostBytes(): number {
    return this.events.reduce((sum, event) => sum + (event.type === "bytes-possibly-lost" ? event.bytes : 0), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const open: AgentBench[] = [];

/** A bench that `closeBenches` puts away. */
export function createBench(pattern?: string, flow?: BenchFlow): AgentBench {
  const bench = new AgentBench(pattern, flow);
  open.push(bench);
  return bench;
}

/** For `afterEach`. */
export async function closeBenches(): Promise<void> {
  for (const bench of open.splice(0)) await bench[Symbol.asyncDispose]();
}

/** Lines `name 1` to `name count`, each with its newline. */
export function numbered(name: string, from: number, to: number): string[] {
  const lines: string[] = [];
  for (let index = from; index <= to; index++) lines.push(`${name} ${index}\n`);
  return lines;
}
