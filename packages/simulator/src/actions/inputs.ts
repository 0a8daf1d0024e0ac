/**
 * Pure. The inputs of every action, as tables.
 *
 * Source: member names and which are required, `@aws-sdk/client-kinesis` 3.1143.0; lengths and patterns, API reference
 * of Kinesis Data Streams.
 */
import { blob, choice, flag, integer, list, map, may, must, structure, text, time } from "../shapes/shape.ts";
import type { ActionName } from "./action-names.ts";
import type { StructureShape } from "../shapes/shape.ts";

const name = text({ min: 1, max: 128, pattern: "[a-zA-Z0-9_.-]+" });
const streamArn = text({ min: 1, max: 2048, pattern: "arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+" });
const consumerArn = text({
  min: 1,
  max: 2048,
  pattern: "(arn):aws.*:kinesis:.*:\\d{12}:.*stream/[a-zA-Z0-9_.-]+/consumer/[a-zA-Z0-9_.-]+:[0-9]+",
});
const resourceArn = text({ min: 1, max: 2048, pattern: "arn:aws.*:kinesis:.*:\\d{12}:.*stream/\\S+" });
const sequenceNumber = text({ pattern: "0|([1-9]\\d{0,128})" });
const hashKey = text({ pattern: "0|([1-9]\\d{0,38})" });
const partitionKey = text({ min: 1, max: 256 });
const nextToken = text({ min: 1, max: 1_048_576 });
const keyId = text({ min: 1, max: 2048 });
const tagKey = text({ min: 1, max: 128 });
const tags = map(tagKey, text({ max: 256 }), { max: 200 });
const tagKeys = list(tagKey, { min: 1, max: 50 });
/** Every shard-level metric, in the order in which the service lists them. */
export const shardLevelMetricNames = [
  "IncomingBytes",
  "IncomingRecords",
  "OutgoingBytes",
  "OutgoingRecords",
  "WriteProvisionedThroughputExceeded",
  "ReadProvisionedThroughputExceeded",
  "IteratorAgeMilliseconds",
] as const;
const shardLevelMetrics = list(choice(...shardLevelMetricNames, "ALL"), { min: 1, max: 7 });
const streamMode = structure({ StreamMode: must(choice("PROVISIONED", "ON_DEMAND")) });
const distribution = choice("AUTO", "USER_PARTITION_KEY");
// The largest record that any stream can be set to; the stream's own maximum is checked by the action.
const data = blob({ max: 10_485_760 });
const pageSize = integer({ min: 1, max: 10_000 });
const positionTypes = choice("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP");

// StreamId is taken everywhere and means nothing yet ("reserved for future use").
const stream = { StreamName: may(name), StreamARN: may(streamArn), StreamId: may(text()) };

