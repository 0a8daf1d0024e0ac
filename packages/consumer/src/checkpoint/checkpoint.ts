/**
 * Pure. A checkpoint: the place up to and including which a shard is done, and the order of such places.
 *
 * Source of the order and the sentinels: kcl.md 4.3 (KCL's ExtendedSequenceNumber).
 */
import { compareSequenceNumbers, isSequenceNumber } from "@millrace/core/kinesis";

/** A place in a shard: a user record, or one of KCL's sentinels. */
export interface Checkpoint {
  /** A decimal sequence number, or `TRIM_HORIZON`, `LATEST`, `AT_TIMESTAMP`, `SHARD_END`. */
  readonly sequenceNumber: string;
  /** The user record inside an aggregated Kinesis record, from 0; 0 for plain records and sentinels. */
  readonly subSequenceNumber: number;
}

/** A place that is no record's. */
export type Sentinel = "AT_TIMESTAMP" | "TRIM_HORIZON" | "LATEST" | "SHARD_END";

// AT_TIMESTAMP < TRIM_HORIZON < LATEST < every sequence number < SHARD_END.
const ranks: Readonly<Record<Sentinel, number>> = { AT_TIMESTAMP: -3, TRIM_HORIZON: -2, LATEST: -1, SHARD_END: 1 };

/** The sentinel as a checkpoint. */
export function sentinel(name: Sentinel): Checkpoint {
  return { sequenceNumber: name, subSequenceNumber: 0 };
}

/** True when the place is a sentinel and not a record's. */
export function isSentinel(sequenceNumber: string): sequenceNumber is Sentinel {
  // A number is told by its first digit: looking a long text up costs more than anything else in a comparison.
  return !isDigit(sequenceNumber.charCodeAt(0)) && Object.hasOwn(ranks, sequenceNumber);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** True for what may stand in a lease's `checkpoint`. */
export function isCheckpointText(sequenceNumber: string): boolean {
  return isSentinel(sequenceNumber) || isSequenceNumber(sequenceNumber);
}

/** True when the shard is read to its end. */
export function isShardEnd(checkpoint: Checkpoint): boolean {
  return checkpoint.sequenceNumber === "SHARD_END";
}

function rankOf(checkpoint: Checkpoint): number {
  return isSentinel(checkpoint.sequenceNumber) ? ranks[checkpoint.sequenceNumber] : 0;
}

/** Negative, zero or positive as `a` stands before, at or after `b`. */
export function compareCheckpoints(a: Checkpoint, b: Checkpoint): number {
  const rankA = rankOf(a);
  const rankB = rankOf(b);
  if (rankA !== 0 || rankB !== 0) return rankA - rankB;
  const order = compareSequenceNumbers(a.sequenceNumber, b.sequenceNumber);
  return order === 0 ? a.subSequenceNumber - b.subSequenceNumber : order;
}

/** For texts: `49657...:17`, or the sentinel. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  return isSentinel(checkpoint.sequenceNumber)
    ? checkpoint.sequenceNumber
    : `${checkpoint.sequenceNumber}:${checkpoint.subSequenceNumber}`;
}
