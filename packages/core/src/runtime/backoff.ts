/**
 * Pure. How long to wait before another try: exponential, with full jitter.
 *
 * Full jitter (a random share of the exponential bound) spreads a fleet that failed at the same moment better than a
 * fixed share. Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */

export interface Backoff {
  /** Bound of the first wait, in milliseconds. */
  readonly initialMs: number;
  /** Bound of every wait, in milliseconds. */
  readonly maxMs: number;
}

/** The wait after the `failures`-th failure in a row (1 for the first), in milliseconds. `random` is from [0, 1). */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  // 2^30 is far past every maximum in use and still exact.
  const bound = Math.min(backoff.maxMs, backoff.initialMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.max(1, Math.ceil(bound * random));
}
