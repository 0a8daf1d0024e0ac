// @millrace/core/kinesis

export type Answer<T> = {
    readonly ok: true;
    readonly value: T;
    readonly serviceTime: number | undefined;
} | {
    readonly ok: false;
    readonly error: KinesisError;
};

export interface CallOptions {
    readonly signal?: AbortSignal | undefined;
}

export interface ChildShard {
    readonly shardId: string;
    readonly parentShardIds: readonly string[];
    readonly startingHashKey: bigint;
    readonly endingHashKey: bigint;
}

export interface EventFrame {
    readonly headers: Readonly<Record<string, string>>;
    readonly payload: Buffer;
}

export declare class EventFrames {
    #private;
    push(piece: Uint8Array): void;
    get isBetweenFrames(): boolean;
    next(): EventFrame | undefined;
}

export type FailureKind = "throttle" | "transient" | "permanent" | "aborted";

export interface GetRecordsRequest {
    readonly shardIterator: string;
    readonly limit?: number | undefined;
    readonly streamArn?: string | undefined;
}

export interface GetRecordsResponse {
    readonly records: readonly ServiceRecord[];
    readonly nextShardIterator: string | undefined;
    readonly millisBehindLatest: number;
    readonly childShards: readonly ChildShard[];
}

export interface GetShardIteratorRequest extends StreamRef {
    readonly shardId: string;
    readonly position: StartingPosition;
}

export interface GetShardIteratorResponse {
    readonly shardIterator: string;
}

export declare class KinesisError extends Error {
    readonly name = "KinesisError";
    readonly code: string;
    readonly kind: FailureKind;
    readonly httpStatus: number | undefined;
    readonly mayHaveTakenEffect: boolean;
    constructor(fields: {
        code: string;
        message: string;
        kind: FailureKind;
        httpStatus?: number | undefined;
        mayHaveTakenEffect: boolean;
        cause?: unknown;
    });
}

export interface KinesisPort {
    putRecords(request: PutRecordsRequest, options?: CallOptions): Promise<Answer<PutRecordsResponse>>;
    getShardIterator(request: GetShardIteratorRequest, options?: CallOptions): Promise<Answer<GetShardIteratorResponse>>;
    getRecords(request: GetRecordsRequest, options?: CallOptions): Promise<Answer<GetRecordsResponse>>;
    listShards(request: ListShardsRequest, options?: CallOptions): Promise<Answer<ListShardsResponse>>;
    describeStreamSummary(request: StreamRef, options?: CallOptions): Promise<Answer<StreamSummary>>;
}

export type ListShardsRequest = {
    readonly nextToken: string;
    readonly maxResults?: number | undefined;
} | (StreamRef & {
    readonly nextToken?: undefined;
    readonly maxResults?: number | undefined;
    readonly filter?: ShardFilter | undefined;
    readonly exclusiveStartShardId?: string | undefined;
    readonly streamCreationTimestamp?: Date | undefined;
});

export interface ListShardsResponse {
    readonly shards: readonly Shard[];
    readonly nextToken: string | undefined;
}

export interface PutRecordsEntry {
    readonly data: Uint8Array;
    readonly partitionKey: string;
    readonly explicitHashKey?: string | undefined;
}

export interface PutRecordsRequest extends StreamRef {
    readonly records: readonly PutRecordsEntry[];
}

export interface PutRecordsResponse {
    readonly records: readonly PutRecordsResultEntry[];
}

export type PutRecordsResultEntry = {
    readonly ok: true;
    readonly shardId: string;
    readonly sequenceNumber: string;
} | {
    readonly ok: false;
    readonly errorCode: string;
    readonly errorMessage: string;
};

export interface ServiceRecord {
    readonly data: Uint8Array;
    readonly partitionKey?: string | undefined;
    readonly sequenceNumber: string;
    readonly approximateArrivalTimestamp?: Date | undefined;
}

export interface Shard {
    readonly shardId: string;
    readonly parentShardId: string | undefined;
    readonly adjacentParentShardId: string | undefined;
    readonly startingHashKey: bigint;
    readonly endingHashKey: bigint;
    readonly startingSequenceNumber: string;
    readonly endingSequenceNumber: string | undefined;
}

export type ShardFilter = {
    readonly type: "AFTER_SHARD_ID";
    readonly shardId: string;
} | {
    readonly type: "AT_TRIM_HORIZON" | "FROM_TRIM_HORIZON" | "AT_LATEST";
} | {
    readonly type: "AT_TIMESTAMP" | "FROM_TIMESTAMP";
    readonly timestamp: Date;
};

export type StartingPosition = {
    readonly type: "TRIM_HORIZON";
} | {
    readonly type: "LATEST";
} | {
    readonly type: "AT_TIMESTAMP";
    readonly timestamp: Date;
} | {
    readonly type: "AT_SEQUENCE_NUMBER";
    readonly sequenceNumber: string;
} | {
    readonly type: "AFTER_SEQUENCE_NUMBER";
    readonly sequenceNumber: string;
};

export interface StreamRef {
    readonly streamName?: string | undefined;
    readonly streamArn?: string | undefined;
}

export interface StreamSummary {
    readonly streamName: string;
    readonly streamArn: string;
    readonly streamStatus: "CREATING" | "DELETING" | "ACTIVE" | "UPDATING";
    readonly streamMode: "PROVISIONED" | "ON_DEMAND";
    readonly streamCreationTimestamp: Date;
    readonly retentionPeriodHours: number;
    readonly openShardCount: number;
    readonly maxRecordSizeKiB: number;
    readonly recordDistributionStrategy: "AUTO" | "USER_PARTITION_KEY";
}

export declare function childShards(children: readonly WireChildShard[] | undefined | null): ChildShard[];

export declare function classifyFailure(code: string, httpStatus: number | undefined): Exclude<FailureKind, "aborted">;

export declare function compareSequenceNumbers(a: string, b: string): number;

export declare function decodeGetRecordsJson(body: Buffer): GetRecordsOutput;

export declare function isSequenceNumber(text: string): boolean;

export declare function kinesisErrorFrom(error: unknown, signal: AbortSignal | undefined): KinesisError;

export declare function serviceRecords(records: readonly WireRecord[] | undefined | null): ServiceRecord[];
