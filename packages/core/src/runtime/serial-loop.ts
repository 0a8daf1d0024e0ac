/**
 * Driver. Runs one asynchronous step again and again, never two at a time, until it is stopped.
 *
 * Lease renewal, shard sync, file discovery and position saving are all this: a step, a pause that the step chooses,
 * and a way to be woken early.
 */
import type { System, Timer } from "./system.ts";

/** What a loop runs, and on which clock. */
export interface SerialLoopOptions {
  /** Where its pauses come from. */
  readonly system: System;
  /** One round; gives the pause before the next in milliseconds. It settles its own failures: a rejection is a bug. */
  readonly step: (signal: AbortSignal) => Promise<number>;
  /** Gets a rejection of `step`; the loop has stopped by then. */
  readonly onCrash: (error: unknown) => void;
  /** Timers of an unref loop do not keep the process alive. @default false */
  readonly unref?: boolean | undefined;
}

/** A running loop. */
export class SerialLoop {
  readonly #options: SerialLoopOptions;
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  #resume: (() => void) | undefined;
  #wokenEarly = false;
  readonly #ended: Promise<void>;

  /** Starts at once: the first step begins before the constructor returns to its caller's next turn. */
  constructor(options: SerialLoopOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  /** Ends the current pause; during a step, the next one follows without a pause. */
  wake(): void {
    this.#wokenEarly = true;
    this.#resume?.();
  }

  /** Asks the step under way to end through its signal, and resolves once it has. Idempotent. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#resume?.();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { step, onCrash } = this.#options;
    try {
      while (!this.#abort.signal.aborted) {
        this.#wokenEarly = false;
        const pauseMs = await step(this.#abort.signal);
        await this.#pause(pauseMs);
      }
    } catch (error) {
      onCrash(error);
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    if (this.#wokenEarly || this.#abort.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      this.#timer = this.#options.system.schedule(pauseMs, resolve, { unref: this.#options.unref ?? false });
    });
    this.#timer?.cancel();
    this.#resume = undefined;
  }
}
