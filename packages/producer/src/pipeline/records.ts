/**
 * Pure. The two kinds of record inside the producer: a user record that waits for its answer, and a Kinesis record
 * on its way to a shard.
 */
import { userRecordHash, type AggregatedRecord } from "@millrace/aggregation";
import type { Attempt, PutResult } from "../attempt.ts";
import type { PutError } from "../errors.ts";
import type { Cohort } from "../flush-barrier.ts";
import type { PutTrace } from "../tracing.ts";
import type { CheckedRecord } from "../user-record.ts";

/**
 * Where a user record stands:
 * - `waiting`: there is no room for it yet.
 * - `buffered`: in the pipeline, in no request: it can still be withdrawn.
 * - `in-request`: its bytes may reach the service at any moment.
 * - `settled`: its caller has the answer.
 */
export type PendingState = "waiting" | "buffered" | "in-request" | "settled";

/** The shared history of records that were in no request yet. */
export const noAttempts: readonly Attempt[] = [];

/** What a user record went through before the Kinesis record that it is in now. */
export interface History {
  readonly attempts: readonly Attempt[];
  readonly mayHaveBeenStored: boolean;
  /** When its last attempt ended. */
  readonly endedAt: number;
}

/** A user record that was accepted and not yet answered. */
export interface PendingRecord extends CheckedRecord {
  /** The hash that chooses the shard; computed when a shard map first asks for it. */
  hashKey: bigint | undefined;
  readonly acceptedAt: number;
  /** When it should leave at the latest. */
  deadline: number;
  /** When it fails if it is not stored. */
  readonly expiresAt: number;
  readonly cohort: Cohort;
  state: PendingState;
  /** Set when it was in another Kinesis record before. */
  earlier: History | undefined;
  /** In ordered mode: it is on its way, and later records of its key wait for it or stand behind it in its aggregate. */
  hasPassed: boolean;
  /** True after a wrong-shard verdict or a refusal of its aggregate: it is never aggregated again. */
  mustBeAlone: boolean;
  /** True when the caller withdrew the record while it was in a request. */
  isAborted: boolean;
  abortReason: unknown;
  /** Stops listening to the caller's signal. */
  onSettled?: () => void;
  /** Take the answer to the caller; absent for records of `offer`, whose failures are events. */
  readonly resolve: Resolve | undefined;
  readonly reject: Reject | undefined;
  /** What tracers of this put were told; absent while there are none. */
  trace: PutTrace | undefined;
}

/** Takes a result to the caller of one record. */
export type Resolve = (result: PutResult) => void;

/** Takes a failure to the caller; `resolve` is that of the same record. */
export type Reject = (error: unknown, resolve: Resolve) => void;

/**
 * Rejects a promise through the function that resolves it. Holding a promise's own `reject` for as long as its record is
 * under way cost 0.25 us a record: one more object for each collection to copy.
 */
export const rejectThroughResolve: Reject = (reason, resolve) => {
  // What resolves a promise takes another promise too.
  (resolve as unknown as (outcome: Promise<never>) => void)(Promise.reject(reason));
};

/** Takes the answer to an offered record to who asked for it: one of both. */
export type OnSettled = (result: PutResult | undefined, error?: PutError) => void;

/** Gives a failure to an offered record's callback. */
export const failThroughCallback: Reject = (reason, resolve) => {
  callBack(resolve as OnSettled, undefined, reason as PutError);
};

/** Calls what a caller gave. What it throws is the caller's own bug: it must not end the sending of others' records. */
export function callBack(onSettled: OnSettled, result: PutResult | undefined, error?: PutError): void {
  try {
    onSettled(result, error);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

/** A Kinesis record in the making or on its way: one user record, or an aggregate of many. */
export interface OutgoingRecord {
  members: PendingRecord[];
  /**
   * The bytes of an aggregate that may go at once. Undefined for a lone record, and for an aggregate that waits for
   * longer: it would be held twice, and is put together again when its turn comes. Compressed bytes are kept.
   */
  built: AggregatedRecord | undefined;
  /**
   * The partition key of an aggregate. It stays when the member that gave it leaves: a longer one could make the
   * aggregate larger than it was.
   */
  readonly outerKey: string;
  /** Where the shard map says it will land; undefined when nothing was predicted. */
  shardId: string | undefined;
  /** Data and outer partition key as they are sent: as the service counts them. */
  sizeBytes: number;
  /** The same without compression. */
  readonly plainBytes: number;
  /** Whether `built` is compressed; `incompressible` when that was tried and did not pay. */
  packing: "plain" | "compressed" | "incompressible";
  /** The earliest of its members' deadlines and expiries. */
  deadline: number;
  expiresAt: number;
  /** Not to be sent before this time: a retry that backs off. */
  notBefore: number;
  /** The put of its oldest member, or the end of its last attempt. */
  lastTouchedAt: number;
  attempts: readonly Attempt[];
  /** True when an attempt's outcome was never learned. */
  mayHaveBeenStored: boolean;
  /** True after a wrong-shard verdict or a refusal that may be its own fault: never aggregated or judged again. */
  readonly alone: boolean;
}

/** A Kinesis record of one user record. @param alone true when it must stay so, and is not judged by its shard. */
export function loneRecord(pending: PendingRecord, shardId: string | undefined, alone = false): OutgoingRecord {
  return {
    members: [pending],
    built: undefined,
    outerKey: pending.partitionKey,
    shardId,
    sizeBytes: pending.sizeBytes,
    plainBytes: pending.sizeBytes,
    packing: "plain",
    deadline: pending.deadline,
    expiresAt: pending.expiresAt,
    notBefore: 0,
    lastTouchedAt: pending.earlier?.endedAt ?? pending.acceptedAt,
    attempts: noAttempts,
    mayHaveBeenStored: false,
    alone,
  };
}

/** What a member went through in this Kinesis record and in those before it. */
export function historyOf(
  pending: PendingRecord,
  outgoing: Pick<OutgoingRecord, "attempts" | "mayHaveBeenStored" | "lastTouchedAt">,
): History {
  const { earlier } = pending;
  return {
    attempts: earlier === undefined ? outgoing.attempts : [...earlier.attempts, ...outgoing.attempts],
    mayHaveBeenStored: outgoing.mayHaveBeenStored || earlier?.mayHaveBeenStored === true,
    endedAt: outgoing.lastTouchedAt,
  };
}

/** The hash key that decides the record's shard. Computed once. */
export function hashKeyOfPending(pending: PendingRecord): bigint {
  return (pending.hashKey ??= userRecordHash(pending));
}

/** Takes an aggregate apart; its members keep its history. */
export function disband(outgoing: OutgoingRecord): readonly PendingRecord[] {
  for (const member of outgoing.members) {
    if (outgoing.attempts.length > 0) member.earlier = historyOf(member, outgoing);
  }
  return outgoing.members;
}

/** Makes something due by `now`. Not by Math.min: it may answer with a number that takes an allocation to be stored. */
export function hasten(due: { deadline: number }, now: number): void {
  if (now < due.deadline) due.deadline = now;
}
