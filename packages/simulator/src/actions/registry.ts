/**
 * Driver. Which function answers which action, and how often each may be called.
 */
import type { LimitName } from "../limits.ts";
import type { CallContext, ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { ActionName } from "./action-names.ts";
import { describeAccountSettings, updateAccountSettings } from "./account.ts";
import { deregisterConsumer, describeConsumer, listConsumers, registerConsumer } from "./consumers.ts";
import type { Inputs } from "./inputs.ts";
import { listShards } from "./list-shards.ts";
import { putRecord, putRecords, type EntryVerdict } from "./put.ts";
import { getRecords, getShardIterator } from "./read.ts";
import { mergeShards, splitShard, updateShardCount } from "./resharding.ts";
import {
  decreaseRetention,
  disableMonitoring,
  enableMonitoring,
  increaseRetention,
  startEncryption,
  stopEncryption,
  updateDistribution,
  updateMaxRecordSize,
  updateStreamMode,
  updateWarmThroughput,
} from "./settings.ts";
import {
  createStream,
  deleteStream,
  describeLimits,
  describeStream,
  describeStreamSummary,
  listStreams,
} from "./streams.ts";
import { subscribeToShard } from "./subscribe.ts";
import {
  addTagsToStream,
  deleteResourcePolicy,
  getResourcePolicy,
  listTagsForResource,
  listTagsForStream,
  putResourcePolicy,
  removeTagsFromStream,
  tagResource,
  untagResource,
} from "./tags.ts";

/** What an action gets besides its input. */
export interface ActionContext extends CallContext {
  /** Fails entries of PutRecords on order. */
  readonly verdict?: EntryVerdict | undefined;
}

/** One action: its input has passed the check against its shape. */
type Action<Name extends ActionName> = (
  state: ServiceState,
  input: InputOf<Inputs[Name]>,
  context: ActionContext,
) => ServiceOutput;

const actions: { readonly [Name in ActionName]: Action<Name> } = {
  AddTagsToStream: addTagsToStream,
  CreateStream: createStream,
  DecreaseStreamRetentionPeriod: decreaseRetention,
  DeleteResourcePolicy: deleteResourcePolicy,
  DeleteStream: deleteStream,
  DeregisterStreamConsumer: deregisterConsumer,
  DescribeAccountSettings: describeAccountSettings,
  DescribeLimits: describeLimits,
  DescribeStream: describeStream,
  DescribeStreamConsumer: describeConsumer,
  DescribeStreamSummary: describeStreamSummary,
  DisableEnhancedMonitoring: disableMonitoring,
  EnableEnhancedMonitoring: enableMonitoring,
  GetRecords: getRecords,
  GetResourcePolicy: getResourcePolicy,
  GetShardIterator: getShardIterator,
  IncreaseStreamRetentionPeriod: increaseRetention,
  ListShards: listShards,
  ListStreamConsumers: listConsumers,
  ListStreams: listStreams,
  ListTagsForResource: listTagsForResource,
  ListTagsForStream: listTagsForStream,
  MergeShards: mergeShards,
  PutRecord: putRecord,
  PutRecords: (state, input, context) => putRecords(state, input, context.verdict),
  PutResourcePolicy: putResourcePolicy,
  RegisterStreamConsumer: registerConsumer,
  RemoveTagsFromStream: removeTagsFromStream,
  SplitShard: splitShard,
  StartStreamEncryption: startEncryption,
  StopStreamEncryption: stopEncryption,
  SubscribeToShard: (state, input, context) => subscribeToShard(state, input, context.signal),
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateAccountSettings: updateAccountSettings,
  UpdateMaxRecordSize: updateMaxRecordSize,
  UpdateShardCount: updateShardCount,
  UpdateStreamMode: updateStreamMode,
  UpdateStreamRecordDistributionStrategy: updateDistribution,
  UpdateStreamWarmThroughput: updateWarmThroughput,
};

/** Actions of the control plane with a rate of their own; the others share no rate but have one each. */
const ownRates: Partial<Record<ActionName, LimitName>> = {
  DescribeLimits: "describeLimitsPerSecond",
  DescribeStream: "describeStreamPerSecond",
  DescribeStreamConsumer: "describeStreamConsumerPerSecond",
  DescribeStreamSummary: "describeStreamSummaryPerSecond",
  DeregisterStreamConsumer: "registerConsumerPerSecond",
  RegisterStreamConsumer: "registerConsumerPerSecond",
  UpdateShardCount: "updateShardCountPerSecond",
  UpdateStreamWarmThroughput: "warmThroughputPerSecond",
};

/** Actions whose rates are counted by shard, stream or consumer, where they are answered. */
const countedElsewhere: ReadonlySet<ActionName> = new Set<ActionName>([
  "GetRecords",
  "GetShardIterator",
  "ListShards",
  "PutRecord",
  "PutRecords",
  "SubscribeToShard",
]);

/** Takes one call of an action's rate. */
export function takeActionCall(state: ServiceState, action: ActionName): void {
  if (countedElsewhere.has(action)) return;
  state.takeCall(action, state.limits[ownRates[action] ?? "controlCallsPerSecond"]);
}

/** Answers one call. */
export function runAction(
  action: ActionName,
  state: ServiceState,
  input: Record<string, unknown>,
  context: ActionContext,
): ServiceOutput {
  // The input has been checked against this action's shape, which is what its type is made from.
  const run = actions[action] as Action<never>;
  return run(state, input as never, context);
}
