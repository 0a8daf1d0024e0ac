/**
 * Driver. The life of a stream: CreateStream, DeleteStream, DescribeStream(Summary), ListStreams, DescribeLimits.
 *
 * Source: type docs of each in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import { validationError } from "../shapes/check-input.ts";
import type { InputOf } from "../shapes/shape.ts";
import { Stream, type StreamMode } from "../stream.ts";
import type { Inputs } from "./inputs.ts";
import { describeShard, openPage } from "./list-shards.ts";

/** Shards that a new on-demand stream has: 4 MB/s in. Source: AWS's page "Quotas and limits", 2026. */
const onDemandShards = 4;

export function createStream(state: ServiceState, input: InputOf<Inputs["CreateStream"]>): ServiceOutput {
  const { limits } = state;
  const mode = input.StreamModeDetails?.StreamMode ?? "PROVISIONED";
  if (mode === "PROVISIONED" && input.ShardCount === undefined) {
    throw validationError("shardCount", "Member must not be null");
  }
  if (mode === "ON_DEMAND" && input.ShardCount !== undefined) {
    throw new ServiceError("ValidationException", "ShardCount must not be given for an on-demand stream.");
  }
  checkMaxRecordSize(state, input.MaxRecordSizeInKiB);
  const strategy = input.RecordDistributionStrategy === "AUTO" ? "AUTO" : "USER_PARTITION_KEY";
  if (strategy === "AUTO" && mode === "PROVISIONED") {
    throw new ServiceError("InvalidArgumentException", "RecordDistributionStrategy AUTO needs an on-demand stream.");
  }
  if (input.WarmThroughputMiBps !== undefined) checkWarmThroughput(state, mode, input.WarmThroughputMiBps);
  if (state.streams.has(input.StreamName)) {
    throw new ServiceError(
      "ResourceInUseException",
      `Stream ${input.StreamName} under account ${state.accountId} already exists.`,
    );
  }
  const shardCount = input.ShardCount ?? onDemandShards;
  checkQuotas(state, mode, shardCount);
  const stream = new Stream({
    streamName: input.StreamName,
    streamArn: state.arnOf(input.StreamName),
    accountId: state.accountId,
    shardCount,
    mode,
    maxRecordSizeKiB: input.MaxRecordSizeInKiB ?? 1024,
    strategy,
    moment: state.moment(),
    limits,
  });
  stream.warmThroughputMiBps = input.WarmThroughputMiBps;
  for (const [key, value] of Object.entries(input.Tags ?? {})) stream.tags.set(key, value);
  state.streams.set(stream.streamName, stream);
  state.transition(stream, "CREATING");
  return {};
}

/** @throws {ServiceError} ValidationException outside of 1,024 to 10,240 KiB. */
export function checkMaxRecordSize(state: ServiceState, sizeKiB: number | undefined): void {
  if (sizeKiB === undefined) return;
  const { recordSizeKiB: max } = state.limits;
  if (sizeKiB < 1024) throw validationError("maxRecordSizeInKiB", "Member must be greater than or equal to 1024");
  if (sizeKiB > max) throw validationError("maxRecordSizeInKiB", `Member must be less than or equal to ${max}`);
}

/** @throws {ServiceError} ValidationException, LimitExceededException. */
export function checkWarmThroughput(state: ServiceState, mode: StreamMode, mibps: number): void {
  if (mode !== "ON_DEMAND") {
    throw new ServiceError("ValidationException", "Warm throughput needs an on-demand stream.");
  }
  if (!state.meter.advantage) {
    throw new ServiceError(
      "ValidationException",
      "Warm throughput needs the account's minimum throughput billing commitment.",
    );
  }
  if (mibps < 0) throw validationError("warmThroughputMiBps", "Member must be greater than or equal to 0");
  if (mibps > state.limits.warmThroughputMiBps) {
    throw new ServiceError(
      "LimitExceededException",
      `Warm throughput of ${mibps} MiB a second exceeds ${state.limits.warmThroughputMiBps}.`,
    );
  }
}

function checkQuotas(state: ServiceState, mode: StreamMode, shardCount: number): void {
  const streams = [...state.streams.values()];
  const creating = streams.filter((stream) => stream.status === "CREATING").length;
  if (creating >= state.limits.streamsCreating) {
    throw new ServiceError(
      "LimitExceededException",
      `Account ${state.accountId} has ${creating} streams in CREATING, the most there may be.`,
    );
  }
  if (mode === "ON_DEMAND") {
    const onDemand = streams.filter((stream) => stream.mode === "ON_DEMAND").length;
    if (onDemand >= state.limits.onDemandStreams) {
      throw new ServiceError(
        "LimitExceededException",
        `Account ${state.accountId} has ${onDemand} on-demand streams, the most there may be.`,
      );
    }
    return;
  }
  checkShardQuota(state, shardCount);
}

