// @millrace/consumer

export type Attribute = {
    readonly S: string;
} | {
    readonly N: string;
} | {
    readonly B: Uint8Array;
} | {
    readonly SS: readonly string[];
} | {
    readonly L: readonly Attribute[];
} | {
    readonly M: Readonly<Record<string, Attribute>>;
};

export interface BatchFailure {
    readonly failedAt: ConsumedRecord;
    readonly error?: unknown;
}

export type BatchHandler = (records: readonly ConsumedRecord[], context: RecordContext) => Promise<BatchFailure | undefined | void>;

export interface BatchOptions extends EachOptions {
    readonly concurrency?: number | undefined;
    readonly maxBatchRecords?: number | undefined;
    readonly maxBatchBytes?: number | undefined;
    readonly batchWindowMs?: number | undefined;
    readonly bisect?: boolean | undefined;
}

export interface Checkpoint {
    readonly sequenceNumber: string;
    readonly subSequenceNumber: number;
}

export type Condition = {
    readonly attribute: string;
    readonly is: "present";
} | {
    readonly attribute: string;
    readonly is: "absent";
} | {
    readonly attribute: string;
    readonly is: "equal";
    readonly value: Attribute;
};

export { ConfigError } from "@millrace/core/options";

export interface ConsumedRecord {
    readonly data: Uint8Array;
    readonly partitionKey?: string | undefined;
    readonly explicitHashKey?: string | undefined;
    readonly sequenceNumber: string;
    readonly subSequenceNumber?: number | undefined;
    readonly approximateArrivalTimestamp?: Date | undefined;
    readonly tags?: Record<string, string> | undefined;
    text(): string;
    json(): unknown;
}

