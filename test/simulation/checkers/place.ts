/**
 * Pure. Places of user records in a shard, and what a lease's row says about them.
 */
import type { Row } from "@millrace/consumer";
import { textOf } from "../world/lease-table-service.ts";

/** Where a user record stands in its shard. */
export interface Place {
  readonly sequenceNumber: bigint;
  readonly subSequenceNumber: number;
}

/** Negative, zero or positive as `a` stands before, at or after `b`. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.sequenceNumber !== b.sequenceNumber) return a.sequenceNumber < b.sequenceNumber ? -1 : 1;
  return a.subSequenceNumber - b.subSequenceNumber;
}

/** After every record. */
const shardEnd: Place = { sequenceNumber: 2n ** 200n, subSequenceNumber: 0 };
/** Before every record. */
const shardBegin: Place = { sequenceNumber: -1n, subSequenceNumber: 0 };

/** The checkpoint of a lease's row; undefined where the row is no lease. */
export function checkpointOf(row: Row | undefined): Place | undefined {
  const checkpoint = textOf(row, "checkpoint");
  if (row === undefined || checkpoint === undefined) return undefined;
  if (checkpoint === "SHARD_END") return shardEnd;
  if (!/^\d+$/.test(checkpoint)) return shardBegin;
  return {
    sequenceNumber: BigInt(checkpoint),
    subSequenceNumber: numberOf(row, "checkpointSubSequenceNumber"),
  };
}

/** A number of a row; 0 where it has none. */
export function numberOf(row: Row, attribute: string): number {
  const value = row[attribute];
  return value !== undefined && "N" in value ? Number(value.N) : 0;
}
