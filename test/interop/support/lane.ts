/** Driver. One lane's results, and the folder that its peers are put into. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Counts what a lane checks and prints each result. */
export class Lane {
  readonly #name: string;
  #folder: string | undefined;
  passed = 0;
  failed = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** A temporary folder, gone when the lane ends. */
  get folder(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), `millrace-interop-${this.#name}-`));
    return this.#folder;
  }

  /** Runs one check: it passes unless it throws. Resolves either way, so that the next one runs. */
  async check(what: string, run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
      this.passed++;
      console.log(`ok     ${what}`);
    } catch (error) {
      this.fail(what, error);
    }
  }

  /** Counts and prints a failure. */
  fail(what: string, error: unknown): void {
    this.failed++;
    const text = error instanceof Error ? error.message : String(error);
    console.log(`FAILED ${what}\n${text.trimEnd().replaceAll(/^/gm, "       ")}`);
  }

  /** Removes the folder. */
  cleanUp(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}
