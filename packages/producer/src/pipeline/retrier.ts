/**
 * Pure. Decides what an answer means for one Kinesis record: done, try again and when, or failed and why.
 *
 * Unlike the KPL, an error that will not go away fails at once with the service's own code, and waits are jittered.
 */
import { classifyFailure, type KinesisError } from "@millrace/core/kinesis";
import { backoffMs } from "@millrace/core/runtime";
import type { Attempt } from "../attempt.ts";
import { PutError, type PutErrorScope } from "../errors.ts";
import type { Effect } from "./effects.ts";
import { historyOf, type History, type OutgoingRecord, type PendingRecord } from "./records.ts";

/** Waits between attempts: the first within a shard's refill, the last short against the default lifetime of 30 s. */
const retryBackoff = { initialMs: 100, maxMs: 5_000 };

/** Refusals that one bad record in the request can cause. */
const recordFaultCodes = new Set([
  "ValidationException",
  "InvalidArgumentException",
  "SerializationException",
  "InvalidParameterValue",
  "RequestEntityTooLargeException",
]);

/** What a failed attempt means for what was in it. */
export type FailureVerdict = "retry" | "throttled" | "isolate" | "fail-stream" | "closed";

/** Judges a request that failed as a whole. */
export function judgeRequestFailure(error: KinesisError): FailureVerdict {
  if (error.kind === "throttle") return "throttled";
  if (error.kind === "transient") return "retry";
  if (error.kind === "aborted") return "closed";
  if (recordFaultCodes.has(error.code) || error.httpStatus === 413) return "isolate";
  return "fail-stream";
}

/** Judges one record's refusal inside an answered request. */
export function judgeEntryFailure(errorCode: string): "retry" | "throttled" {
  return classifyFailure(errorCode, undefined) === "throttle" ? "throttled" : "retry";
}

/** Adds one request to the histories of the records in it. Those that went through the same share one history. */
export class AttemptRecorder {
  readonly #startedAt: number;
  readonly #endedAt: number;
  // What the record before this one had, and what it has now: most of a request's records are alike.
  #earlier: readonly Attempt[] | undefined;
  #lastTouchedAt = 0;
  #failure: Cause | undefined;
  #attempts: readonly Attempt[] = [];

  constructor(times: { readonly startedAt: number; readonly endedAt: number }) {
    this.#startedAt = times.startedAt;
    this.#endedAt = times.endedAt;
  }

  add(outgoing: OutgoingRecord, failure?: Cause): void {
    const { attempts, lastTouchedAt } = outgoing;
    if (attempts !== this.#earlier || lastTouchedAt !== this.#lastTouchedAt || failure !== this.#failure) {
      this.#earlier = attempts;
      this.#lastTouchedAt = lastTouchedAt;
      this.#failure = failure;
      this.#attempts = [...attempts, this.#attemptAfter(lastTouchedAt, failure)];
    }
    outgoing.attempts = this.#attempts;
    outgoing.lastTouchedAt = this.#endedAt;
  }

  #attemptAfter(lastTouchedAt: number, failure: Cause | undefined): Attempt {
    const delayMs = Math.max(0, this.#startedAt - lastTouchedAt);
    const durationMs = this.#endedAt - this.#startedAt;
    if (failure === undefined) return { delayMs, durationMs, success: true };
    return { delayMs, durationMs, success: false, errorCode: failure.code, errorMessage: failure.message };
  }
}

interface Cause {
  readonly code: string;
  readonly message: string;
}

/** When to try again after the record's last attempt failed. */
export function retryAt(outgoing: Pick<OutgoingRecord, "attempts">, now: number, random: number): number {
  return now + backoffMs(retryBackoff, outgoing.attempts.length, random);
}

/** The error of a record whose lifetime ended. It tells the first real cause: that it expired is only the consequence. */
export function expiredError(
  history: Pick<History, "attempts" | "mayHaveBeenStored">,
  ttlMs: number,
  lastFailure: Cause | undefined,
): PutError {
  const { attempts } = history;
  const first = attempts.find((attempt) => !attempt.success);
  const noRequest =
    lastFailure === undefined
      ? "it was in no request: its shard or the network took no more"
      : `it was in no request; the last one failed: ${lastFailure.code}: ${lastFailure.message}`;
  const reason = first === undefined ? noRequest : `first failure: ${first.errorCode}: ${first.errorMessage}`;
  return new PutError({
    code: "Expired",
    message: `The record was not stored within its lifetime of ${ttlMs} ms (attempts: ${attempts.length}); ${reason}`,
    scope: "lifetime",
    attempts,
    retryable: true,
    mayHaveBeenStored: history.mayHaveBeenStored,
  });
}

/** The error of a record that will not be tried again because of what the service said. */
export function refusedError(
  history: Pick<History, "attempts" | "mayHaveBeenStored">,
  failure: { readonly code: string; readonly message: string; readonly cause?: unknown },
  scope: PutErrorScope,
): PutError {
  return new PutError({
    code: failure.code,
    message: `${failure.code}: ${failure.message}`,
    scope,
    attempts: history.attempts,
    retryable: scope === "lifetime",
    mayHaveBeenStored: history.mayHaveBeenStored,
    cause: failure.cause,
  });
}

/** Fails every member of a Kinesis record for one reason. */
export function failuresOf(
  outgoing: OutgoingRecord,
  failure: { readonly code: string; readonly message: string; readonly cause?: unknown },
  scope: PutErrorScope,
): Effect[] {
  // Members with one history share one error: making errors costs more than everything else here.
  const alike = outgoing.members.filter((member) => member.earlier === undefined);
  const others = outgoing.members.filter((member) => member.earlier !== undefined);
  const effects: Effect[] = others.map((member) => ({
    type: "failed",
    members: [member],
    error: refusedError(historyOf(member, outgoing), failure, scope),
  }));
  if (alike.length > 0) {
    effects.push({ type: "failed", members: alike, error: refusedError(outgoing, failure, scope) });
  }
  return effects;
}

/** The error of a record that an earlier record of its key dragged along. */
export function orderBrokenError(pending: PendingRecord, cause: unknown): PutError {
  return new PutError({
    code: "OrderBroken",
    message: "An earlier record of this partition key failed; put both again in their order.",
    scope: "lifetime",
    attempts: pending.earlier?.attempts ?? [],
    retryable: true,
    cause,
  });
}

/** The error of ordered mode on a stream whose service picks shards by itself. */
export function orderingUnavailable(): PutError {
  return new PutError({
    code: "ERR_ORDERING_UNAVAILABLE",
    message: 'The stream has AUTO record distribution, which ignores keys: ordering: "perKey" cannot hold there.',
    scope: "stream",
    attempts: [],
    retryable: false,
  });
}
