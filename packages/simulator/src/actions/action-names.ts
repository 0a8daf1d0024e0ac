/**
 * Pure. The actions of Kinesis Data Streams that the simulator answers, by their wire names.
 *
 * Source: the commands of `@aws-sdk/client-kinesis` 3.1143.0, without the five about channels (delivery to S3).
 */
export const actionNames = [
  "AddTagsToStream",
  "CreateStream",
  "DecreaseStreamRetentionPeriod",
  "DeleteResourcePolicy",
  "DeleteStream",
  "DeregisterStreamConsumer",
  "DescribeAccountSettings",
  "DescribeLimits",
  "DescribeStream",
  "DescribeStreamConsumer",
  "DescribeStreamSummary",
  "DisableEnhancedMonitoring",
  "EnableEnhancedMonitoring",
  "GetRecords",
  "GetResourcePolicy",
  "GetShardIterator",
  "IncreaseStreamRetentionPeriod",
  "ListShards",
  "ListStreamConsumers",
  "ListStreams",
  "ListTagsForResource",
  "ListTagsForStream",
  "MergeShards",
  "PutRecord",
  "PutRecords",
  "PutResourcePolicy",
  "RegisterStreamConsumer",
  "RemoveTagsFromStream",
  "SplitShard",
  "StartStreamEncryption",
  "StopStreamEncryption",
  "SubscribeToShard",
  "TagResource",
  "UntagResource",
  "UpdateAccountSettings",
  "UpdateMaxRecordSize",
  "UpdateShardCount",
  "UpdateStreamMode",
  "UpdateStreamRecordDistributionStrategy",
  "UpdateStreamWarmThroughput",
] as const;

/** An action of the service. */
export type ActionName = (typeof actionNames)[number];

const known: ReadonlySet<string> = new Set(actionNames);

export function isActionName(text: string): text is ActionName {
  return known.has(text);
}
