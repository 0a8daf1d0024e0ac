/**
 * Driver. SplitShard, MergeShards and UpdateShardCount.
 *
 * Source: type docs of each in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { parseHashKey } from "../hash-key.ts";
import { areAdjacent, reshardUniformly } from "../reshard.ts";
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { Shard } from "../shard.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { Stream } from "../stream.ts";
import { takeDailyChange } from "./daily-changes.ts";
import type { Inputs } from "./inputs.ts";
import { checkShardQuota } from "./streams.ts";

export function splitShard(state: ServiceState, input: InputOf<Inputs["SplitShard"]>): ServiceOutput {
  const stream = provisionedStream(state, input, "SplitShard");
  const { shard, bound } = planSplit(state, stream, input.ShardToSplit, input.NewStartingHashKey);
  checkShardQuota(state, 1);
  state.transition(stream, "UPDATING", (moment) => stream.split(shard, bound, moment));
  return {};
}

/**
 * Checks a split.
 * @throws {ServiceError} ResourceNotFoundException, InvalidArgumentException.
 */
export function planSplit(state: ServiceState, stream: Stream, shardId: string, newStartingHashKey: string) {
  const shard = openShard(state, stream, shardId, "ShardToSplit");
  const bound = BigInt(`0x${parseHashKey(newStartingHashKey, "NewStartingHashKey")}`);
  if (bound <= shard.startingHashKey + 1n || bound >= shard.endingHashKey) {
    throw new ServiceError(
      "InvalidArgumentException",
      `NewStartingHashKey ${newStartingHashKey} used in SplitShard() on shard ${shardId} in stream ${stream.streamName} ` +
        `under account ${state.accountId} is not both greater than one plus the shard's StartingHashKey ` +
        `${shard.startingHashKey} and less than the shard's EndingHashKey ${shard.endingHashKey}.`,
    );
  }
  return { shard, bound };
}

export function mergeShards(state: ServiceState, input: InputOf<Inputs["MergeShards"]>): ServiceOutput {
  const stream = provisionedStream(state, input, "MergeShards");
  const { shard, adjacent } = planMerge(state, stream, input.ShardToMerge, input.AdjacentShardToMerge);
  state.transition(stream, "UPDATING", (moment) => stream.merge(shard, adjacent, moment));
  return {};
}

/**
 * Checks a merge.
 * @throws {ServiceError} ResourceNotFoundException, InvalidArgumentException.
 */
export function planMerge(state: ServiceState, stream: Stream, shardId: string, adjacentShardId: string) {
  const shard = openShard(state, stream, shardId, "ShardToMerge");
  const adjacent = openShard(state, stream, adjacentShardId, "AdjacentShardToMerge");
  if (!areAdjacent(shard, adjacent)) {
    throw new ServiceError(
      "InvalidArgumentException",
      `Shards ${shardId} and ${adjacentShardId} in stream ${stream.streamName} under account ${state.accountId} ` +
        "are not an adjacent pair of shards eligible for merging.",
    );
  }
  return { shard, adjacent };
}

export function updateShardCount(state: ServiceState, input: InputOf<Inputs["UpdateShardCount"]>): ServiceOutput {
  const { limits } = state;
  const stream = provisionedStream(state, input, "UpdateShardCount");
  const current = stream.openShards.length;
  const target = input.TargetShardCount;
  const factor = limits.updateShardCountFactor;
  if (target > current * factor || target < current / factor) {
    throw new ServiceError(
      "LimitExceededException",
      `TargetShardCount ${target} is more than ${factor} times or less than 1/${factor} of the ${current} open shards ` +
        `of stream ${stream.streamName} under account ${state.accountId}.`,
    );
  }
  if (target > limits.updateShardCountShards) {
    throw new ServiceError(
      "LimitExceededException",
      `TargetShardCount ${target} exceeds ${limits.updateShardCountShards} shards.`,
    );
  }
  checkShardQuota(state, Math.max(0, target - current));
  takeDailyChange(state, stream.history.shardCount, limits.updateShardCountPerDay, "UpdateShardCount", stream);
  state.transition(stream, "UPDATING", (moment) => reshardUniformly(stream, target, moment));
  return {
    StreamName: stream.streamName,
    StreamARN: stream.streamArn,
    CurrentShardCount: current,
    TargetShardCount: target,
  };
}

function provisionedStream(
  state: ServiceState,
  input: { readonly StreamName?: string | undefined; readonly StreamARN?: string | undefined },
  action: string,
): Stream {
  const stream = state.activeStream(input);
  if (stream.mode === "ON_DEMAND") {
    throw new ServiceError(
      "ValidationException",
      `${action} needs a provisioned stream, and ${stream.streamName} is on-demand.`,
    );
  }
  return stream;
}

function openShard(state: ServiceState, stream: Stream, shardId: string, member: string): Shard {
  const shard = stream.shard(shardId, state.clock.wallMs());
  if (shard.isOpen) return shard;
  throw new ServiceError(
    "InvalidArgumentException",
    `${member} ${shardId} in stream ${stream.streamName} under account ${state.accountId} is not open.`,
  );
}
