/**
 * Adapter. The one place that reads clocks, starts timers and draws random numbers.
 *
 * Everything else takes a `System`, so that a test or the simulation can own time and chance: the same seed then
 * gives the same run. The tidy test keeps every other source file away from the platform's clocks.
 */
import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";

/** A timer that has been started. */
export interface Timer {
  /** Stops it; nothing happens when it has fired or was cancelled already. */
  cancel(): void;
}

/** Time and chance, as every driver sees them. */
export interface System {
  /** Milliseconds on a clock that never goes back. Its zero means nothing: only differences do. */
  now(): number;
  /** Milliseconds since 1970 on the host's wall clock, which may jump. For what other hosts read, never for waiting. */
  wallNow(): number;
  /**
   * Runs `callback` once, `delayMs` from now. An `unref` timer does not keep the process alive.
   */
  schedule(delayMs: number, callback: () => void, options?: { readonly unref?: boolean }): Timer;
  /** A number from 0 (included) to 1 (excluded). Never for secrets. */
  random(): number;
  /** A random UUID, version 4. */
  uuid(): string;
  /** Resolves once the event loop has served the I/O that is waiting: long computations pause here. */
  breathe(): Promise<void>;
}

/** The platform's own clocks, timers and random numbers. */
export const realSystem: System = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  schedule(delayMs, callback, options) {
    const timer = setTimeout(callback, delayMs);
    if (options?.unref === true) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  random: () => Math.random(),
  uuid: () => randomUUID(),
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
};

/**
 * Resolves after `delayMs`, or rejects with the signal's reason as soon as `signal` aborts.
 * The timer is gone either way.
 */
export function sleep(
  system: System,
  delayMs: number,
  options: { readonly signal?: AbortSignal | undefined; readonly unref?: boolean } = {},
): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = system.schedule(
      delayMs,
      () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      },
      { unref: options.unref ?? false },
    );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
