/** Adapter. A program that goes on for as long as a lane needs it, takes lines and prints lines. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface LineProcessOptions {
  readonly onLine: (line: string) => void;
  readonly cwd?: string | undefined;
}

/** A running program of ours. What it wrote last to its error output is kept for the report of a failure. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #errors = "";
  #isClosed = false;

  constructor(program: string, args: readonly string[], { onLine, cwd }: LineProcessOptions) {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], ...(cwd === undefined ? {} : { cwd }) });
    this.#child = child;
    // Not "exit": what a killed program wrote last may still be in the pipe then.
    this.#closed = this.#watch(child);
    createInterface({ input: child.stdout }).on("line", onLine);
    child.stderr.on("data", (chunk: Buffer) => {
      this.#errors = `${this.#errors}${chunk.toString()}`.slice(-8_000);
    });
    // A program that ended early is reported by how it ended, not by the pipe it left behind.
    child.stdin.on("error", () => undefined);
  }

  async #watch(child: ChildProcess): Promise<void> {
    try {
      await once(child, "close");
    } catch (error) {
      // It could not be started.
      this.#errors += String(error);
    }
    this.#isClosed = true;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The end of its error output. */
  get errors(): string {
    return this.#errors;
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Resolves when it has ended and everything it wrote was read. */
  closed(): Promise<void> {
    return this.#closed;
  }

  /** Stops it in its tracks, or lets it go on as if nothing had been. */
  setPaused(isPaused: boolean): void {
    this.#child.kill(isPaused ? "SIGSTOP" : "SIGCONT");
  }

  async kill(): Promise<void> {
    if (!this.#isClosed) this.#child.kill("SIGKILL");
    await this.#closed;
  }
}
