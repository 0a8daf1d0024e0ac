/**
 * Adapter. `millrace-agent` as a process of its own, for tests.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A process that runs until it ends by itself or is told to. */
export class CommandProcess {
  out = "";
  err = "";
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #waiters: { readonly text: string; readonly from: number; readonly resolve: (err: string) => void }[] = [];

  constructor(parts: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [cli, ...parts], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    this.#child = child;
    child.stdout.on("data", (text: Buffer) => {
      this.out += text.toString();
    });
    child.stderr.on("data", (text: Buffer) => {
      this.err += text.toString();
      this.#check();
    });
    this.ended = new Promise((resolve) => {
      child.on("close", (code) => {
        resolve({ code, out: this.out, err: this.err });
        this.#check(true);
      });
    });
  }

  /** Resolves once the log holds `text` after its first `from` characters; with all of the log. Or once it has ended. */
  says(text: string, from = 0): Promise<string> {
    return new Promise((resolve) => {
      this.#waiters.push({ text, from, resolve });
      this.#check(this.#child.exitCode !== null);
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #check(isOver = false): void {
    this.#waiters = this.#waiters.filter(({ from, resolve, text }) => {
      if (!isOver && !this.err.includes(text, from)) return true;
      resolve(this.err);
      return false;
    });
  }
}

/** Runs a command to its end. */
export function runCommand(parts: readonly string[]): Promise<Ended> {
  return new CommandProcess(parts).ended;
}
