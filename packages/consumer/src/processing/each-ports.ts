/**
 * Pure. What our handlers for records and batches share: their ports, and how one call ends.
 */
import type { EventPublisher } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import type { ConsumedRecord } from "../record.ts";

/** Where a record comes from, and whether its lease still stands. */
export interface RecordContext {
  readonly shardId: string;
  readonly streamName: string;
  /** 1 for the first call with this record, or with this batch. */
  readonly attempt: number;
  /** Aborts when the lease is over. */
  readonly signal: AbortSignal;
  /** Rises with every owner of the shard. */
  readonly fencingToken: bigint;
}

/** What the loop over records needs besides its handler. */
export interface EachPorts {
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
}

/**
 * Calls the user's handler once. A rejection is a failure of the whole call; a record that comes back is the first that
 * is not done, and those before it are.
 */
export type GroupCall = (
  records: readonly ConsumedRecord[],
  context: RecordContext,
) => Promise<{ readonly failedAt: ConsumedRecord; readonly error?: unknown } | undefined>;
