/** Pure. What both kinds of workers are told and tell. */

/** Which implementation a worker is. */
export type Side = "java" | "millrace";

/** What a worker is started with. */
export interface WorkerSettings {
  readonly streamName: string;
  /** Several streams instead of that one, as "account:name:creation time"; shards are then told as "name/shard". */
  readonly streams?: readonly string[] | undefined;
  readonly applicationName: string;
  readonly workerId: string;
  readonly kinesisEndpoint: string;
  readonly dynamodbEndpoint: string;
  readonly failoverTimeMs: number;
  readonly retrieval: "polling" | "fan-out";
  /** By what the worker balances as the leader. */
  readonly strategy: "count" | "utilization";
  /** Whether it reports the CPU of its host; else it reports nothing, as KCL does where it finds no metric. */
  readonly reportsCpu?: boolean | undefined;
  /** The most leases that this worker takes, and gives to a worker as the leader. */
  readonly maxLeases?: number | undefined;
  /** With every checkpoint, the number of records that it covers is added to the shard's row of this table. */
  readonly effectsTable?: string | undefined;
  /** The worker checkpoints at the record with this text and handles nothing after it. */
  readonly stopAfter?: string | undefined;
}

/** One line of a worker's output. Places are "sequence number/sub-sequence number". */
export type WorkerLine =
  | { readonly type: "ready" }
  | { readonly type: "stopped" }
  /** A tenure of a shard has begun, after the checkpoint `from`. */
  | { readonly type: "started"; readonly shardId: string; readonly from: string }
  | {
      readonly type: "records";
      readonly shardId: string;
      readonly records: readonly (readonly [place: string, text: string])[];
    }
  /** The place is stored. */
  | { readonly type: "checkpointed"; readonly shardId: string; readonly place: string }
  /** Asked to give the shard up. */
  | { readonly type: "asked"; readonly shardId: string }
  | { readonly type: "lost"; readonly shardId: string }
  | { readonly type: "ended"; readonly shardId: string }
  | { readonly type: "failed"; readonly shardId: string; readonly error: string };

/** A line, and whose it is. */
export type Entry = WorkerLine & { readonly workerId: string };
