/**
 * Pure. When to poll a shard next.
 *
 * A shard takes 5 GetRecords calls a second from all applications together, so we poll once a second at the tip, faster
 * only when behind, and slower after throttles (SPEC S16). Source of the limits: kinesis-service.md 1.2.
 */

/** Shortest time between two calls: leaves one of the five calls a second to others. */
const fastestMs = 250;
const slowestThrottledMs = 10_000;
/** An answer of 10 MiB costs 5 s of the shard's 2 MiB/s. */
const readBytesPerMs = (2 * 1024 * 1024) / 1000;

export interface PollOutcome {
  readonly type: "records" | "throttled";
  readonly bytes: number;
  readonly millisBehindLatest: number;
}

/** The pace so far. */
export interface Pace {
  /** Time between calls at the tip. */
  readonly tipIntervalMs: number;
  /** Throttles in a row. */
  readonly throttles: number;
}

/** Pause between the start of a call and the start of the next, and the pace from there on. */
export function nextPoll(
  pace: Pace,
  outcome: PollOutcome,
  random: number,
): { readonly pace: Pace; readonly intervalMs: number } {
  if (outcome.type === "throttled") {
    const throttles = pace.throttles + 1;
    const bound = Math.min(slowestThrottledMs, 500 * 2 ** Math.min(throttles, 6));
    return { pace: { ...pace, throttles }, intervalMs: Math.max(fastestMs, bound * (0.5 + random / 2)) };
  }
  // One good answer does not mean that the others have gone: the count falls by one at a time.
  const throttles = Math.max(0, pace.throttles - 1);
  const isBehind = outcome.millisBehindLatest > 0;
  const base = isBehind ? Math.min(fastestMs, pace.tipIntervalMs) : pace.tipIntervalMs;
  const paidOffMs = outcome.bytes / readBytesPerMs;
  return { pace: { ...pace, throttles }, intervalMs: Math.max(base * (1 + throttles), paidOffMs) };
}