/** @throws {ServiceError} LimitExceededException when `more` shards would be too many for the account. */
export function checkShardQuota(state: ServiceState, more: number): void {
  const open = state.openShardCount();
  if (open + more <= state.limits.openShards) return;
  throw new ServiceError(
    "LimitExceededException",
    `This request would exceed the shard limit for the account ${state.accountId} in ${state.region}. ` +
      `Current shard count for the account: ${open}. Limit: ${state.limits.openShards}. ` +
      `Number of additional shards that would have resulted from this request: ${more}.`,
  );
}

export function deleteStream(state: ServiceState, input: InputOf<Inputs["DeleteStream"]>): ServiceOutput {
  const stream = state.stream(input);
  if (stream.consumers.size > 0 && input.EnforceConsumerDeletion !== true) {
    throw new ServiceError(
      "ResourceInUseException",
      `Stream ${stream.streamName} under account ${state.accountId} has registered consumers; ` +
        "deregister them or set EnforceConsumerDeletion.",
    );
  }
  stream.status = "DELETING";
  const remove = () => {
    if (state.streams.get(stream.streamName) === stream) state.removeStream(stream);
  };
  if (state.transitionMs === 0) remove();
  else state.clock.schedule(state.transitionMs, remove);
  return {};
}

export function describeStream(state: ServiceState, input: InputOf<Inputs["DescribeStream"]>): ServiceOutput {
  const stream = state.stream(input);
  const after = input.ExclusiveStartShardId ?? "";
  const shards = stream.knownShards(state.clock.wallMs()).filter((shard) => shard.shardId > after);
  const isReady = stream.status !== "CREATING";
  const page = isReady ? shards.slice(0, Math.min(input.Limit ?? 100, 100)) : [];
  return {
    StreamDescription: {
      ...describeSettings(stream),
      Shards: page.map(describeShard),
      HasMoreShards: isReady && page.length < shards.length,
    },
  };
}

export function describeStreamSummary(
  state: ServiceState,
  input: InputOf<Inputs["DescribeStreamSummary"]>,
): ServiceOutput {
  const stream = state.stream(input);
  return {
    StreamDescriptionSummary: {
      ...describeSettings(stream),
      OpenShardCount: stream.status === "CREATING" ? 0 : stream.openShards.length,
      ConsumerCount: stream.consumers.size,
      MaxRecordSizeInKiB: stream.maxRecordSizeKiB,
      RecordDistributionStrategy: stream.strategy,
      ...(stream.warmThroughputMiBps === undefined
        ? {}
        : {
            WarmThroughput: { TargetMiBps: stream.warmThroughputMiBps, CurrentMiBps: stream.warmThroughputMiBps },
          }),
    },
  };
}

function describeSettings(stream: Stream): ServiceOutput {
  return {
    StreamName: stream.streamName,
    StreamARN: stream.streamArn,
    StreamStatus: stream.status,
    StreamModeDetails: { StreamMode: stream.mode },
    RetentionPeriodHours: stream.retentionHours,
    StreamCreationTimestamp: new Date(stream.createdWallMs),
    EnhancedMonitoring: [{ ShardLevelMetrics: [...stream.shardLevelMetrics] }],
    ...(stream.encryptionKeyId === undefined
      ? { EncryptionType: "NONE" }
      : { EncryptionType: "KMS", KeyId: stream.encryptionKeyId }),
  };
}

export function listStreams(state: ServiceState, input: InputOf<Inputs["ListStreams"]>): ServiceOutput {
  const after =
    input.NextToken === undefined
      ? (input.ExclusiveStartStreamName ?? "")
      : openPage(state, input.NextToken, "ListStreams").after;
  const streams = [...state.streams.values()]
    .filter((stream) => stream.streamName > after)
    .toSorted((a, b) => (a.streamName < b.streamName ? -1 : 1));
  const page = streams.slice(0, Math.min(input.Limit ?? 100, 100));
  const last = page.at(-1);
  const hasMore = page.length < streams.length;
  return {
    StreamNames: page.map((stream) => stream.streamName),
    HasMoreStreams: hasMore,
    StreamSummaries: page.map((stream) => ({
      StreamName: stream.streamName,
      StreamARN: stream.streamArn,
      StreamStatus: stream.status,
      StreamModeDetails: { StreamMode: stream.mode },
      StreamCreationTimestamp: new Date(stream.createdWallMs),
    })),
    ...(hasMore && last !== undefined
      ? {
          NextToken: state.seal.sealPage({
            list: "ListStreams",
            of: state.accountId,
            after: last.streamName,
            query: "",
            madeMs: Math.floor(state.clock.steadyMs()),
          }),
        }
      : {}),
  };
}

export function describeLimits(state: ServiceState): ServiceOutput {
  const onDemand = [...state.streams.values()].filter((stream) => stream.mode === "ON_DEMAND").length;
  return {
    ShardLimit: finite(state.limits.openShards),
    OpenShardCount: state.openShardCount(),
    OnDemandStreamCount: onDemand,
    OnDemandStreamCountLimit: finite(state.limits.onDemandStreams),
  };
}

/** A limit as an answer can carry it: the largest 32-bit integer where it is switched off. */
function finite(limit: number): number {
  return Math.min(limit, 2 ** 31 - 1);
}
