/**
 * Driver. The service's own time: the system's, moved ahead or jumped where a test asked for it.
 */
import type { System, Timer } from "@millrace/core/runtime";

/** The service's time as a test drives it. */
export interface SimulatorClock {
  /** The service's wall clock. */
  now(): Date;
  /**
   * Lets `ms` milliseconds pass at once: everything that falls due on the way happens in its order, throughput flows
   * back, iterators and retention age. Code that waits for promises goes on afterwards and sees the later time. Works
   * with the real clock and with a virtual one.
   */
  advance(ms: number): void;
  /** Moves the wall clock alone, ahead or back, as when a host's clock is corrected. Arrival times follow it. */
  jump(ms: number): void;
}

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
  timer: Timer | undefined;
}

export class ServiceClock implements SimulatorClock {
  readonly #system: System;
  readonly #pending = new Set<Pending>();
  #aheadMs = 0;
  #jumpedMs = 0;
  #order = 0;

  constructor(system: System) {
    this.#system = system;
  }

  now(): Date {
    return new Date(this.wallMs());
  }

  /** Milliseconds that never go back: for rates, ages and everything that waits. */
  steadyMs(): number {
    return this.#system.now() + this.#aheadMs;
  }

  /** Whole milliseconds since 1970: for what the caller sees. */
  wallMs(): number {
    return Math.floor(this.#system.wallNow() + this.#aheadMs + this.#jumpedMs);
  }

  random(): number {
    return this.#system.random();
  }

  uuid(): string {
    return this.#system.uuid();
  }

  /** Runs `callback` once, `delayMs` from now in the service's time. Never keeps the process alive. */
  schedule(delayMs: number, callback: () => void): Timer {
    const pending: Pending = {
      dueMs: this.steadyMs() + delayMs,
      order: this.#order++,
      callback,
      timer: undefined,
    };
    this.#pending.add(pending);
    this.#arm(pending);
    return {
      cancel: () => {
        pending.timer?.cancel();
        this.#pending.delete(pending);
      },
    };
  }

  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`clock.advance: expected milliseconds of 0 or more, got ${ms}`);
    const target = this.steadyMs() + ms;
    for (;;) {
      const next = this.#nextDue(target);
      if (next === undefined) break;
      this.#aheadMs += Math.max(0, next.dueMs - this.steadyMs());
      next.timer?.cancel();
      this.#pending.delete(next);
      next.callback();
    }
    this.#aheadMs += Math.max(0, target - this.steadyMs());
    for (const pending of this.#pending) {
      pending.timer?.cancel();
      this.#arm(pending);
    }
  }

  jump(ms: number): void {
    if (!Number.isFinite(ms)) throw new RangeError(`clock.jump: expected milliseconds, got ${ms}`);
    this.#jumpedMs += ms;
  }

  /** Ends every timer: nothing happens any more. */
  close(): void {
    for (const pending of this.#pending) pending.timer?.cancel();
    this.#pending.clear();
  }

  #arm(pending: Pending): void {
    const run = () => {
      if (this.#pending.delete(pending)) pending.callback();
    };
    const waitMs = Math.max(0, pending.dueMs - this.steadyMs());
    pending.timer = this.#system.schedule(waitMs, run, { unref: true });
  }

  #nextDue(target: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs > target) continue;
      if (
        first === undefined ||
        pending.dueMs < first.dueMs ||
        (pending.dueMs === first.dueMs && pending.order < first.order)
      ) {
        first = pending;
      }
    }
    return first;
  }
}
