/**
 * Pure. The Kinesis Data Streams actions that Millrace calls, as an interface.
 *
 * Two things implement it: the adapter over the user's `KinesisClient` (`aws-adapter.ts`), and the simulator in
 * process. An expected failure is a value: no implementation rejects, retries or waits on its own.
 * Source of the shapes and limits: type docs of `@aws-sdk/client-kinesis` 3.1143.0.
 */
import type { KinesisError } from "./errors.ts";

/** What came of a call. `serviceTime` is the `Date` header of the answer, milliseconds since 1970, where there was one. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T; readonly serviceTime: number | undefined }
  | { readonly ok: false; readonly error: KinesisError };

/** What every call takes beside its request. */
export interface CallOptions {
  /** Ends the call; its answer is then a failure of kind `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/** A stream by name, by ARN, or both; the ARN reaches streams of other accounts. */
export interface StreamRef {
  readonly streamName?: string | undefined;
  readonly streamArn?: string | undefined;
}

/** One Kinesis record to store; its payload and key together have at most the stream's record size. */
export interface PutRecordsEntry {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  /** Decimal, 0 to 2^128 - 1; overrides the hash of the partition key. */
  readonly explicitHashKey?: string | undefined;
}

/** Records for one PutRecords call. */
export interface PutRecordsRequest extends StreamRef {
  /** 1 to 500 entries, at most 10 MiB with their keys. */
  readonly records: readonly PutRecordsEntry[];
}

/** The fate of one entry: stored, or refused with `ProvisionedThroughputExceededException` or `InternalFailure`. */
export type PutRecordsResultEntry =
  | { readonly ok: true; readonly shardId: string; readonly sequenceNumber: string }
  | { readonly ok: false; readonly errorCode: string; readonly errorMessage: string };

/** The fates of the entries of one call. */
export interface PutRecordsResponse {
  /** As many entries as the request had, in its order. */
  readonly records: readonly PutRecordsResultEntry[];
}

/** Where reading a shard begins. */
export type StartingPosition =
  | { readonly type: "TRIM_HORIZON" }
  | { readonly type: "LATEST" }
  | { readonly type: "AT_TIMESTAMP"; readonly timestamp: Date }
  | { readonly type: "AT_SEQUENCE_NUMBER"; readonly sequenceNumber: string }
  | { readonly type: "AFTER_SEQUENCE_NUMBER"; readonly sequenceNumber: string };

/** Asks for an iterator at a place in a shard. */
export interface GetShardIteratorRequest extends StreamRef {
  readonly shardId: string;
  readonly position: StartingPosition;
}

/** An iterator to read with. */
export interface GetShardIteratorResponse {
  /** Valid for 5 minutes. */
  readonly shardIterator: string;
}

/** Asks for the records behind an iterator. */
export interface GetRecordsRequest {
  readonly shardIterator: string;
  /** 1 to 10,000. */
  readonly limit?: number | undefined;
  /** For streams of other accounts. */
  readonly streamArn?: string | undefined;
}

/** A Kinesis record as the service returns it: perhaps an aggregate of many user records. */
export interface ServiceRecord {
  readonly data: Uint8Array;
  /** Absent on streams with the AUTO record distribution strategy. */
  readonly partitionKey?: string | undefined;
  readonly sequenceNumber: string;
  readonly approximateArrivalTimestamp?: Date | undefined;
}

/** A shard that follows one that has ended. */
export interface ChildShard {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  readonly startingHashKey: bigint;
  readonly endingHashKey: bigint;
}

/** At most 10 MiB of records, and where to go on. */
export interface GetRecordsResponse {
  readonly records: readonly ServiceRecord[];
  /** Undefined when the shard is closed and everything in it has been returned. */
  readonly nextShardIterator: string | undefined;
  readonly millisBehindLatest: number;
  /** Filled when `nextShardIterator` is undefined. */
  readonly childShards: readonly ChildShard[];
}

/** A shard as ListShards tells it. */
export interface Shard {
  readonly shardId: string;
  readonly parentShardId: string | undefined;
  readonly adjacentParentShardId: string | undefined;
  /** Inclusive. */
  readonly startingHashKey: bigint;
  /** Inclusive. */
  readonly endingHashKey: bigint;
  readonly startingSequenceNumber: string;
  /** Undefined while the shard is open. */
  readonly endingSequenceNumber: string | undefined;
}

/** Which shards ListShards returns. */
export type ShardFilter =
  | { readonly type: "AFTER_SHARD_ID"; readonly shardId: string }
  | { readonly type: "AT_TRIM_HORIZON" | "FROM_TRIM_HORIZON" | "AT_LATEST" }
  | { readonly type: "AT_TIMESTAMP" | "FROM_TIMESTAMP"; readonly timestamp: Date };

/** One page: with `nextToken`, nothing that names the stream may be sent. */
export type ListShardsRequest =
  | { readonly nextToken: string; readonly maxResults?: number | undefined }
  | (StreamRef & {
      readonly nextToken?: undefined;
      readonly maxResults?: number | undefined;
      readonly filter?: ShardFilter | undefined;
      readonly exclusiveStartShardId?: string | undefined;
      readonly streamCreationTimestamp?: Date | undefined;
    });

/** One page of shards. */
export interface ListShardsResponse {
  readonly shards: readonly Shard[];
  readonly nextToken: string | undefined;
}

/** What DescribeStreamSummary tells of a stream, as far as it is used here. */
export interface StreamSummary {
  readonly streamName: string;
  readonly streamArn: string;
  readonly streamStatus: "CREATING" | "DELETING" | "ACTIVE" | "UPDATING";
  readonly streamMode: "PROVISIONED" | "ON_DEMAND";
  readonly streamCreationTimestamp: Date;
  readonly retentionPeriodHours: number;
  readonly openShardCount: number;
  /** Largest record with its key, in KiB: 1024 to 10240. */
  readonly maxRecordSizeKiB: number;
  /** `AUTO`: the service picks the shard and ignores keys; on-demand streams only. */
  readonly recordDistributionStrategy: "AUTO" | "USER_PARTITION_KEY";
}

/** The actions, one method each. */
export interface KinesisPort {
  putRecords(request: PutRecordsRequest, options?: CallOptions): Promise<Answer<PutRecordsResponse>>;
  getShardIterator(request: GetShardIteratorRequest, options?: CallOptions): Promise<Answer<GetShardIteratorResponse>>;
  getRecords(request: GetRecordsRequest, options?: CallOptions): Promise<Answer<GetRecordsResponse>>;
  listShards(request: ListShardsRequest, options?: CallOptions): Promise<Answer<ListShardsResponse>>;
  describeStreamSummary(request: StreamRef, options?: CallOptions): Promise<Answer<StreamSummary>>;
}
