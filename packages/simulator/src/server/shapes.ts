/**
 * Pure. What each action takes: the type of every input field, which the wire's two formats need for reading a request.
 *
 * JSON cannot tell a blob from text, and neither format can tell a wrong type from a right one without this table.
 * Outputs need none: a `Uint8Array` is a blob and a `Date` a timestamp.
 * Source: the schemas of `@aws-sdk/client-kinesis` 3.1143.0; `shapes.test.ts` compares them field by field.
 */

/** The type of a field: a scalar, a list, a map with text keys, or a structure. */
export type Shape =
  | { readonly type: "string" | "integer" | "boolean" | "blob" | "timestamp" }
  | { readonly type: "list"; readonly member: Shape }
  | { readonly type: "map"; readonly value: Shape }
  | StructureShape;

/** A structure with its known fields; others are ignored, as the service does. */
export interface StructureShape {
  readonly type: "structure";
  readonly fields: ReadonlyMap<string, Shape>;
}

const text: Shape = { type: "string" };
const integer: Shape = { type: "integer" };
const flag: Shape = { type: "boolean" };
const blob: Shape = { type: "blob" };
const timestamp: Shape = { type: "timestamp" };
const textList: Shape = { type: "list", member: text };
const textMap: Shape = { type: "map", value: text };

function structure(fields: Readonly<Record<string, Shape>>): StructureShape {
  return { type: "structure", fields: new Map(Object.entries(fields)) };
}

/** A stream by name or ARN; `StreamId` is on nearly every call and reserved by the service. */
const stream = { StreamName: text, StreamARN: text, StreamId: text };
const streamArn = { StreamARN: text, StreamId: text };
const resource = { ResourceARN: text, StreamId: text };
const consumer = { StreamARN: text, ConsumerName: text, ConsumerARN: text, StreamId: text };
const monitoring = structure({ ...stream, ShardLevelMetrics: textList });
const encryption = structure({ ...stream, EncryptionType: text, KeyId: text });
const retention = structure({ ...stream, RetentionPeriodHours: integer });
const streamMode = structure({ StreamMode: text });

/** The input of every action that the server knows, by the name on the wire. */
export const actionInputs: ReadonlyMap<string, StructureShape> = new Map(
  Object.entries({
    AddTagsToStream: structure({ ...stream, Tags: textMap }),
    CreateStream: structure({
      StreamName: text,
      ShardCount: integer,
      StreamModeDetails: streamMode,
      Tags: textMap,
      WarmThroughputMiBps: integer,
      MaxRecordSizeInKiB: integer,
      RecordDistributionStrategy: text,
    }),
    DecreaseStreamRetentionPeriod: retention,
    DeleteResourcePolicy: structure(resource),
    DeleteStream: structure({ ...stream, EnforceConsumerDeletion: flag }),
    DeregisterStreamConsumer: structure(consumer),
    DescribeAccountSettings: structure({}),
    DescribeLimits: structure({}),
    DescribeStream: structure({ ...stream, Limit: integer, ExclusiveStartShardId: text }),
    DescribeStreamConsumer: structure(consumer),
    DescribeStreamSummary: structure(stream),
    DisableEnhancedMonitoring: monitoring,
    EnableEnhancedMonitoring: monitoring,
    GetRecords: structure({ ...streamArn, ShardIterator: text, Limit: integer, DryRun: flag }),
    GetResourcePolicy: structure(resource),
    GetShardIterator: structure({
      ...stream,
      ShardId: text,
      ShardIteratorType: text,
      StartingSequenceNumber: text,
      Timestamp: timestamp,
      DryRun: flag,
    }),
    IncreaseStreamRetentionPeriod: retention,
    ListShards: structure({
      ...stream,
      NextToken: text,
      ExclusiveStartShardId: text,
      MaxResults: integer,
      StreamCreationTimestamp: timestamp,
      ShardFilter: structure({ Type: text, ShardId: text, Timestamp: timestamp }),
    }),
    ListStreamConsumers: structure({
      ...streamArn,
      NextToken: text,
      MaxResults: integer,
      StreamCreationTimestamp: timestamp,
    }),
    ListStreams: structure({ Limit: integer, ExclusiveStartStreamName: text, NextToken: text }),
    ListTagsForResource: structure(resource),
    ListTagsForStream: structure({ ...stream, ExclusiveStartTagKey: text, Limit: integer }),
    MergeShards: structure({ ...stream, ShardToMerge: text, AdjacentShardToMerge: text }),
    PutRecord: structure({
      ...stream,
      Data: blob,
      PartitionKey: text,
      ExplicitHashKey: text,
      SequenceNumberForOrdering: text,
      DryRun: flag,
    }),
    PutRecords: structure({
      ...stream,
      Records: { type: "list", member: structure({ Data: blob, ExplicitHashKey: text, PartitionKey: text }) },
      DryRun: flag,
    }),
    PutResourcePolicy: structure({ ...resource, Policy: text }),
    RegisterStreamConsumer: structure({ ...streamArn, ConsumerName: text, Tags: textMap }),
    RemoveTagsFromStream: structure({ ...stream, TagKeys: textList }),
    SplitShard: structure({ ...stream, ShardToSplit: text, NewStartingHashKey: text }),
    StartStreamEncryption: encryption,
    StopStreamEncryption: encryption,
    SubscribeToShard: structure({
      ConsumerARN: text,
      ShardId: text,
      StartingPosition: structure({ Type: text, SequenceNumber: text, Timestamp: timestamp }),
      StreamId: text,
      DryRun: flag,
    }),
    TagResource: structure({ ...resource, Tags: textMap }),
    UntagResource: structure({ ...resource, TagKeys: textList }),
    UpdateAccountSettings: structure({ MinimumThroughputBillingCommitment: structure({ Status: text }) }),
    UpdateMaxRecordSize: structure({ ...streamArn, MaxRecordSizeInKiB: integer }),
    UpdateShardCount: structure({ ...stream, TargetShardCount: integer, ScalingType: text }),
    UpdateStreamMode: structure({ ...streamArn, StreamModeDetails: streamMode, WarmThroughputMiBps: integer }),
    UpdateStreamRecordDistributionStrategy: structure({ ...streamArn, RecordDistributionStrategy: text }),
    UpdateStreamWarmThroughput: structure({ ...stream, WarmThroughputMiBps: integer }),
  }),
);
