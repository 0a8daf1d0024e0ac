/**
 * Pure. A system whose time stands still until a test moves it.
 */
import type { System, Timer } from "@millrace/core/runtime";

interface Due {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Time by hand; chance from a seed; `breathe` and files stay real. */
export class ManualSystem implements System {
  #nowMs = 0;
  #state: number;
  readonly #seed: number;
  #uuids = 0;
  #due: Due[] = [];
  readonly #breathe: () => Promise<void>;

  constructor(breathe: () => Promise<void>, seed = 1) {
    this.#breathe = breathe;
    this.#state = seed;
    this.#seed = seed;
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const due: Due = { atMs: this.#nowMs + delayMs, callback };
    this.#due.push(due);
    return {
      cancel: () => {
        this.#due = this.#due.filter((other) => other !== due);
      },
    };
  }

  /** xorshift32. */
  random(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  }

  uuid(): string {
    this.#uuids += 1;
    return `${String(this.#seed).padStart(8, "0")}-0000-4000-8000-${String(this.#uuids).padStart(12, "0")}`;
  }

  breathe(): Promise<void> {
    return this.#breathe();
  }

  /** Moves time on; timers that come due run in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#due.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}
