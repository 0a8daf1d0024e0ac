/**
 * Pure. The options of a consumer: what each means, its bounds and default.
 */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { Metrics } from "@millrace/core/observe";
import type { ConsumerEvent } from "./events.ts";
import type { DeaggregationOptions } from "./retrieval/deaggregation.ts";
import type { LeaseTable } from "./leases/lease-table.ts";

/** Where to begin on a stream of which this application has read nothing yet. */
export type InitialPositionOption = "TRIM_HORIZON" | "LATEST" | Date;

/** One of several streams. */
export interface StreamOption {
  /** The stream's name, in the client's account and Region. This or `streamArn`. */
  readonly streamName?: string | undefined;
  /** The stream's ARN, which may be of another account. This or `streamName`. */
  readonly streamArn?: string | undefined;
  /** Where to begin on this stream. @default initialPosition of the consumer */
  readonly initialPosition?: InitialPositionOption | undefined;
}

/** Enhanced fan-out with a name or registration of one's own. */
export interface FanOutRetrieval {
  readonly type: "fan-out";
  /** Name under which the application is registered with the stream. @default applicationName */
  readonly consumerName?: string | undefined;
  /** An existing registration; none is made then. */
  readonly consumerArn?: string | undefined;
}

/** What a consumer is made from. */
export interface ConsumerOptions {
  /** The stream's name, in the client's account and Region. This, `streamArn` or `streams`. */
  readonly streamName?: string | undefined;
  /** The stream's ARN, which may be of another account. This, `streamName` or `streams`. */
  readonly streamArn?: string | undefined;
  /**
   * Several streams, read by one fleet through one lease table. Their leases are called by account, stream and creation
   * time, as in KCL's multi-stream mode: an application must not change between one stream and several. 1 to 1,000.
   */
  readonly streams?: readonly StreamOption[] | undefined;
  /**
   * What all workers that share the work have in common; also the name of the lease table, as with KCL.
   * Letters, digits, `_`, `.` and `-`, 3 to 255 of them.
   */
  readonly applicationName: string;
  /** Unique in the fleet. @default a random UUID */
  readonly workerId?: string | undefined;
  /** For Kinesis: credentials, Region, endpoint, proxy and TLS are its own. @default one made from the environment */
  readonly client?: KinesisClient | undefined;
  /** For the lease table. @default one made from the environment */
  readonly dynamodb?: DynamoDBClient | undefined;
  /** A lease table instead of DynamoDB, such as `MemoryLeaseTable` in tests. */
  readonly leaseTable?: LeaseTable | undefined;
  /** Name of the DynamoDB table. @default applicationName */
  readonly leaseTableName?: string | undefined;
  /**
   * Where to begin on shards that have no lease yet: everything there is, only what comes from now on, or from a time on.
   * @default "TRIM_HORIZON", which loses nothing
   */
  readonly initialPosition?: InitialPositionOption | undefined;
  /**
   * Without renewal for this long a lease may be given to another worker, in milliseconds. Integer, 300 to 3,600,000;
   * the same for all workers. A handler may block the event loop for less than half of it.
   * @default 10_000. Source: KCL, failoverTimeMillis.
   */
  readonly failoverTimeMs?: number | undefined;
  /**
   * Time between two looks for leases that were given to this worker, in milliseconds. Integer, 50 to 60,000.
   * @default 500, which costs half a read unit each
   */
  readonly leaseDiscoveryIntervalMs?: number | undefined;
  /** Bound on the leases of this worker. Integer from 1. @default no bound. Source: KCL, maxLeasesForWorker. */
  readonly maxLeasesPerWorker?: number | undefined;
  /**
   * How this worker evens the fleet out when it leads. `"count"`: as many leases for each, or one more.
   * `"utilization"`: workers are about as busy, by the CPU that they report and the throughput of their leases, and by
   * count where neither says anything. A Java leader goes by its own.
   * @default "auto": by utilisation, KCL's default, once a worker of the fleet reports its CPU or is KCL's; else by count
   */
  readonly leaseAssignmentStrategy?: "auto" | "utilization" | "count" | undefined;
  /**
   * A worker that reads this much gets no more leases, in KB/s. Integer from 1. By utilisation only.
   * @default no bound. Source: KCL, maxThroughputPerHostKBps.
   */
  readonly maxThroughputPerWorkerKBps?: number | undefined;
  /**
   * Distance from the fleet's average up to which a worker is left alone, in percent of the average; below 5 points of
   * CPU it always is. Integer, 0 to 100. By utilisation only. @default 10. Source: KCL, reBalanceThresholdPercentage.
   */
  readonly rebalanceThresholdPercent?: number | undefined;
  /**
   * Share of a worker's excess that moves at a time, in percent. Integer, 1 to 100. By utilisation only.
   * @default 60. Source: KCL, dampeningPercentage.
   */
  readonly rebalanceDampeningPercent?: number | undefined;
  /**
   * What this worker reports of its load for the balancing of the fleet. `"auto"`: its CPU where KCL reports it, on ECS,
   * in Kubernetes and on EC2; elsewhere nothing, and it is balanced by throughput or count. `"host"`: the CPU of the whole
   * host, wherever that is. A fleet should report alike. @default "auto". Source: KCL, workerMetricList.
   */
  readonly workerMetrics?: "auto" | "host" | "none" | undefined;
  /**
   * How long the leader's right lasts without a heartbeat, in milliseconds; a longer one of a Java fleet is kept.
   * Integer, 300 to 3,600,000. @default 20_000
   */
  readonly leaderLeaseDurationMs?: number | undefined;
  /** Time between two comparisons of shards and leases by the leader, in milliseconds. Integer, 1,000 to 86,400,000. @default 120_000 */
  readonly shardSyncIntervalMs?: number | undefined;
  /**
   * How long the leases of a stream that is not in `streams` any more are kept, in milliseconds since a leader has seen
   * them so. All workers should have the new list by then. Integer, 0 to 31,536,000,000.
   * @default for ever. Source: KCL, FormerStreamsLeasesDeletionStrategy.
   */
  readonly formerStreamsKeptMs?: number | undefined;
  /** Time between two looks of the leader for leases that are of no use any more, in milliseconds. Integer, 1,000 to 86,400,000. @default 300_000 */
  readonly leaseCleanupIntervalMs?: number | undefined;
  /** Name of the table where KCL 3.0 to 3.4 keeps its leader. @default applicationName + "-CoordinatorState" */
  readonly coordinatorTableName?: string | undefined;
  /** Name of the table where workers of KCL 3.0 to 3.4 report. @default applicationName + "-WorkerMetricStats" */
  readonly workerMetricsTableName?: string | undefined;
  /**
   * Says that every worker of a fleet that began with KCL 3.0 to 3.4 knows the single table by now, so that its rows may
   * move there; refused before the fleet says so itself. KCL's own workers carry the rows over.
   * @default false. Source: KCL, migrateAllEntitiesToLeaseTable.
   */
  readonly migrateTables?: boolean | undefined;
  /**
   * Says that no worker of KCL 2.x runs on this lease table any more, so that one with leases and without a client
   * version may be taken over. @default false
   */
  readonly takeOverFrom2x?: boolean | undefined;
  /** Whether a live owner is asked to finish its batch before a lease moves. @default true */
  readonly gracefulHandOff?: boolean | undefined;
  /**
   * How long a handler may go on when its shard is to move or the consumer closes, in milliseconds. After that its
   * signal aborts and the lease goes. Integer, 0 to 3,600,000. @default 30_000. Source: KCL, gracefulLeaseHandoffTimeoutMillis.
   */
  readonly handOffTimeoutMs?: number | undefined;
  /**
   * How long a handler may go without a sign of life, in milliseconds: without asking for a batch, returning, or a
   * checkpoint that moves. After that its signal aborts and another worker gets the shard; where there is none, the
   * shard waits for the handler's return. A handler that blocks the event loop cannot be ended. A shard that `runEach`
   * has stopped on purpose is left alone. Integer, 100 to 86,400,000. @default no bound
   */
  readonly maxHandlerMs?: number | undefined;
  /**
   * Time between two reads of a shard at its tip, in milliseconds. Integer, 200 to 600,000. A shard takes 5 calls a
   * second from all applications together. @default 1_000
   */
  readonly pollIntervalMs?: number | undefined;
  /** Kinesis records per call. Integer, 1 to 10,000. @default 10_000 */
  readonly maxRecordsPerCall?: number | undefined;
  /** User records per batch; a compressed Kinesis record comes whole all the same. Integer, 1 to 1,000,000. @default 10_000 */
  readonly maxBatchRecords?: number | undefined;
  /** Fetched and undelivered bytes of one shard past which it is not read further. Integer from 0. @default 8 MiB */
  readonly prefetchMaxBytes?: number | undefined;
  /** The same over all shards; past it one answer at a time is fetched for a handler that waits. Integer from 0. @default 64 MiB */
  readonly prefetchTotalMaxBytes?: number | undefined;
  /**
   * How records are fetched. `"polling"` costs nothing and shares each shard's 5 calls a second and 2 MiB/s with other
   * applications. Enhanced fan-out has a bandwidth of its own and is about 70 ms behind, and is billed per consumer,
   * shard and byte. Workers of one application may differ, and may change from run to run.
   * @default "polling"
   */
  readonly retrieval?: "polling" | "fan-out" | FanOutRetrieval | undefined;
  /**
   * How answers to GetRecords are written. `"cbor"` spares base64 and so CPU; it is tried once, and JSON is used where the
   * service does not take it. @default "json"
   */
  readonly wireFormat?: "json" | "cbor" | undefined;
  /** What to do about aggregates that are not as they should be. @default everything is delivered, defects are events */
  readonly deaggregation?: DeaggregationOptions | undefined;
  /** For SubscribeToShard, which is HTTP/2. @default one with the Region, endpoint and credentials of `client` */
  readonly fanOutClient?: KinesisClient | undefined;
  /**
   * Gets what the KCL measures, under its names (`RecordsProcessed`, `MillisBehindLatest`, ...) and dimensions, and what
   * the lease table costs: any object with `record`, such as `cloudWatchMetrics`. @default none; nothing is sent anywhere
   */
  readonly metrics?: Metrics | undefined;
  /** `"summary"` leaves out what KCL measures at its level DETAILED only. @default "detailed". Source: KCL, metricsLevel. */
  readonly metricsLevel?: "summary" | "detailed" | undefined;
  /** Gets every event. What it throws is reported once as a warning and changes nothing. */
  readonly onEvent?: ((event: ConsumerEvent) => void) | undefined;
}
