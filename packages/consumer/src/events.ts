/**
 * Pure. What a consumer tells its observers: one closed union, as plain data that survives JSON.
 *
 * The same events go to `onEvent` and to the diagnostics channel `millrace:consumer`. The union may grow in a minor
 * release; ignore types that you do not know.
 */
import type { LeaseLossReason } from "./errors.ts";

/** One event of a consumer. Times ending in `Ms` are milliseconds. */
export type ConsumerEvent =
  | {
      readonly type: "started";
      readonly workerId: string;
      readonly leaseTable: string;
      readonly created: boolean;
      /** Whether the lease table holds everything, or the two tables of KCL 3.0 to 3.4 are in use. */
      readonly layout: "single" | "legacy" | "migrating";
    }
  | { readonly type: "stopped"; readonly workerId: string }
  | { readonly type: "leadership-gained"; readonly workerId: string }
  | { readonly type: "leadership-lost"; readonly workerId: string; readonly reason: string }
  /** No worker leads the fleet for more than twice the leader's lease: nothing is assigned meanwhile. */
  | { readonly type: "leader-missing"; readonly ownerName: string; readonly waitedMs: number }
  | { readonly type: "leases-created"; readonly streamName: string; readonly shardIds: readonly string[] }
  | {
      readonly type: "lease-assigned";
      readonly leaseKey: string;
      readonly receiver: string;
      readonly cause: "unowned" | "expired" | "hand-off-timed-out" | "balance";
      readonly graceful: boolean;
    }
  /** This worker has a shard. */
  | {
      readonly type: "lease-acquired";
      readonly leaseKey: string;
      readonly shardId: string;
      readonly checkpoint: string;
      readonly fencingToken: string;
    }
  | {
      readonly type: "lease-lost";
      readonly leaseKey: string;
      readonly shardId: string;
      readonly reason: LeaseLossReason;
    }
  | {
      readonly type: "lease-released";
      readonly leaseKey: string;
      readonly shardId: string;
      /** The next owner where one was named. */
      readonly receiver: string | undefined;
    }
  | { readonly type: "hand-off-requested"; readonly leaseKey: string; readonly receiver: string }
  | { readonly type: "checkpointed"; readonly leaseKey: string; readonly checkpoint: string }
  | {
      readonly type: "batch-delivered";
      readonly streamName: string;
      readonly shardId: string;
      readonly records: number;
      readonly bytes: number;
      readonly millisBehindLatest: number;
      /** How long the handler had the batch before this one. */
      readonly previousBatchMs: number | undefined;
    }
  | { readonly type: "handler-failed"; readonly shardId: string; readonly error: string; readonly restartInMs: number }
  /** The handler gave no sign of life for `maxHandlerMs`: its signal aborts, and the shard goes to `receiver`. */
  | {
      readonly type: "handler-timed-out";
      readonly shardId: string;
      readonly maxHandlerMs: number;
      /** Undefined where there is no other worker. */
      readonly receiver: string | undefined;
    }
  /** The consumer has closed without this handler's return: its lease is given up, and what it still does is its own. */
  | { readonly type: "handler-abandoned"; readonly shardId: string }
  /** The handler returned although records were left; it is called again from the checkpoint. */
  | { readonly type: "handler-left-early"; readonly shardId: string; readonly restartInMs: number }
  | { readonly type: "shard-finished"; readonly shardId: string; readonly childShardIds: readonly string[] }
  | {
      readonly type: "lease-deleted";
      readonly leaseKey: string;
      readonly cause: "finished" | "shard-gone" | "former-stream";
    }
  | { readonly type: "waiting-for-parent"; readonly shardId: string; readonly parentShardIds: readonly string[] }
  /** Records between the checkpoint and what is left were trimmed by the stream's retention [C1]. */
  | {
      readonly type: "records-trimmed";
      readonly shardId: string;
      readonly checkpoint: string;
      readonly firstAvailable: string | undefined;
    }
  | {
      readonly type: "read-failed";
      readonly shardId: string;
      readonly code: string;
      readonly error: string;
      readonly retryInMs: number;
    }
  /** A call about a stream failed while starting, or as its leader, and is made again. */
  | {
      readonly type: "stream-call-failed";
      readonly operation: string;
      readonly streamName: string;
      readonly code: string;
      readonly error: string;
      readonly retryInMs: number;
    }
  | { readonly type: "lease-table-failed"; readonly operation: string; readonly error: string }
  /** This worker's CPU cannot be measured; told once until it can again. */
  | { readonly type: "cpu-unreadable"; readonly platform: string; readonly error: string }
  /** Something blocked the event loop; past the failover time every lease of this worker is lost. */
  | { readonly type: "event-loop-blocked"; readonly blockedMs: number; readonly failoverTimeMs: number }
  | {
      readonly type: "record-failed";
      readonly shardId: string;
      readonly sequenceNumber: string;
      readonly subSequenceNumber: number | undefined;
      /** User records in the call that failed, from this one on. */
      readonly records: number;
      readonly attempt: number;
      readonly error: string;
      readonly retryInMs: number | undefined;
    }
  /** A record has failed for good, and the shard stays at it with its lease renewed. */
  | {
      readonly type: "shard-stopped";
      readonly shardId: string;
      readonly sequenceNumber: string;
      readonly subSequenceNumber: number | undefined;
      readonly error: string;
    }
  | {
      readonly type: "dead-lettered";
      readonly shardId: string;
      readonly sequenceNumber: string;
      readonly subSequenceNumber: number | undefined;
      readonly why: "attempts" | "age";
    }
  | {
      readonly type: "dead-letter-failed";
      readonly shardId: string;
      readonly error: string;
      readonly retryInMs: number;
    }
  /** The lease cannot be of the shard that the stream lists under its name: the stream was deleted and made anew. */
  | { readonly type: "stale-lease"; readonly leaseKey: string; readonly streamName: string }
  /** Defects of aggregates in what was read last; what became of the records is decided by the options. */
  | {
      readonly type: "aggregate-defects";
      readonly shardId: string;
      readonly badDigest: number;
      readonly unparsable: number;
      readonly badIndex: number;
      readonly outOfRange: number;
      readonly badCompression: number;
    }
  /** Hash keys are not held against the shard's range on this stream, although that was asked for. */
  | { readonly type: "range-check-off"; readonly streamName: string; readonly why: string };
