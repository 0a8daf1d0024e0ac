// @millrace/simulator

export interface AccessKey {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
}

export type ActionName = (typeof actionNames)[number];

export interface Bill {
    readonly lines: readonly BillLine[];
    readonly totalUsd: number;
    readonly prices: Prices;
}

export interface BillLine {
    readonly item: string;
    readonly quantity: number;
    readonly unit: string;
    readonly usd: number;
}

export declare class BillingMeter {
    #private;
    advantage: boolean;
    constructor(clock: () => number, prices?: Prices);
    counts(): MeterCounts;
    bill(): Bill;
    addDynamoDb(units: {
        readonly writeUnits?: number;
        readonly readUnits?: number;
    }): void;
}

export interface CallContext {
    readonly accessKeyId?: string | undefined;
    readonly signal?: AbortSignal | undefined;
}

export interface CreateStreamOptions {
    readonly streamName: string;
    readonly shardCount?: number | undefined;
    readonly streamMode?: StreamMode | undefined;
    readonly maxRecordSizeKiB?: number | undefined;
    readonly recordDistributionStrategy?: RecordDistributionStrategy | undefined;
}

export interface CreatedStream {
    readonly streamName: string;
    readonly streamArn: string;
    readonly shardIds: readonly string[];
}

export declare class Fault {
    #private;
    readonly options: FaultOptions;
    constructor(options: FaultOptions);
    get struck(): number;
    get isOver(): boolean;
    stop(): void;
}

export type FaultKind = (typeof faultKinds)[number];

export interface FaultOptions {
    readonly kind: FaultKind;
    readonly action?: ActionName | readonly ActionName[] | undefined;
    readonly streamName?: string | undefined;
    readonly shardId?: string | undefined;
    readonly rate?: number | undefined;
    readonly count?: number | undefined;
    readonly script?: string | undefined;
    readonly delayMs?: number | undefined;
    readonly jumpMs?: number | undefined;
    readonly events?: number | undefined;
    readonly statusCode?: number | undefined;
    readonly body?: string | undefined;
}

export interface KinesisExecutor {
    execute(action: string, input: ServiceInput, context?: CallContext): Promise<ServiceOutput>;
}

export declare class KinesisService implements KinesisExecutor {
    #private;
    execute(action: string, given: ServiceInput, context?: CallContext): Promise<ServiceOutput>;
}

