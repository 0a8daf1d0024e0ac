/**
 * Pure. What a shard's consumer is made from.
 */
import type { KinesisPort, StartingPosition } from "@millrace/core/kinesis";
import type { EventPublisher } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import type { KclMetrics } from "../kcl-metrics.ts";
import type { HeldLease } from "../leases/held-lease.ts";
import type { Lease } from "../leases/lease.ts";
import type { LeaseTable } from "../leases/lease-table.ts";
import type { ShardHandler } from "../record.ts";
import type { DeaggregationRules } from "../retrieval/deaggregation.ts";
import type { ShardReader } from "../retrieval/shard-reader.ts";
import type { ConsumedStream } from "../shards/consumed-stream.ts";

/** The shard, its worker and the ports. */
export interface ShardConsumerOptions {
  readonly held: HeldLease;
  readonly stream: ConsumedStream;
  readonly handler: ShardHandler;
  readonly table: LeaseTable;
  readonly kinesis: KinesisPort;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly metrics?: KclMetrics | undefined;
  readonly workerId: string;
  readonly maxBatchRecords: number;
  readonly deaggregation: DeaggregationRules;
  readonly failoverTimeMs: number;
  /** How long a handler that was asked to end may go on before the lease goes without it. */
  readonly drainTimeoutMs: number;
  /** How long a handler may go without a sign of life; undefined for no bound. */
  readonly maxHandlerMs: number | undefined;
  /** Told when it has. */
  readonly onHandlerTimedOut: (held: HeldLease) => void;
  readonly createReader: (position: StartingPosition, events: EventPublisher<ConsumerEvent>) => ShardReader;
  /** Without an answer of the service for this long, a shard's reading is in trouble. */
  readonly readSilenceMs: number;
  /** Whether this worker may keep one more shard for itself. */
  readonly canKeepChild: () => boolean;
  /** Gets the children's leases that this worker has created for itself. */
  readonly onChildren: (leases: readonly Lease[]) => void;
  /** Called when SHARD_END is stored. */
  readonly onFinished: (held: HeldLease) => void;
  /** Gets a failure that cannot be gone on from. */
  readonly onCrash: (error: unknown) => void;
  /** Who is to have the lease after a shutdown; undefined leaves it to the leader. */
  readonly nextOwner: (held: HeldLease) => string | undefined;
}
