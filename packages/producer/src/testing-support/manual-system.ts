/**
 * Adapter. A `System` whose time moves only when a test says so.
 */
import type { System, Timer } from "@millrace/core/runtime";

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export class ManualSystem implements System {
  #now = 1_000_000;
  #order = 0;
  #uuid = 0;
  #seed: number;
  readonly #entries = new Set<Entry>();

  constructor(seed = 1) {
    this.#seed = seed;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const entry = { at: this.#now + delayMs, order: this.#order++, callback };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }

  /** Mulberry32. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  uuid(): string {
    this.#uuid += 1;
    return `00000000-0000-4000-8000-${String(this.#uuid).padStart(12, "0")}`;
  }

  breathe(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets `ms` pass: runs every timer that is due, in order, and everything that follows from it. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let next = this.#nextDue(until); next !== undefined; next = this.#nextDue(until)) {
      this.#entries.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await this.settle();
    }
    this.#now = until;
  }

  /** Lets everything run that waits for no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await this.breathe();
  }

  #nextDue(until: number): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.at > until) continue;
      if (next === undefined || entry.at < next.at || (entry.at === next.at && entry.order < next.order)) next = entry;
    }
    return next;
  }
}

/** The same time for one component, counting its timers. */
export class CountedSystem implements System {
  readonly #system: System;
  readonly #open = new Set<object>();

  constructor(system: System) {
    this.#system = system;
  }

  /** Timers that have been started, have not fired and were not cancelled. */
  get timers(): number {
    return this.#open.size;
  }

  now = (): number => this.#system.now();
  wallNow = (): number => this.#system.wallNow();
  random = (): number => this.#system.random();
  uuid = (): string => this.#system.uuid();
  breathe = (): Promise<void> => this.#system.breathe();

  schedule(delayMs: number, callback: () => void): Timer {
    const token = {};
    this.#open.add(token);
    const timer = this.#system.schedule(delayMs, () => {
      this.#open.delete(token);
      callback();
    });
    return {
      cancel: () => {
        this.#open.delete(token);
        timer.cancel();
      },
    };
  }
}
