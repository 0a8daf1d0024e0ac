/**
 * Pure. What a handler gets: a leased shard, its batches, and their user records.
 */
import type { Checkpoint } from "./checkpoint/checkpoint.ts";

/**
 * A user record as it was put, taken out of its aggregate where it came in one. Its fields are read when they are asked
 * for: name those you need, `{ ...record }` copies none of them.
 */
export interface ConsumedRecord {
  /** The payload. A view into memory that the batch shares: copy it to keep it longer than the batch. */
  readonly data: Uint8Array;
  /** Absent on streams with the AUTO record distribution strategy. */
  readonly partitionKey?: string | undefined;
  /** Decimal; only where the producer gave one. */
  readonly explicitHashKey?: string | undefined;
  /** Of the Kinesis record; user records of one aggregate share it. */
  readonly sequenceNumber: string;
  /** Place inside the aggregate, from 0; absent for a record that came alone. */
  readonly subSequenceNumber?: number | undefined;
  /** Millisecond clock of the service; neither exact nor in order. */
  readonly approximateArrivalTimestamp?: Date | undefined;
  /** What the producer attached, such as trace context. */
  readonly tags?: Record<string, string> | undefined;
  /** The payload as UTF-8. */
  text(): string;
  /**
   * The payload parsed as JSON.
   * @throws {SyntaxError} when it is none.
   */
  json(): unknown;
}

/** User records of one shard, in the order of their sequence numbers. */
export interface RecordBatch {
  readonly shardId: string;
  /** How old the service says the end of this batch is; 0 at the tip. */
  readonly millisBehindLatest: number;
  /** Never empty. */
  readonly records: readonly ConsumedRecord[];
  /**
   * Stores that everything up to and including `upTo` (by default the last record) is done. Resolves once it is stored;
   * with `durable: false` at once, and it is stored with the lease's next renewal. A place before the last stored one
   * is covered already.
   * @throws {LeaseLostError} when the shard belongs to another worker by now; nothing was stored.
   * @throws {RangeError} when `upTo` is not in this batch.
   */
  checkpoint(upTo?: ConsumedRecord, options?: { readonly durable?: boolean | undefined }): Promise<void>;
  /**
   * Stores the intention to checkpoint `upTo` (by default the last record), with bytes of the application's own, and
   * leaves the checkpoint where it is. A successor finds it in `LeasedShard.pendingCheckpoint` and can finish or undo
   * what was begun. Any checkpoint clears it.
   * @throws {LeaseLostError} when the shard belongs to another worker by now.
   * @throws {RangeError} when `upTo` is not in this batch.
   */
  prepareCheckpoint(
    upTo?: ConsumedRecord,
    options?: { readonly state?: Uint8Array | undefined },
  ): Promise<PreparedCheckpoint>;
}

/** The first half of a two-phase checkpoint, stored. */
export interface PreparedCheckpoint {
  /**
   * The second half: makes the place the shard's checkpoint.
   * @throws {LeaseLostError} when the shard belongs to another worker by now.
   */
  checkpoint(): Promise<void>;
}

/** A first half that was stored without its second: its owner died in between. */
export interface PendingCheckpoint extends Checkpoint {
  /** The bytes that went with it. */
  readonly state: Uint8Array | undefined;
}

/** Why a shard's loop ended. */
export type EndedBy = "shard-end" | "shutdown" | "lease-lost";

/** A shard while this worker has its lease. Iterate over it once. */
export interface LeasedShard extends AsyncIterable<RecordBatch> {
  readonly shardId: string;
  readonly streamName: string;
  /** The loop delivers what comes after this place. */
  readonly startedFrom: Checkpoint;
  /** What a former owner prepared and did not finish; undefined when there is nothing. */
  readonly pendingCheckpoint: PendingCheckpoint | undefined;
  /** Rises with every owner of the shard: a store that refuses smaller ones keeps former owners out. */
  readonly fencingToken: bigint;
  /** Aborts with a LeaseLostError the moment the lease is over. */
  readonly signal: AbortSignal;
  /** Set when the loop has ended by itself. After "shutdown" there is still time to checkpoint. */
  readonly endedBy: EndedBy | undefined;
  /** Gives the lease up on purpose, once the handler has returned. */
  release(): Promise<void>;
}

/** Called for each shard that this worker leases; resolves when its loop has ended. */
export type ShardHandler = (shard: LeasedShard) => Promise<void>;

/** The record's place in its shard. */
export function placeOf(record: ConsumedRecord): Checkpoint {
  return { sequenceNumber: record.sequenceNumber, subSequenceNumber: record.subSequenceNumber ?? 0 };
}
