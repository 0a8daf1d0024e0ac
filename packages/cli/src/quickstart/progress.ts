/**
 * Driver. Says what is going on: one line that is written over on a terminal, plain lines elsewhere.
 */
import type { System } from "@millrace/core/runtime";

/** Where text goes: `process.stderr`, or a collector in a test. */
export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/** Pause between two plain lines, in milliseconds. */
const plainEveryMs = 1000;

export class Progress {
  readonly #output: ProgressOutput;
  readonly #system: System;
  readonly #startedAt: number;
  #lastPlainAt: number;
  #lineIsOpen = false;

  constructor(output: ProgressOutput, system: System) {
    this.#output = output;
    this.#system = system;
    this.#startedAt = system.now();
    this.#lastPlainAt = this.#startedAt;
  }

  /** Something happened that stays on the screen. */
  say(text: string): void {
    this.#closeLine();
    this.#output.write(`${this.#clock()}  ${text}\n`);
  }

  /** How far it has come; on a terminal it takes the place of the last one. */
  update(text: string): void {
    if (this.#output.isTTY === true) {
      this.#output.write(`\r\u001B[2K${this.#clock()}  ${text}`);
      this.#lineIsOpen = true;
      return;
    }
    const now = this.#system.now();
    if (now - this.#lastPlainAt < plainEveryMs) return;
    this.#lastPlainAt = now;
    this.#output.write(`${this.#clock()}  ${text}\n`);
  }

  /** Leaves the terminal's cursor at the beginning of an empty line. */
  end(): void {
    this.#closeLine();
  }

  #closeLine(): void {
    if (this.#lineIsOpen) this.#output.write("\r\u001B[2K");
    this.#lineIsOpen = false;
  }

  #clock(): string {
    return `${((this.#system.now() - this.#startedAt) / 1000).toFixed(1).padStart(6)} s`;
  }
}