export declare class Consumer implements AsyncDisposable {
    #private;
    readonly workerId: string;
    run(handler: ShardHandler, options?: RunOptions): Promise<void>;
    runEach(handler: RecordHandler, options?: EachOptions): Promise<void>;
    runBatches(handler: BatchHandler, options?: BatchOptions): Promise<void>;
    batches(options?: RunOptions): AsyncGenerator<RecordBatch, void, undefined>;
    health(): ConsumerHealth;
    close(options?: {
        readonly signal?: AbortSignal | undefined;
    }): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export declare class ConsumerClosedError extends Error {
    readonly name = "ConsumerClosedError";
    readonly code = "ERR_CONSUMER_CLOSED";
    readonly retryable = false;
    readonly [closedBrand] = true;
    static [Symbol.hasInstance](value: unknown): boolean;
}

export declare class ConsumerError extends Error {
    readonly name = "ConsumerError";
    readonly code: string;
    readonly retryable = false;
    readonly [failedBrand] = true;
    constructor(code: string, message: string, cause?: unknown);
    static [Symbol.hasInstance](value: unknown): boolean;
}

export type ConsumerEvent = {
    readonly type: "started";
    readonly workerId: string;
    readonly leaseTable: string;
    readonly created: boolean;
    readonly layout: "single" | "legacy" | "migrating";
} | {
    readonly type: "stopped";
    readonly workerId: string;
} | {
    readonly type: "leadership-gained";
    readonly workerId: string;
} | {
    readonly type: "leadership-lost";
    readonly workerId: string;
    readonly reason: string;
}
 | {
    readonly type: "leader-missing";
    readonly ownerName: string;
    readonly waitedMs: number;
} | {
    readonly type: "leases-created";
    readonly streamName: string;
    readonly shardIds: readonly string[];
} | {
    readonly type: "lease-assigned";
    readonly leaseKey: string;
    readonly receiver: string;
    readonly cause: "unowned" | "expired" | "hand-off-timed-out" | "balance";
    readonly graceful: boolean;
}
 | {
    readonly type: "lease-acquired";
    readonly leaseKey: string;
    readonly shardId: string;
    readonly checkpoint: string;
    readonly fencingToken: string;
} | {
    readonly type: "lease-lost";
    readonly leaseKey: string;
    readonly shardId: string;
    readonly reason: LeaseLossReason;
} | {
    readonly type: "lease-released";
    readonly leaseKey: string;
    readonly shardId: string;
    readonly receiver: string | undefined;
} | {
    readonly type: "hand-off-requested";
    readonly leaseKey: string;
    readonly receiver: string;
} | {
    readonly type: "checkpointed";
    readonly leaseKey: string;
    readonly checkpoint: string;
} | {
    readonly type: "batch-delivered";
    readonly streamName: string;
    readonly shardId: string;
    readonly records: number;
    readonly bytes: number;
    readonly millisBehindLatest: number;
    readonly previousBatchMs: number | undefined;
} | {
    readonly type: "handler-failed";
    readonly shardId: string;
    readonly error: string;
    readonly restartInMs: number;
}
 | {
    readonly type: "handler-timed-out";
    readonly shardId: string;
    readonly maxHandlerMs: number;
    readonly receiver: string | undefined;
}
 | {
    readonly type: "handler-abandoned";
    readonly shardId: string;
}
 | {
    readonly type: "handler-left-early";
    readonly shardId: string;
    readonly restartInMs: number;
} | {
    readonly type: "shard-finished";
    readonly shardId: string;
    readonly childShardIds: readonly string[];
} | {
    readonly type: "lease-deleted";
    readonly leaseKey: string;
    readonly cause: "finished" | "shard-gone" | "former-stream";
} | {
    readonly type: "waiting-for-parent";
    readonly shardId: string;
    readonly parentShardIds: readonly string[];
}
 | {
    readonly type: "records-trimmed";
    readonly shardId: string;
    readonly checkpoint: string;
    readonly firstAvailable: string | undefined;
} | {
    readonly type: "read-failed";
    readonly shardId: string;
    readonly code: string;
    readonly error: string;
    readonly retryInMs: number;
}
 | {
    readonly type: "stream-call-failed";
    readonly operation: string;
    readonly streamName: string;
    readonly code: string;
    readonly error: string;
    readonly retryInMs: number;
} | {
    readonly type: "lease-table-failed";
    readonly operation: string;
    readonly error: string;
}
 | {
    readonly type: "cpu-unreadable";
    readonly platform: string;
    readonly error: string;
}
 | {
    readonly type: "event-loop-blocked";
    readonly blockedMs: number;
    readonly failoverTimeMs: number;
} | {
    readonly type: "record-failed";
    readonly shardId: string;
    readonly sequenceNumber: string;
    readonly subSequenceNumber: number | undefined;
    readonly records: number;
    readonly attempt: number;
    readonly error: string;
    readonly retryInMs: number | undefined;
}
 | {
    readonly type: "shard-stopped";
    readonly shardId: string;
    readonly sequenceNumber: string;
    readonly subSequenceNumber: number | undefined;
    readonly error: string;
} | {
    readonly type: "dead-lettered";
    readonly shardId: string;
    readonly sequenceNumber: string;
    readonly subSequenceNumber: number | undefined;
    readonly why: "attempts" | "age";
} | {
    readonly type: "dead-letter-failed";
    readonly shardId: string;
    readonly error: string;
    readonly retryInMs: number;
}
 | {
    readonly type: "stale-lease";
    readonly leaseKey: string;
    readonly streamName: string;
}
 | {
    readonly type: "aggregate-defects";
    readonly shardId: string;
    readonly badDigest: number;
    readonly unparsable: number;
    readonly badIndex: number;
    readonly outOfRange: number;
    readonly badCompression: number;
}
 | {
    readonly type: "range-check-off";
    readonly streamName: string;
    readonly why: string;
};

export interface ConsumerHealth {
    readonly workerId: string;
    readonly isRunning: boolean;
    readonly isLeader: boolean;
    readonly isHealthy: boolean;
    readonly shards: readonly ShardHealth[];
}

export interface ConsumerOptions {
    readonly streamName?: string | undefined;
    readonly streamArn?: string | undefined;
    readonly streams?: readonly StreamOption[] | undefined;
    readonly applicationName: string;
    readonly workerId?: string | undefined;
    readonly client?: KinesisClient | undefined;
    readonly dynamodb?: DynamoDBClient | undefined;
    readonly leaseTable?: LeaseTable | undefined;
    readonly leaseTableName?: string | undefined;
    readonly initialPosition?: InitialPositionOption | undefined;
    readonly failoverTimeMs?: number | undefined;
    readonly leaseDiscoveryIntervalMs?: number | undefined;
    readonly maxLeasesPerWorker?: number | undefined;
    readonly leaseAssignmentStrategy?: "auto" | "utilization" | "count" | undefined;
    readonly maxThroughputPerWorkerKBps?: number | undefined;
    readonly rebalanceThresholdPercent?: number | undefined;
    readonly rebalanceDampeningPercent?: number | undefined;
    readonly workerMetrics?: "auto" | "host" | "none" | undefined;
    readonly leaderLeaseDurationMs?: number | undefined;
    readonly shardSyncIntervalMs?: number | undefined;
    readonly formerStreamsKeptMs?: number | undefined;
    readonly leaseCleanupIntervalMs?: number | undefined;
    readonly coordinatorTableName?: string | undefined;
    readonly workerMetricsTableName?: string | undefined;
    readonly migrateTables?: boolean | undefined;
    readonly takeOverFrom2x?: boolean | undefined;
    readonly gracefulHandOff?: boolean | undefined;
    readonly handOffTimeoutMs?: number | undefined;
    readonly maxHandlerMs?: number | undefined;
    readonly pollIntervalMs?: number | undefined;
    readonly maxRecordsPerCall?: number | undefined;
    readonly maxBatchRecords?: number | undefined;
    readonly prefetchMaxBytes?: number | undefined;
    readonly prefetchTotalMaxBytes?: number | undefined;
    readonly retrieval?: "polling" | "fan-out" | FanOutRetrieval | undefined;
    readonly wireFormat?: "json" | "cbor" | undefined;
    readonly deaggregation?: DeaggregationOptions | undefined;
    readonly fanOutClient?: KinesisClient | undefined;
    readonly metrics?: Metrics | undefined;
    readonly metricsLevel?: "summary" | "detailed" | undefined;
    readonly onEvent?: ((event: ConsumerEvent) => void) | undefined;
}

export interface ConsumerWiring {
    readonly kinesis?: KinesisPort | undefined;
    readonly fanOut?: FanOutPort | undefined;
    readonly system?: System | undefined;
    readonly cpu?: CpuSource | undefined;
}

export interface DeadLetter {
    send(failed: FailedRecord): Promise<void>;
}

export interface DeadLetterStreamOptions {
    readonly streamName?: string | undefined;
    readonly streamArn?: string | undefined;
    readonly client?: KinesisClient | undefined;
}

export interface DeaggregationOptions {
    readonly onBadDigest?: DefectOutcome | undefined;
    readonly onUnparsable?: DefectOutcome | undefined;
    readonly onBadIndex?: DefectOutcome | undefined;
    readonly onOutOfRange?: DefectOutcome | undefined;
    readonly onBadCompression?: DefectOutcome | undefined;
}

export interface EachOptions {
    readonly concurrency?: number | undefined;
    readonly maxAttempts?: number | undefined;
    readonly maxRecordAgeMs?: number | undefined;
    readonly onFailure?: "stop" | DeadLetter | undefined;
    readonly filter?: ((record: ConsumedRecord) => boolean) | undefined;
    readonly signal?: AbortSignal | undefined;
}

export type EndedBy = "shard-end" | "shutdown" | "lease-lost";

export interface FailedRecord {
    readonly record: ConsumedRecord;
    readonly shardId: string;
    readonly streamName: string;
    readonly attempts: number;
    readonly why: "attempts" | "age";
    readonly error: unknown;
}

export interface FanOutRetrieval {
    readonly type: "fan-out";
    readonly consumerName?: string | undefined;
    readonly consumerArn?: string | undefined;
}

export type InitialPositionOption = "TRIM_HORIZON" | "LATEST" | Date;

export type JointOutcome = WriteOutcome
 | {
    readonly ok: false;
    readonly reason: "rejected";
    readonly error: Error;
};

export type LeaseLossReason = "taken" | "expired" | "deleted" | "released";

export declare class LeaseLostError extends Error {
    readonly name = "LeaseLostError";
    readonly code = "ERR_LEASE_LOST";
    readonly retryable = false;
    readonly shardId: string;
    readonly reason: LeaseLossReason;
    readonly [leaseLostBrand] = true;
    constructor(shardId: string, reason: LeaseLossReason);
    static [Symbol.hasInstance](value: unknown): boolean;
}

export interface LeaseTable {
    readonly name: string;
    readonly keyAttribute: string;
    open(options?: TableCallOptions): Promise<ReadOutcome<"created" | "existed">>;
    get(key: string, options?: TableCallOptions & {
        readonly consistent?: boolean;
    }): Promise<ReadOutcome<Row | undefined>>;
    put(row: Row, conditions: readonly Condition[], options?: TableCallOptions): Promise<WriteOutcome>;
    update(update: RowUpdate, options?: TableCallOptions & {
        readonly returnRow?: boolean;
    }): Promise<WriteOutcome>;
    delete(key: string, conditions: readonly Condition[], options?: TableCallOptions): Promise<WriteOutcome>;
    scan(options?: TableCallOptions): Promise<ReadOutcome<readonly Row[]>>;
    keysOwnedBy(owner: string, options?: TableCallOptions): Promise<ReadOutcome<readonly string[]>>;
    updateWith?(update: RowUpdate, items: readonly unknown[], options: TableCallOptions & {
        readonly token: string;
    }): Promise<JointOutcome>;
}

export interface LeasedShard extends AsyncIterable<RecordBatch> {
    readonly shardId: string;
    readonly streamName: string;
    readonly startedFrom: Checkpoint;
    readonly pendingCheckpoint: PendingCheckpoint | undefined;
    readonly fencingToken: bigint;
    readonly signal: AbortSignal;
    readonly endedBy: EndedBy | undefined;
    release(): Promise<void>;
}

export { MeterPort } from "@millrace/core/observe";

export { MetricScope } from "@millrace/core/observe";

export { MetricUnit } from "@millrace/core/observe";

export { Metrics } from "@millrace/core/observe";

export { MetricsGranularity } from "@millrace/core/observe";

export { MetricsUploadOptions } from "@millrace/core/observe";

export { OpenTelemetryMetricsOptions } from "@millrace/core/observe";

export interface PendingCheckpoint extends Checkpoint {
    readonly state: Uint8Array | undefined;
}

export interface PreparedCheckpoint {
    checkpoint(): Promise<void>;
}

export interface ProcessorCheckpointer {
    checkpoint(upTo?: ConsumedRecord): Promise<void>;
    prepareCheckpoint(upTo?: ConsumedRecord, options?: {
        readonly state?: Uint8Array | undefined;
    }): Promise<PreparedCheckpoint>;
}

export { PrometheusMetrics } from "@millrace/core/observe";

export { PrometheusMetricsOptions } from "@millrace/core/observe";

export { PutMetricDataInput } from "@millrace/core/observe";

export type ReadOutcome<T> = {
    readonly ok: true;
    readonly value: T;
    readonly units?: number | undefined;
} | TableFailure;

export interface RecordBatch {
    readonly shardId: string;
    readonly millisBehindLatest: number;
    readonly records: readonly ConsumedRecord[];
    checkpoint(upTo?: ConsumedRecord, options?: {
        readonly durable?: boolean | undefined;
    }): Promise<void>;
    prepareCheckpoint(upTo?: ConsumedRecord, options?: {
        readonly state?: Uint8Array | undefined;
    }): Promise<PreparedCheckpoint>;
}

export interface RecordContext {
    readonly shardId: string;
    readonly streamName: string;
    readonly attempt: number;
    readonly signal: AbortSignal;
    readonly fencingToken: bigint;
}

export type RecordHandler = (record: ConsumedRecord, context: RecordContext) => Promise<void>;

export interface RecordProcessor {
    initialize?(input: {
        readonly shardId: string;
        readonly checkpoint: Checkpoint;
        readonly pendingCheckpoint: PendingCheckpoint | undefined;
    }): Promise<void>;
    processRecords(input: {
        readonly records: readonly ConsumedRecord[];
        readonly millisBehindLatest: number;
        readonly checkpointer: ProcessorCheckpointer;
    }): Promise<void>;
    leaseLost?(): Promise<void>;
    shardEnded?(input: {
        readonly checkpointer: ProcessorCheckpointer;
    }): Promise<void>;
    shutdownRequested?(input: {
        readonly checkpointer: ProcessorCheckpointer;
    }): Promise<void>;
}

export type Row = Readonly<Record<string, Attribute>>;

export interface RowUpdate {
    readonly key: string;
    readonly conditions: readonly Condition[];
    readonly set?: Readonly<Record<string, Attribute>>;
    readonly remove?: readonly string[];
    readonly add?: Readonly<Record<string, number>>;
}

export interface RunOptions {
    readonly signal?: AbortSignal | undefined;
}

export type ShardHandler = (shard: LeasedShard) => Promise<void>;

export interface ShardHealth {
    readonly shardId: string;
    readonly streamName: string;
    readonly phase: ShardState["phase"] | "not-consumed";
    readonly checkpoint: string;
    readonly millisBehindLatest: number | undefined;
    readonly sinceDeliveryMs: number;
    readonly sinceRenewalMs: number;
    readonly trouble: string | undefined;
}

export interface StreamOption {
    readonly streamName?: string | undefined;
    readonly streamArn?: string | undefined;
    readonly initialPosition?: InitialPositionOption | undefined;
}

export interface TableCallOptions {
    readonly signal?: AbortSignal | undefined;
}

export interface TableFailure {
    readonly ok: false;
    readonly reason: "throttled" | "unknown" | "refused";
    readonly error: Error;
}

export { UploadedMetrics } from "@millrace/core/observe";

export type WriteOutcome = {
    readonly ok: true;
    readonly row?: Row | undefined;
    readonly units?: number | undefined;
} | {
    readonly ok: false;
    readonly reason: "condition-failed";
    readonly row?: Row | undefined;
} | TableFailure;

export { cloudWatchMetrics } from "@millrace/core/observe";

export declare function deadLetterFile(path: string): DeadLetter;

export declare function deadLetterJson(failed: FailedRecord): string;

export declare function deadLetterStream(options: DeadLetterStreamOptions, wiring?: {
    readonly kinesis?: KinesisPort | undefined;
}): DeadLetter;

export { embeddedMetrics } from "@millrace/core/observe";

export declare function fromRecordProcessor(create: () => RecordProcessor): ShardHandler;

export { openTelemetryMetrics } from "@millrace/core/observe";

export { prometheusMetrics } from "@millrace/core/observe";

// Named above, not exported:

declare const closedBrand: unique symbol;

declare const failedBrand: unique symbol;

declare const leaseLostBrand: unique symbol;

export interface CpuSource {
    readonly platform: "ecs" | "kubernetes" | "ec2" | "host";
    read(signal: AbortSignal): Promise<number>;
}

export interface FanOutPort {
    describeStreamConsumer(request: {
        readonly streamArn: string;
        readonly consumerName: string;
    }, options?: CallOptions): Promise<Answer<StreamConsumer>>;
    registerStreamConsumer(request: {
        readonly streamArn: string;
        readonly consumerName: string;
    }, options?: CallOptions): Promise<Answer<StreamConsumer>>;
    subscribeToShard(request: {
        readonly consumerArn: string;
        readonly shardId: string;
        readonly position: StartingPosition;
    }, options?: CallOptions): Promise<Answer<Subscription>>;
}

export interface StreamConsumer {
    readonly consumerArn: string;
    readonly status: "CREATING" | "DELETING" | "ACTIVE";
}

export interface SubscriptionEvent {
    readonly records: readonly ServiceRecord[];
    readonly continuationSequenceNumber: string | undefined;
    readonly millisBehindLatest: number;
    readonly childShards: readonly ChildShard[];
}

export type DrainCause = "shutdown" | "hand-off" | "release";

export type ShardState = {
    readonly phase: "waiting-for-parents";
}
 | {
    readonly phase: "handling";
    readonly failures: number;
    readonly draining: DrainCause | undefined;
} | {
    readonly phase: "backing-off";
    readonly failures: number;
}
 | {
    readonly phase: "finishing";
} | {
    readonly phase: "releasing";
    readonly cause: DrainCause;
}
 | {
    readonly phase: "abandoned";
} | {
    readonly phase: "over";
};

export type Subscription = AsyncIterable<SubscriptionEvent>;
