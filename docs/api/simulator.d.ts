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
    countCall(action: string): void;
    countFailure(code: string): void;
    countStored(bytes: number, onDemand: boolean): void;
    countThrottledRecord(): void;
    countRead(records: number, bytes: number, how: {
        readonly onDemand: boolean;
        readonly fanOut: boolean;
    }): void;
    countTrimmedForMemory(): void;
    setRent(streamArn: string, rent: Rent | undefined): void;
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
    concerns(call: FaultedCall): boolean;
    fits(call: FaultedCall): boolean;
    strikes(random: () => number): boolean;
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
    constructor(state: ServiceState, faults: FaultBook);
    execute(action: string, input: ServiceInput, context?: CallContext): Promise<ServiceOutput>;
}

export declare class KinesisSimulator implements AsyncDisposable {
    #private;
    readonly kinesis: KinesisPort;
    readonly clock: SimulatorClock;
    readonly meter: BillingMeter;
    readonly service: KinesisService;
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
    repeat(event: HostEvent): void;
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
    constructor(timeline: HostTimeline, name: string, random: Prng);
    get isPaused(): boolean;
    get life(): number;
    jumpClock(ms: number): void;
    pause(): void;
    resume(): void;
    kill(): void;
    defer(event: HostEvent): void;
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

export declare class FaultBook {
    #private;
    constructor(state: ServiceState);
    get hasAny(): boolean;
    add(options: FaultOptions): Fault;
    clear(): void;
    run(action: ActionName, input: ServiceInput, context: CallContext, answer: (verdict: EntryVerdict | undefined) => ServiceOutput): Promise<ServiceOutput>;
}

export declare class RateBucket {
    #private;
    readonly perSecond: number;
    readonly capacity: number;
    constructor(perSecond: number, capacity: number, nowMs: number);
    has(cost: number, nowMs: number): boolean;
    isPositive(nowMs: number): boolean;
    waitMs(nowMs: number): number;
    take(cost: number, nowMs: number): void;
    owe(tokens: number, nowMs: number): void;
}

export declare class RecordLog {
    #private;
    get trimHorizon(): number;
    get tip(): number;
    get storedBytes(): number;
    get oldest(): StoredRecord | undefined;
    recordAt(counter: number): StoredRecord | undefined;
    push(record: StoredRecord): void;
    trimBefore(wallMs: number): number;
    trimOldest(): number;
    counterAtTime(wallMs: number): number;
}

export declare class RecordMemory {
    #private;
    constructor(maxBytes: number, streams: ReadonlyMap<string, Stream>, meter: BillingMeter);
    add(bytes: number): void;
    forget(stream: Stream): void;
    trimExpired(stream: Stream, shard: Shard, wallMs: number): void;
    trimToCap(): void;
}

export declare class ServiceClock implements SimulatorClock {
    #private;
    constructor(system: System);
    now(): Date;
    steadyMs(): number;
    wallMs(): number;
    random(): number;
    uuid(): string;
    schedule(delayMs: number, callback: () => void): Timer;
    advance(ms: number): void;
    jump(ms: number): void;
    asSystem(): System;
    close(): void;
}

export declare class ServiceState {
    #private;
    readonly accountId: string;
    readonly region: string;
    readonly limits: Limits;
    readonly clock: ServiceClock;
    readonly meter: BillingMeter;
    readonly seal: TokenSeal;
    readonly transitionMs: number;
    readonly memory: RecordMemory;
    readonly streams: Map<string, Stream>;
    readonly subscriptions: Map<string, Subscription>;
    readonly commitment: Commitment;
    readonly policies: Map<string, string>;
    constructor(fields: StateFields);
    moment(): Moment;
    arnOf(streamName: string): string;
    stream(input: StreamInput): Stream;
    consumer(input: {
        readonly StreamARN?: string | undefined;
        readonly ConsumerName?: string | undefined;
        readonly ConsumerARN?: string | undefined;
    }): {
        readonly stream: Stream;
        readonly consumer: StreamConsumer;
    };
    streamNotFound(streamName: string, accountId?: string): ServiceError;
    readableStream(input: StreamInput): Stream;
    activeStream(input: StreamInput): Stream;
    transition(stream: Stream, status: "CREATING" | "UPDATING", change?: (moment: Moment) => void): void;
    updateRent(stream: Stream): void;
    removeStream(stream: Stream): void;
    openShardCount(): number;
    takeCall(rateName: string, perSecond: number): void;
}

export declare class Shard {
    #private;
    readonly shardId: string;
    readonly index: number;
    readonly startingHashKey: bigint;
    readonly endingHashKey: bigint;
    readonly startHex: string;
    readonly endHex: string;
    readonly parentShardId: string | undefined;
    readonly adjacentParentShardId: string | undefined;
    readonly createdWallMs: number;
    readonly createdSecond: number;
    readonly startingSequenceNumber: string;
    readonly log: RecordLog;
    readonly readCalls: RateBucket;
    readonly readBytes: RateBucket;
    readonly iteratorCalls: RateBucket;
    readonly childShardIds: string[];
    readonly watchers: Set<() => void>;
    constructor(fields: ShardFields);
    get isOpen(): boolean;
    get closedWallMs(): number | undefined;
    get endingSequenceNumber(): string | undefined;
    takeWrite(bytes: number, nowMs: number): boolean;
    setMaxRecordBytes(maxRecordBytes: number, nowMs: number): void;
    append(data: Uint8Array, partitionKey: string | undefined, keyBytes: number, encrypted: boolean, wallMs: number): StoredRecord;
    notifyWatchers(): void;
    close(wallMs: number, childShardIds: readonly string[]): void;
    counterOf(sequenceNumber: string, inclusive: boolean): number | undefined;
    continuationAt(counter: number, wallMs: number): string;
    precedesTip(sequenceNumber: string, wallMs: number): boolean;
}

export declare class Stream {
    #private;
    readonly streamName: string;
    readonly streamArn: string;
    readonly accountId: string;
    readonly createdWallMs: number;
    readonly limits: Limits;
    readonly tags: Map<string, string>;
    readonly consumers: Map<string, StreamConsumer>;
    readonly shardLevelMetrics: Set<string>;
    readonly history: {
        readonly shardCount: number[];
        readonly mode: number[];
        readonly key: number[];
    };
    status: StreamStatus;
    mode: StreamMode;
    strategy: RecordDistributionStrategy;
    encryptionKeyId: string | undefined;
    encryptedFromMs: number;
    warmThroughputMiBps: number | undefined;
    constructor(fields: StreamFields);
    get maxRecordSizeKiB(): number;
    get retentionHours(): number;
    setRetentionHours(hours: number, wallMs: number): void;
    isEncryptedAt(nowMs: number): boolean;
    get shards(): readonly Shard[];
    get openShards(): readonly Shard[];
    get storedBytes(): number;
    horizonMs(wallMs: number): number;
    knownShards(wallMs: number): Shard[];
    shard(shardId: string, wallMs: number): Shard;
    findShard(shardId: string): Shard | undefined;
    shardAt(hashHex: string): Shard;
    nextConsumerSecond(second: number): number;
    setMaxRecordSizeKiB(maxRecordSizeKiB: number, nowMs: number): void;
    split(shard: Shard, newStartingHashKey: bigint, moment: Moment): readonly Shard[];
    merge(shard: Shard, adjacent: Shard, moment: Moment): Shard;
}

export declare class Subscription implements AsyncIterableIterator<SubscriptionFrame> {
    #private;
    readonly startedMs: number;
    readonly consumerArn: string;
    onEnd: () => void;
    constructor(fields: SubscriptionFields);
    [Symbol.asyncIterator](): this;
    next(): Promise<IteratorResult<SubscriptionFrame, undefined>>;
    return(): Promise<IteratorResult<SubscriptionFrame, undefined>>;
    fail(failure: ServiceError | WireFault): void;
    failAfter(events: number, failure: ServiceError | WireFault): void;
    wake(): void;
}

export declare class TokenSeal {
    #private;
    constructor(secret: string);
    sealIterator(place: IteratorPlace): string;
    openIterator(token: string): IteratorPlace | undefined;
    sealPage(place: PagePlace): string;
    openPage(token: string): PagePlace | undefined;
}

export interface Commitment {
    startedMs: number | undefined;
    endsMs: number | undefined;
}

export interface FaultedCall {
    readonly action: ActionName;
    readonly streamName: string | undefined;
    readonly shardIds: () => ReadonlySet<string>;
}

export interface HostEvent {
    atMs: number;
    order: number;
    readonly host: VirtualHost;
    readonly life: number;
    readonly what: string;
    callback: (() => void) | undefined;
}

export interface HostTimeline {
    readonly nowMs: number;
    readonly startWallMs: number;
    schedule(host: VirtualHost, delayMs: number, callback: () => void, what?: string): Timer;
    repeat(event: HostEvent): void;
}

export interface IteratorPlace {
    readonly streamArn: string;
    readonly streamCreatedMs: number;
    readonly shardId: string;
    readonly counter: number;
    readonly madeMs: number;
}

export interface Moment {
    readonly nowMs: number;
    readonly wallMs: number;
}

export interface PagePlace {
    readonly list: string;
    readonly of: string;
    readonly after: string;
    readonly query: string;
    readonly madeMs: number;
}

export interface Rent {
    readonly openShards: number;
    readonly onDemand: boolean;
    readonly retentionHours: number;
    readonly consumers: number;
}

export interface ShardFields {
    readonly index: number;
    readonly startingHashKey: bigint;
    readonly endingHashKey: bigint;
    readonly parentShardId?: string | undefined;
    readonly adjacentParentShardId?: string | undefined;
    readonly createdWallMs: number;
    readonly createdSecond: number;
    readonly nowMs: number;
    readonly limits: Limits;
    readonly maxRecordBytes: number;
}

export interface StateFields {
    readonly accountId: string;
    readonly region: string;
    readonly limits: Limits;
    readonly clock: ServiceClock;
    readonly meter: BillingMeter;
    readonly seal: TokenSeal;
    readonly transitionMs: number;
    readonly maxStoredBytes: number;
}

export interface StoredRecord {
    readonly sequenceNumber: string;
    readonly data: Uint8Array;
    readonly partitionKey: string | undefined;
    readonly arrivalMs: number;
    readonly encrypted: boolean;
    readonly bytes: number;
}

export interface StreamConsumer {
    readonly consumerName: string;
    readonly consumerArn: string;
    readonly createdWallMs: number;
    readonly tags: Map<string, string>;
    status: "CREATING" | "ACTIVE" | "DELETING";
}

export interface StreamFields {
    readonly streamName: string;
    readonly streamArn: string;
    readonly accountId: string;
    readonly shardCount: number;
    readonly mode: StreamMode;
    readonly maxRecordSizeKiB: number;
    readonly strategy: RecordDistributionStrategy;
    readonly moment: Moment;
    readonly limits: Limits;
}

export interface StreamInput {
    readonly StreamName?: string | undefined;
    readonly StreamARN?: string | undefined;
}

export interface SubscriptionFields {
    readonly state: ServiceState;
    readonly stream: Stream;
    readonly shard: Shard;
    readonly consumer: StreamConsumer;
    readonly counter: number;
    readonly signal: AbortSignal | undefined;
}

export type EntryVerdict = (shardId: string) => "ProvisionedThroughputExceededException" | "InternalFailure" | undefined;

export type Limits = Readonly<Record<LimitName, number>>;

export type RecordDistributionStrategy = "AUTO" | "USER_PARTITION_KEY";

export type StreamMode = "PROVISIONED" | "ON_DEMAND";

export type StreamStatus = "CREATING" | "DELETING" | "ACTIVE" | "UPDATING";
