/**
 * Pure. What follows a failed call: another one, smaller ones, or the end of trying.
 *
 * Lambda's event source mapping has these rules (attempts, age, bisect, partial batch responses, on-failure destination);
 * KCL has none of them.
 */

/** When to stop trying. */
export interface RetryLimits {
  /** Calls for one record, or for one batch that is not split. */
  readonly maxAttempts: number;
  /** Age of a record since its arrival past which it is not tried again, in milliseconds. */
  readonly maxRecordAgeMs: number;
  /** Whether a batch that fails is tried again in halves. */
  readonly bisect: boolean;
}

/** A call that failed. */
export interface FailedCall {
  /** Age of each record that is not done, in their order; undefined where the service did not say when it came. */
  readonly agesMs: readonly (number | undefined)[];
  /** Calls so far with just these records; where the first is told to have failed, with that one first. */
  readonly attempts: number;
  /** True when it is certain that the first of them is the one that failed. */
  readonly isFirstTold: boolean;
}

/** What comes next. */
export type FailureStep =
  | { readonly next: "retry" }
  /** Both halves are tried, one after the other; nothing has to be waited for. */
  | { readonly next: "split" }
  /** The first `records` are not tried any more; those after them are. */
  | { readonly next: "give-up"; readonly why: "attempts" | "age"; readonly records: number };

/** Decides what follows. Of a batch that can be split, trying ends only for the record that fails alone. */
export function decideAfterFailure(limits: RetryLimits, call: FailedCall): FailureStep {
  const { agesMs, attempts, isFirstTold } = call;
  if (limits.bisect && !isFirstTold && agesMs.length > 1) return { next: "split" };
  const suspects = isFirstTold ? agesMs.slice(0, 1) : agesMs;
  if (attempts >= limits.maxAttempts) return { next: "give-up", why: "attempts", records: suspects.length };
  const firstInTime = suspects.findIndex((ageMs) => ageMs === undefined || ageMs <= limits.maxRecordAgeMs);
  if (firstInTime === 0) return { next: "retry" };
  return { next: "give-up", why: "age", records: firstInTime === -1 ? suspects.length : firstInTime };
}
