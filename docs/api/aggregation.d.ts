// @millrace/aggregation

export interface AggregatedRecord {
    readonly data: Uint8Array;
    readonly partitionKey: string;
    readonly explicitHashKey: string;
    readonly count: number;
    readonly isUnsealed?: boolean | undefined;
}

export declare class Aggregator {
    #private;
    constructor(options?: {
        readonly maxBytes?: number | undefined;
    });
    add(record: UserRecord): boolean;
    build(options?: {
        readonly seal?: boolean | undefined;
        readonly wrap?: boolean | undefined;
    }): AggregatedRecord;
    reset(options?: {
        readonly maxBytes?: number | undefined;
    }): void;
    get sizeBytes(): number;
    get count(): number;
}

export type AnyKinesisRecord = KinesisRecord | SdkRecord | LambdaRecord;

export declare const COMPRESSION_TAG = "millrace.compression";

export type CompressionAlgorithm = "gzip" | "zstd";

export interface DeaggregateOptions {
    readonly onBadDigest?: DefectOutcome | undefined;
    readonly onUnparsable?: DefectOutcome | undefined;
    readonly onBadIndex?: DefectOutcome | undefined;
    readonly onOutOfRange?: DefectOutcome | undefined;
    readonly onBadCompression?: DefectOutcome | undefined;
    readonly hashKeyRange?: {
        readonly startingHashKey: bigint | string;
        readonly endingHashKey: bigint | string;
    } | undefined;
    readonly maxRecords?: number | undefined;
    readonly counts?: DeaggregationCounts | undefined;
}

export interface DeaggregationCounts {
    aggregates: number;
    userRecords: number;
    badDigest: number;
    unparsable: number;
    badIndex: number;
    outOfRange: number;
    compressed: number;
    badCompression: number;
    tooManyRecords: number;
}

export declare class DeaggregationError extends Error {
    readonly name = "DeaggregationError";
    readonly code = "ERR_DEAGGREGATION";
    readonly retryable = false;
    readonly reason: DeaggregationReason;
    readonly sequenceNumber: string;
    readonly subSequenceNumber: number | undefined;
    readonly [deaggregationBrand] = true;
    constructor(reason: DeaggregationReason, sequenceNumber: string, subSequenceNumber?: number);
    static [Symbol.hasInstance](value: unknown): boolean;
}

export type DeaggregationReason = "bad-digest" | "unparsable" | "bad-index" | "out-of-range" | "bad-compression";

export type DefectOutcome = "deliver" | "skip" | "fail";

export declare class InvalidRecordError extends Error {
    readonly name = "InvalidRecordError";
    readonly code = "ERR_INVALID_RECORD";
    readonly retryable = false;
    readonly path: string;
    readonly got: string;
    readonly expected: string;
    readonly [invalidRecordBrand] = true;
    constructor(fields: {
        readonly path: string;
        readonly got: unknown;
        readonly expected: string;
    });
    static [Symbol.hasInstance](value: unknown): boolean;
}

export interface KinesisRecord {
    readonly data: Uint8Array;
    readonly partitionKey?: string | undefined;
    readonly sequenceNumber: string;
}

export interface LambdaPayload {
    readonly data: string;
    readonly partitionKey?: string | undefined;
    readonly sequenceNumber: string;
}

export type LambdaRecord = {
    readonly kinesis: LambdaPayload;
} | LambdaPayload;

export interface LazyOptions extends DeaggregateOptions {
    readonly sliceRecords?: number | undefined;
}

export declare const MAX_HASH_KEY: bigint;

export declare class MessageReader {
    #private;
    readonly bytes: Buffer;
    readonly partitionKeys: StringTable;
    readonly explicitHashKeys: StringTable;
    recordCount: number;
    isPacked: boolean;
    partitionKeyIndex: number;
    explicitHashKeyIndex: number;
    dataStart: number;
    dataEnd: number;
    constructor(message: Buffer);
    check(maxBytes: number): boolean;
    next(maxBytes: number): "record" | "pause" | "end";
    get hasItsKeys(): boolean;
    get tags(): TagsPlace | undefined;
    readTags({ decoded, start, end }: TagsPlace): Readonly<Record<string, string>>;
}

export interface RecordMaker<Source extends KinesisRecord, Made> {
    whole(source: Source): Made;
    member(source: Source, message: MessageReader, subSequenceNumber: number): Made;
}

export interface Rules {
    readonly onBadDigest: DefectOutcome;
    readonly onUnparsable: DefectOutcome;
    readonly onBadIndex: DefectOutcome;
    readonly onOutOfRange: DefectOutcome;
    readonly onBadCompression: DefectOutcome;
    readonly range: {
        readonly start: bigint;
        readonly end: bigint;
    } | undefined;
    readonly maxRecords: number;
    readonly sliceRecords: number;
    readonly counts: DeaggregationCounts;
}

export interface SdkRecord {
    readonly Data: Uint8Array | undefined;
    readonly PartitionKey?: string | undefined;
    readonly SequenceNumber: string | undefined;
}

export interface TagsPlace {
    readonly decoded: readonly [key: string, value: string][] | undefined;
    readonly start: number;
    readonly end: number;
}

export interface UserRecord {
    readonly partitionKey: string;
    readonly data: Uint8Array | string;
    readonly explicitHashKey?: bigint | string | undefined;
    readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface UserRecordView {
    readonly data: Uint8Array;
    readonly partitionKey?: string | undefined;
    readonly explicitHashKey?: string | undefined;
    readonly sequenceNumber: string;
    readonly subSequenceNumber: number;
    readonly aggregated: boolean;
    readonly tags?: Readonly<Record<string, string>> | undefined;
}

export declare function canCompress(algorithm: CompressionAlgorithm): boolean;

export declare function createCounts(): DeaggregationCounts;

export declare function deaggregate(record: AnyKinesisRecord, options?: DeaggregateOptions): UserRecordView[];

export declare function deaggregateLazily(record: AnyKinesisRecord, options?: LazyOptions): Generator<UserRecordView[], void, undefined>;

export declare function hashKeyTop32(record: Pick<UserRecord, "partitionKey" | "explicitHashKey">): number;

export declare function isAggregated(data: Uint8Array): boolean;

export declare function kinesisRecordBytes(record: UserRecord): number;

export declare function openRecords<Source extends KinesisRecord, Made>(sources: readonly Source[], maker: RecordMaker<Source, Made>, rules: Rules, firstSubSequenceNumber?: number): Generator<Made[], void, undefined>;

export declare function parseExplicitHashKey(value: bigint | string): bigint;

export declare function partitionKeyHash(partitionKey: string): bigint;

export declare function readRules(options: LazyOptions): Rules;

export declare function sealAggregates(records: readonly AggregatedRecord[]): void;

export declare function userRecordHash(record: Pick<UserRecord, "partitionKey" | "explicitHashKey">): bigint;

export declare function wrapCompressed(aggregate: AggregatedRecord, compressed: Uint8Array, algorithm: CompressionAlgorithm): AggregatedRecord | undefined;

// Named above, not exported:

declare const deaggregationBrand: unique symbol;

declare const invalidRecordBrand: unique symbol;

export declare class StringTable {
    #private;
    constructor(message: Buffer);
    get count(): number;
    add(position: number): void;
    at(index: number): string | undefined;
}
