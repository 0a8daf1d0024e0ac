/**
 * Pure. How a shard's Kinesis records come, whichever way they are fetched.
 */
import type { ChildShard, ServiceRecord } from "@millrace/core/kinesis";

/** The next piece of a shard. */
export type ShardChunk =
  | {
      readonly type: "records";
      /** May be empty: then only the lag is news. */
      readonly records: readonly ServiceRecord[];
      readonly millisBehindLatest: number;
    }
  /** Everything in the shard has been given out. `childShards` is empty when the shard itself is gone. */
  | { readonly type: "shard-end"; readonly childShards: readonly ChildShard[] };

/** Reads one shard from one place on, in order. */
export interface ShardReader {
  /**
   * The next piece; waits for one. Failures are retried inside for as long as it takes.
   * Rejects with the signal's reason when it aborts.
   */
  next(signal: AbortSignal): Promise<ShardChunk>;
  /** Bytes fetched and not given out yet. */
  readonly bufferedBytes: number;
  /** Ends the reading; what was fetched and not given out is dropped. Idempotent. */
  stop(): Promise<void>;
}