export declare class KinesisSimulator implements AsyncDisposable {
    #private;
    readonly kinesis: KinesisPort;
    readonly clock: SimulatorClock;
    readonly meter: BillingMeter;
    static listen(options?: ListenOptions): Promise<KinesisSimulator>;
    constructor(options?: SimulatorOptions);
    get endpoint(): string;
    get tlsEndpoint(): string;
    get caCertificate(): string;
    client(config?: KinesisClientConfig): KinesisClient;
    createStream(options: CreateStreamOptions): CreatedStream;
    reshard(options: ReshardOptions): Resharding;
    fault(options: FaultOptions): Fault;
    clearFaults(): void;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export type LimitName = keyof typeof serviceLimits;

export type LimitOptions = false | {
    readonly [K in LimitName]?: number | boolean | undefined;
};

export interface ListenOptions extends SimulatorOptions, ServerOptions {
}

export interface MeterCounts {
    readonly calls: Readonly<Record<string, number>>;
    readonly failures: Readonly<Record<string, number>>;
    readonly recordsIn: number;
    readonly bytesIn: number;
    readonly recordsThrottled: number;
    readonly recordsOut: number;
    readonly bytesOut: number;
    readonly recordsTrimmedForMemory: number;
}

export declare class Network {
    #private;
    constructor(timeline: Timeline, conditions?: Partial<NetworkConditions>);
    get conditions(): NetworkConditions;
    change(conditions: Partial<NetworkConditions>): void;
    partition(a: VirtualHost, b: VirtualHost): void;
    heal(a?: VirtualHost, b?: VirtualHost): void;
    request<T>(from: VirtualHost, to: VirtualHost, serve: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface NetworkConditions {
    readonly minDelayMs: number;
    readonly meanExtraDelayMs: number;
    readonly loss: number;
    readonly duplication: number;
    readonly timeoutMs: number;
}

export declare class NetworkError extends Error {
    readonly name = "NetworkError";
    readonly code = "ECONNRESET";
}

export interface Prices {
    readonly source: string;
    readonly asOf: string;
    readonly region: string;
    readonly shardHour: number;
    readonly putPayloadUnit: number;
    readonly payloadUnitBytes: number;
    readonly extendedRetentionShardHour: number;
    readonly fanOutConsumerShardHour: number;
    readonly fanOutGB: number;
    readonly onDemandStreamHour: number;
    readonly onDemandInGB: number;
    readonly onDemandOutGB: number;
    readonly advantageInGB: number;
    readonly advantageOutGB: number;
    readonly dynamoDbWriteUnit: number;
    readonly dynamoDbReadUnit: number;
}

export declare class Prng {
    #private;
    constructor(seed: number);
    next(): number;
    integer(min: number, max: number): number;
    chance(share: number): boolean;
    pick<T>(choices: readonly T[]): T;
    wait(meanMs: number): number;
    uuid(): string;
    fork(name: string): Prng;
}

export interface ReshardOptions {
    readonly streamName: string;
    readonly split?: string | undefined;
    readonly newStartingHashKey?: string | bigint | undefined;
    readonly merge?: readonly [string, string] | undefined;
    readonly targetShardCount?: number | undefined;
}

export interface Resharding {
    readonly closed: readonly string[];
    readonly opened: readonly string[];
}

export interface RunOptions {
    readonly until?: (() => boolean) | undefined;
    readonly forMs?: number | undefined;
    readonly maxEvents?: number | undefined;
}

export interface ServerOptions {
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly tls?: boolean | undefined;
    readonly accessKeys?: readonly AccessKey[] | undefined;
    readonly maxBodyBytes?: number | undefined;
    readonly maxBodiesBytes?: number | undefined;
    readonly maxBodyMs?: number | undefined;
    readonly maxHeadersMs?: number | undefined;
}

export declare class ServiceError extends Error {
    readonly name = "ServiceError";
    readonly code: string;
    readonly statusCode: number;
    constructor(code: string, message: string, statusCode?: number);
}

export type ServiceInput = Record<string, unknown>;

export type ServiceOutput = Record<string, unknown>;

export interface SimulatorClock {
    now(): Date;
    advance(ms: number): void;
    jump(ms: number): void;
}

export interface SimulatorOptions {
    readonly limits?: LimitOptions | undefined;
    readonly accountId?: string | undefined;
    readonly region?: string | undefined;
    readonly transitionMs?: number | undefined;
    readonly maxStoredBytes?: number | undefined;
    readonly persistPath?: string | undefined;
    readonly system?: System | undefined;
    readonly prices?: Prices | undefined;
}

export interface SimulatorServer {
    readonly endpoint: string;
    close(): Promise<void>;
}

export interface SubscribeToShardOutput extends ServiceOutput {
    readonly EventStream: AsyncIterable<SubscriptionFrame>;
}

export type SubscriptionFrame = {
    readonly SubscribeToShardEvent: ServiceOutput;
    readonly exception?: undefined;
} | {
    readonly exception: ServiceError;
    readonly SubscribeToShardEvent?: undefined;
};

export declare class Timeline {
    #private;
    readonly seed: number;
    readonly startWallMs: number;
    readonly random: Prng;
    constructor(options?: TimelineOptions);
    get nowMs(): number;
    get events(): number;
    host(name: string): VirtualHost;
    schedule(host: VirtualHost, delayMs: number, callback: () => void, what?: string): Timer;
    note(host: string, what: string): void;
    trace(): readonly TraceEntry[];
    traceHash(): string;
    run(options?: RunOptions): Promise<"done" | "time-over" | "idle">;
    settle<T>(promise: Promise<T>, options?: {
        readonly forMs?: number | undefined;
    }): Promise<T>;
}

export interface TimelineOptions {
    readonly seed?: number | undefined;
    readonly startWallMs?: number | undefined;
    readonly traceEntries?: number | undefined;
    readonly onSettled?: (() => void) | undefined;
}

export interface TraceEntry {
    readonly atMs: number;
    readonly host: string;
    readonly what: string;
}

export declare class VirtualHost {
    #private;
    readonly name: string;
    readonly system: System;
    get isPaused(): boolean;
    jumpClock(ms: number): void;
    setClock({ rate, aheadMs }: {
        readonly rate: number;
        readonly aheadMs?: number;
    }): void;
    pause(): void;
    resume(): void;
    kill(): void;
}

export declare class WireFault extends Error {
    readonly name = "WireFault";
    readonly kind: WireFaultKind;
    readonly tookEffect: boolean;
    readonly statusCode: number;
    readonly body: string;
    constructor(fields: {
        kind: WireFaultKind;
        tookEffect: boolean;
        statusCode?: number;
        body?: string;
    });
}

export type WireFaultKind = "reset" | "raw-body" | "truncate";

export declare const actionNames: readonly ["AddTagsToStream", "CreateStream", "DecreaseStreamRetentionPeriod", "DeleteResourcePolicy", "DeleteStream", "DeregisterStreamConsumer", "DescribeAccountSettings", "DescribeLimits", "DescribeStream", "DescribeStreamConsumer", "DescribeStreamSummary", "DisableEnhancedMonitoring", "EnableEnhancedMonitoring", "GetRecords", "GetResourcePolicy", "GetShardIterator", "IncreaseStreamRetentionPeriod", "ListShards", "ListStreamConsumers", "ListStreams", "ListTagsForResource", "ListTagsForStream", "MergeShards", "PutRecord", "PutRecords", "PutResourcePolicy", "RegisterStreamConsumer", "RemoveTagsFromStream", "SplitShard", "StartStreamEncryption", "StopStreamEncryption", "SubscribeToShard", "TagResource", "UntagResource", "UpdateAccountSettings", "UpdateMaxRecordSize", "UpdateShardCount", "UpdateStreamMode", "UpdateStreamRecordDistributionStrategy", "UpdateStreamWarmThroughput"];

export declare const faultKinds: readonly ["throttle", "partial-failure", "internal-failure", "service-unavailable", "kms-throttle", "non-json-body", "answer-lost", "reset", "slow", "hang", "empty-answer", "expired-iterator", "truncated-event-stream", "takeover", "clock-jump", "reshard", "auto-split"];

export declare function kinesisOver(network: Network, from: VirtualHost, to: VirtualHost, kinesis: KinesisPort): KinesisPort;

export declare const listPrices: Prices;

export declare function parseFault(text: string): FaultOptions;

export declare const serviceLimits: {
    readonly putRecordsRecords: 500;
    readonly putRecordsBytes: number;
    readonly recordSizeKiB: 10240;
    readonly shardWriteRecordsPerSecond: 1000;
    readonly shardWriteBytesPerSecond: 1048576;
    readonly shardWriteBurstBytes: number;
    readonly shardReadCallsPerSecond: 5;
    readonly shardReadBytesPerSecond: number;
    readonly getRecordsRecords: 10000;
    readonly getRecordsBytes: number;
    readonly iteratorAgeMs: 300000;
    readonly shardIteratorsPerSecond: 5;
    readonly consumersPerStream: 20;
    readonly consumersPerStreamAdvantage: 50;
    readonly consumersCreating: 5;
    readonly subscriptionBytesPerSecond: number;
    readonly subscribeCallsPerSecond: 1;
    readonly subscriptionTakeoverMs: 5000;
    readonly subscriptionMs: 300000;
    readonly registerConsumerPerSecond: 5;
    readonly listShardsPerSecond: 1000;
    readonly listShardsPage: 1000;
    readonly nextTokenAgeMs: 300000;
    readonly describeStreamPerSecond: 10;
    readonly describeStreamSummaryPerSecond: 20;
    readonly describeStreamConsumerPerSecond: 20;
    readonly describeLimitsPerSecond: 1;
    readonly controlCallsPerSecond: 5;
    readonly updateShardCountPerSecond: 10;
    readonly updateShardCountPerDay: 10;
    readonly updateShardCountFactor: 2;
    readonly updateShardCountShards: 10000;
    readonly streamsCreating: 5;
    readonly openShards: 20000;
    readonly onDemandStreams: 50;
    readonly modeChangesPerDay: 2;
    readonly warmThroughputMiBps: 10240;
    readonly warmThroughputPerSecond: 5;
    readonly retentionHours: 8760;
    readonly keyChangesPerDay: 25;
    readonly encryptionDelayMs: 5000;
    readonly tagsPerResource: 50;
    readonly retentionTrim: 1;
};

// Named above, not exported:

export type RecordDistributionStrategy = "AUTO" | "USER_PARTITION_KEY";

export type StreamMode = "PROVISIONED" | "ON_DEMAND";