export const inputs = {
  AddTagsToStream: structure({ ...stream, Tags: must(tags) }),
  CreateStream: structure({
    StreamName: must(name),
    ShardCount: may(integer({ min: 1 })),
    StreamModeDetails: may(streamMode),
    Tags: may(tags),
    WarmThroughputMiBps: may(integer()),
    MaxRecordSizeInKiB: may(integer()),
    RecordDistributionStrategy: may(distribution),
  }),
  DecreaseStreamRetentionPeriod: structure({ ...stream, RetentionPeriodHours: must(integer()) }),
  DeleteResourcePolicy: structure({ ResourceARN: must(resourceArn), StreamId: may(text()) }),
  DeleteStream: structure({ ...stream, EnforceConsumerDeletion: may(flag) }),
  DeregisterStreamConsumer: structure({
    StreamARN: may(streamArn),
    ConsumerName: may(name),
    ConsumerARN: may(consumerArn),
    StreamId: may(text()),
  }),
  DescribeAccountSettings: structure({}),
  DescribeLimits: structure({}),
  DescribeStream: structure({ ...stream, Limit: may(pageSize), ExclusiveStartShardId: may(name) }),
  DescribeStreamConsumer: structure({
    StreamARN: may(streamArn),
    ConsumerName: may(name),
    ConsumerARN: may(consumerArn),
    StreamId: may(text()),
  }),
  DescribeStreamSummary: structure(stream),
  DisableEnhancedMonitoring: structure({ ...stream, ShardLevelMetrics: must(shardLevelMetrics) }),
  EnableEnhancedMonitoring: structure({ ...stream, ShardLevelMetrics: must(shardLevelMetrics) }),
  GetRecords: structure({
    ShardIterator: must(text({ min: 1, max: 512 })),
    // More than 10,000 is an InvalidArgumentException of the action, not of the shape.
    Limit: may(integer({ min: 1 })),
    StreamARN: may(streamArn),
    StreamId: may(text()),
    DryRun: may(flag),
  }),
  GetResourcePolicy: structure({ ResourceARN: must(resourceArn), StreamId: may(text()) }),
  GetShardIterator: structure({
    ...stream,
    ShardId: must(name),
    ShardIteratorType: must(positionTypes),
    StartingSequenceNumber: may(sequenceNumber),
    Timestamp: may(time),
    DryRun: may(flag),
  }),
  IncreaseStreamRetentionPeriod: structure({ ...stream, RetentionPeriodHours: must(integer()) }),
  ListShards: structure({
    ...stream,
    NextToken: may(nextToken),
    ExclusiveStartShardId: may(name),
    MaxResults: may(pageSize),
    StreamCreationTimestamp: may(time),
    ShardFilter: may(
      structure({
        Type: must(
          choice(
            "AFTER_SHARD_ID",
            "AT_TRIM_HORIZON",
            "FROM_TRIM_HORIZON",
            "AT_LATEST",
            "AT_TIMESTAMP",
            "FROM_TIMESTAMP",
          ),
        ),
        ShardId: may(name),
        Timestamp: may(time),
      }),
    ),
  }),
  ListStreamConsumers: structure({
    StreamARN: must(streamArn),
    NextToken: may(nextToken),
    MaxResults: may(pageSize),
    StreamCreationTimestamp: may(time),
    StreamId: may(text()),
  }),
  ListStreams: structure({
    Limit: may(pageSize),
    ExclusiveStartStreamName: may(name),
    NextToken: may(nextToken),
  }),
  ListTagsForResource: structure({ ResourceARN: must(resourceArn), StreamId: may(text()) }),
  ListTagsForStream: structure({
    ...stream,
    ExclusiveStartTagKey: may(tagKey),
    Limit: may(integer({ min: 1, max: 50 })),
  }),
  MergeShards: structure({ ...stream, ShardToMerge: must(name), AdjacentShardToMerge: must(name) }),
  PutRecord: structure({
    ...stream,
    Data: must(data),
    PartitionKey: may(partitionKey),
    ExplicitHashKey: may(hashKey),
    SequenceNumberForOrdering: may(sequenceNumber),
    DryRun: may(flag),
  }),
  PutRecords: structure({
    ...stream,
    Records: must(
      list(
        structure({ Data: must(data), PartitionKey: may(partitionKey), ExplicitHashKey: may(hashKey) }),
        // More than 500 is refused by the action, where the rule can be switched off.
        { min: 1 },
      ),
    ),
    DryRun: may(flag),
  }),
  PutResourcePolicy: structure({
    ResourceARN: must(resourceArn),
    Policy: must(text({ min: 1, max: 20_480 })),
    StreamId: may(text()),
  }),
  RegisterStreamConsumer: structure({
    StreamARN: must(streamArn),
    ConsumerName: must(name),
    StreamId: may(text()),
    Tags: may(tags),
  }),
  RemoveTagsFromStream: structure({ ...stream, TagKeys: must(tagKeys) }),
  SplitShard: structure({ ...stream, ShardToSplit: must(name), NewStartingHashKey: must(hashKey) }),
  StartStreamEncryption: structure({ ...stream, EncryptionType: must(choice("NONE", "KMS")), KeyId: must(keyId) }),
  StopStreamEncryption: structure({ ...stream, EncryptionType: must(choice("NONE", "KMS")), KeyId: must(keyId) }),
  SubscribeToShard: structure({
    ConsumerARN: must(consumerArn),
    ShardId: must(name),
    StartingPosition: must(
      structure({ Type: must(positionTypes), SequenceNumber: may(sequenceNumber), Timestamp: may(time) }),
    ),
    StreamId: may(text()),
    DryRun: may(flag),
  }),
  TagResource: structure({ ResourceARN: must(resourceArn), Tags: must(tags), StreamId: may(text()) }),
  UntagResource: structure({ ResourceARN: must(resourceArn), TagKeys: must(tagKeys), StreamId: may(text()) }),
  UpdateAccountSettings: structure({
    MinimumThroughputBillingCommitment: must(structure({ Status: must(choice("ENABLED", "DISABLED")) })),
  }),
  UpdateMaxRecordSize: structure({
    StreamARN: may(streamArn),
    StreamId: may(text()),
    MaxRecordSizeInKiB: must(integer()),
  }),
  UpdateShardCount: structure({
    ...stream,
    TargetShardCount: must(integer({ min: 1 })),
    ScalingType: must(choice("UNIFORM_SCALING")),
  }),
  UpdateStreamMode: structure({
    StreamARN: must(streamArn),
    StreamModeDetails: must(streamMode),
    StreamId: may(text()),
    WarmThroughputMiBps: may(integer()),
  }),
  UpdateStreamRecordDistributionStrategy: structure({
    StreamARN: must(streamArn),
    RecordDistributionStrategy: must(distribution),
    StreamId: may(text()),
  }),
  UpdateStreamWarmThroughput: structure({ ...stream, WarmThroughputMiBps: must(integer()) }),
} satisfies Record<ActionName, StructureShape>;

export type Inputs = typeof inputs;
