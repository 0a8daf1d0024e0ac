/**
 * Driver. The workers of the consumer torture as processes: started, stopped in three ways, and listened to.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { WorkerOptions, WorkerReport } from "./consumer-worker.ts";
import type { Journal } from "./consumer-journal.ts";

const script = fileURLToPath(new URL("consumer-worker.ts", import.meta.url));

/** A process that reads. */
export class WorkerProcess {
  readonly workerId: string;
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(options: WorkerOptions, journal: Journal) {
    this.workerId = options.workerId;
    this.#process = spawn(process.execPath, [script, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    // Not "exit": what a killed worker wrote last may still be in the pipe then.
    this.#closed = once(this.#process, "close");
    if (this.#process.stdout === null) throw new Error("a worker's output is no pipe");
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      // A kill in the middle of a write leaves a part of a line.
      if (!line.endsWith("}")) return;
      journal.add({ ...(JSON.parse(line) as WorkerReport), workerId: options.workerId });
    });
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** SIGKILL: resolves once everything that it told has come. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#closed;
  }

  /** SIGTERM, on which it closes its consumer. Gives its exit code. */
  async close(): Promise<number | null> {
    this.#process.kill("SIGTERM");
    await this.#closed;
    return this.#process.exitCode;
  }

  /** SIGSTOP: it stands still in the middle of whatever it does, its sockets open. */
  standStill(): void {
    this.#process.kill("SIGSTOP");
  }

  /** SIGCONT. */
  goOn(): void {
    this.#process.kill("SIGCONT");
  }
}
