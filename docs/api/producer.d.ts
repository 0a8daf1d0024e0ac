// @millrace/producer

export type AggregationKey = "a" | "first" | "perKey";

export interface Attempt {
    readonly delayMs: number;
    readonly durationMs: number;
    readonly success: boolean;
    readonly errorCode?: string;
    readonly errorMessage?: string;
}

export declare class BufferFullError extends Error {
    readonly name = "BufferFullError";
    readonly code = "ERR_BUFFER_FULL";
    readonly retryable = true;
    readonly [bufferFullBrand] = true;
    constructor(waitingRecords: number);
    static [Symbol.hasInstance](value: unknown): boolean;
}

export { ConfigError } from "@millrace/core/options";

export { MeterPort } from "@millrace/core/observe";

export { MetricScope } from "@millrace/core/observe";

export { MetricUnit } from "@millrace/core/observe";

export { Metrics } from "@millrace/core/observe";

export { MetricsGranularity } from "@millrace/core/observe";

export { MetricsUploadOptions } from "@millrace/core/observe";

export type OnSettled = (result: PutResult | undefined, error?: PutError) => void;

export { OpenTelemetryMetricsOptions } from "@millrace/core/observe";

export declare class Producer implements AsyncDisposable {
    #private;
    get buffered(): {
        readonly records: number;
        readonly bytes: number;
    };
    put(record: UserRecord, options?: WaitOptions): Promise<PutResult>;
    putAll(records: RecordSource, options?: WaitOptions): Promise<{
        stored: number;
    }>;
    putEach(records: RecordSource): AsyncIterable<PutOutcome>;
    offer(record: UserRecord, onSettled?: OnSettled): boolean;
    ready(options?: WaitOptions): Promise<void>;
    flush(): Promise<void>;
    close(options?: WaitOptions): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export declare class ProducerClosedError extends Error {
    readonly name = "ProducerClosedError";
    readonly code = "ERR_PRODUCER_CLOSED";
    readonly retryable = false;
    readonly [producerClosedBrand] = true;
    constructor();
    static [Symbol.hasInstance](value: unknown): boolean;
}

export type ProducerEvent = 
{
    readonly type: "shard-map-updated";
    readonly openShards: number;
}
 | {
    readonly type: "shard-map-failed";
    readonly code: string;
    readonly message: string;
    readonly retryInMs: number;
}
 | {
    readonly type: "prediction-off";
    readonly code: string;
    readonly message: string;
}
 | {
    readonly type: "record-distribution";
    readonly auto: boolean;
}
 | {
    readonly type: "request-completed";
    readonly kinesisRecords: number;
    readonly userRecords: number;
    readonly bytes: number;
    readonly durationMs: number;
    readonly failedRecords: number;
    readonly errorCode?: string;
}
 | {
    readonly type: "retry";
    readonly code: string;
    readonly message: string;
    readonly userRecords: number;
    readonly shardId?: string;
    readonly delayMs: number;
}
 | {
    readonly type: "throttled";
    readonly shardId: string;
    readonly ratePercent: number;
}
 | {
    readonly type: "request-refused";
    readonly code: string;
    readonly message: string;
    readonly userRecords: number;
}
 | {
    readonly type: "wrong-shard";
    readonly predictedShardId: string;
    readonly actualShardId: string;
    readonly userRecords: number;
}
 | {
    readonly type: "records-failed";
    readonly code: string;
    readonly message: string;
    readonly scope: PutErrorScope;
    readonly userRecords: number;
    readonly offeredRecords: number;
}
 | {
    readonly type: "buffer-full";
    readonly bufferedRecords: number;
    readonly bufferedBytes: number;
}
 | {
    readonly type: "buffer-ready";
};

export interface ProducerOptions {
    readonly streamName?: string | undefined;
    readonly streamArn?: string | undefined;
    readonly client?: KinesisClient | undefined;
    readonly region?: string | undefined;
    readonly aggregation?: boolean | undefined;
    readonly aggregationMaxBytes?: number | undefined;
    readonly aggregationMaxRecords?: number | undefined;
    readonly aggregationKey?: AggregationKey | undefined;
    readonly compression?: "none" | CompressionAlgorithm | undefined;
    readonly collectionMaxRecords?: number | undefined;
    readonly collectionMaxBytes?: number | undefined;
    readonly recordMaxBufferedMs?: number | undefined;
    readonly recordTtlMs?: number | undefined;
    readonly maxRecordBytes?: number | undefined;
    readonly rateLimitPercent?: number | undefined;
    readonly failIfThrottled?: boolean | undefined;
    readonly ordering?: "none" | "perKey" | undefined;
    readonly onOrderBreak?: "fail" | "continue" | undefined;
    readonly wireFormat?: "json" | "cbor" | undefined;
    readonly maxConnections?: number | undefined;
    readonly requestTimeoutMs?: number | undefined;
    readonly maxBufferedBytes?: number | undefined;
    readonly maxBufferedRecords?: number | undefined;
    readonly maxWaitingRecords?: number | undefined;
    readonly metrics?: Metrics | undefined;
    readonly onEvent?: ((event: ProducerEvent) => void) | undefined;
}

export interface ProducerWiring {
    readonly kinesis?: KinesisPort | undefined;
    readonly system?: System | undefined;
    readonly compress?: Compress | undefined;
}

export { PrometheusMetrics } from "@millrace/core/observe";

export { PrometheusMetricsOptions } from "@millrace/core/observe";

export declare class PutAllError extends Error {
    readonly name = "PutAllError";
    readonly code = "ERR_PUT_ALL";
    readonly stored: number;
    readonly failed: number;
    readonly errors: readonly Error[];
    readonly [putAllBrand] = true;
    constructor(fields: {
        stored: number;
        failed: number;
        errors: readonly Error[];
        cause?: unknown;
    });
    static [Symbol.hasInstance](value: unknown): boolean;
}

export declare class PutError extends Error {
    readonly name: string;
    readonly code: string;
    readonly scope: PutErrorScope;
    readonly attempts: readonly Attempt[];
    readonly retryable: boolean;
    readonly mayHaveBeenStored: boolean;
    readonly [putErrorBrand] = true;
    constructor(fields: PutErrorFields);
    static [Symbol.hasInstance](value: unknown): boolean;
}

export interface PutErrorFields {
    readonly code: string;
    readonly message: string;
    readonly scope: PutErrorScope;
    readonly attempts: readonly Attempt[];
    readonly retryable: boolean;
    readonly mayHaveBeenStored?: boolean | undefined;
    readonly cause?: unknown;
}

export type PutErrorScope = "record" | "stream" | "lifetime";

export { PutMetricDataInput } from "@millrace/core/observe";

export type PutOutcome = {
    readonly ok: true;
    readonly record: UserRecord;
    readonly result: PutResult;
} | {
    readonly ok: false;
    readonly record: UserRecord;
    readonly error: PutError;
};

export interface PutResult {
    readonly shardId: string;
    readonly sequenceNumber: string;
    readonly subSequenceNumber?: number;
    readonly attempts: readonly Attempt[];
}

export interface PutTrace {
    readonly streamName: string;
    readonly record: UserRecord;
    addedTags?: Readonly<Record<string, string>> | undefined;
    result?: PutResult | undefined;
    error?: unknown;
}

export declare class RecordError extends PutError {
    readonly name: string;
    readonly path: string;
    readonly got: string;
    readonly expected: string;
    readonly [recordErrorBrand] = true;
    constructor(fields: {
        path: string;
        got: unknown;
        expected: string;
        code?: string | undefined;
    });
    static [Symbol.hasInstance](value: unknown): boolean;
}

export type RecordSource = Iterable<UserRecord> | AsyncIterable<UserRecord>;

export declare class RecordTooLargeError extends RecordError {
    readonly name = "RecordTooLargeError";
    readonly sizeBytes: number;
    readonly maxBytes: number;
    readonly [recordTooLargeBrand] = true;
    constructor(sizeBytes: number, maxBytes: number);
    static [Symbol.hasInstance](value: unknown): boolean;
}

export interface RequestTrace {
    readonly streamName: string;
    readonly kinesisRecords: number;
    readonly userRecords: number;
    readonly bytes: number;
    puts(): Iterable<PutTrace>;
    result?: PutRecordsResponse | undefined;
    error?: unknown;
}

export { UploadedMetrics } from "@millrace/core/observe";

export { UserRecord } from "@millrace/aggregation";

export interface WaitOptions {
    readonly signal?: AbortSignal | undefined;
}

export { cloudWatchMetrics } from "@millrace/core/observe";

export { embeddedMetrics } from "@millrace/core/observe";

export { openTelemetryMetrics } from "@millrace/core/observe";

export { prometheusMetrics } from "@millrace/core/observe";

// Named above, not exported:

declare const bufferFullBrand: unique symbol;

declare const producerClosedBrand: unique symbol;

declare const putAllBrand: unique symbol;

declare const putErrorBrand: unique symbol;

declare const recordErrorBrand: unique symbol;

declare const recordTooLargeBrand: unique symbol;

export type Compress = (bytes: Uint8Array, algorithm: CompressionAlgorithm) => Promise<Uint8Array>;
