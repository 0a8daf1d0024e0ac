/**
 * Pure. What follows a failed attempt on a record: another one, or the end of trying.
 *
 * Lambda's event source mapping has these rules (attempts, age, on-failure destination); KCL has none of them.
 */

/** When to stop trying. */
export interface RetryLimits {
  /** Calls for one record. */
  readonly maxAttempts: number;
  /** Age of a record since its arrival past which it is not tried again, in milliseconds. */
  readonly maxRecordAgeMs: number;
}

/** What comes next. */
export type FailureStep = { readonly next: "retry" } | { readonly next: "give-up"; readonly why: "attempts" | "age" };

/**
 * Decides after the `attempts`-th failure.
 * @param ageMs since the record's arrival; undefined when the service did not say when it came.
 */
export function decideAfterFailure(limits: RetryLimits, attempts: number, ageMs: number | undefined): FailureStep {
  if (attempts >= limits.maxAttempts) return { next: "give-up", why: "attempts" };
  if (ageMs !== undefined && ageMs > limits.maxRecordAgeMs) return { next: "give-up", why: "age" };
  return { next: "retry" };
}
