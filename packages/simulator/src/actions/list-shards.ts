/**
 * Driver. ListShards: pages, tokens and filters.
 *
 * Source: type docs of ListShards and ShardFilter in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { Shard } from "../shard.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { Stream } from "../stream.ts";
import type { Inputs } from "./inputs.ts";
import { describeRange } from "./read.ts";

type ListShardsInput = InputOf<Inputs["ListShards"]>;

/** A filter with its time as a number, so that it can travel in a token. */
interface Filter {
  readonly type: string;
  readonly shardId?: string | undefined;
  readonly atMs?: number | undefined;
}

export function listShards(state: ServiceState, input: ListShardsInput): ServiceOutput {
  const { stream, filter, after } = input.NextToken === undefined ? firstPage(state, input) : nextPage(state, input);
  state.takeCall(`ListShards on stream ${stream.streamName}`, state.limits.listShardsPerSecond);
  const wallMs = state.clock.wallMs();
  const matching = filterShards(stream, filter, wallMs).filter((shard) => shard.shardId > after);
  const pageSize = Math.min(input.MaxResults ?? 1000, state.limits.listShardsPage);
  const page = matching.slice(0, pageSize);
  const last = page.at(-1);
  return {
    Shards: page.map(describeShard),
    ...(page.length < matching.length && last !== undefined
      ? {
          NextToken: state.seal.sealPage({
            list: "ListShards",
            of: stream.streamArn,
            after: last.shardId,
            query: JSON.stringify(filter),
            madeMs: Math.floor(state.clock.steadyMs()),
          }),
        }
      : {}),
  };
}

export function describeShard(shard: Shard): ServiceOutput {
  return {
    ShardId: shard.shardId,
    HashKeyRange: describeRange(shard),
    SequenceNumberRange: {
      StartingSequenceNumber: shard.startingSequenceNumber,
      ...(shard.endingSequenceNumber === undefined ? {} : { EndingSequenceNumber: shard.endingSequenceNumber }),
    },
    ...(shard.parentShardId === undefined ? {} : { ParentShardId: shard.parentShardId }),
    ...(shard.adjacentParentShardId === undefined ? {} : { AdjacentParentShardId: shard.adjacentParentShardId }),
  };
}

function firstPage(state: ServiceState, input: ListShardsInput) {
  const stream = state.stream(input);
  const created = input.StreamCreationTimestamp;
  if (created !== undefined && Math.floor(created.getTime() / 1000) !== Math.floor(stream.createdWallMs / 1000)) {
    throw state.streamNotFound(stream.streamName);
  }
  if (stream.status === "CREATING" || stream.status === "DELETING") {
    throw new ServiceError(
      "ResourceInUseException",
      `Stream ${stream.streamName} under account ${state.accountId} is in state ${stream.status}.`,
    );
  }
  const filter = readFilter(input.ShardFilter);
  const after = input.ExclusiveStartShardId ?? "";
  if (filter.type === "AFTER_SHARD_ID") {
    const start = filter.shardId ?? "";
    return { stream, filter, after: after > start ? after : start };
  }
  return { stream, filter, after };
}

function nextPage(state: ServiceState, input: ListShardsInput) {
  if (
    input.StreamName !== undefined ||
    input.StreamARN !== undefined ||
    input.StreamCreationTimestamp !== undefined ||
    input.ExclusiveStartShardId !== undefined ||
    input.ShardFilter !== undefined
  ) {
    throw new ServiceError("InvalidArgumentException", "NextToken names the stream and the page: give it alone.");
  }
  const place = openPage(state, input.NextToken ?? "", "ListShards");
  const stream = state.stream({ StreamARN: place.of });
  return { stream, filter: JSON.parse(place.query) as Filter, after: place.after };
}

/**
 * What a page token says.
 * @throws {ServiceError} InvalidArgumentException, ExpiredNextTokenException.
 */
export function openPage(state: ServiceState, token: string, list: string) {
  const place = state.seal.openPage(token);
  if (place?.list !== list) throw new ServiceError("InvalidArgumentException", "Invalid NextToken.");
  const ageMs = state.clock.steadyMs() - place.madeMs;
  if (ageMs > state.limits.nextTokenAgeMs) {
    throw new ServiceError(
      "ExpiredNextTokenException",
      `NextToken expired. It was made ${Math.round(ageMs)} milliseconds ago, and is good for ${state.limits.nextTokenAgeMs}.`,
    );
  }
  return place;
}

function readFilter(input: ListShardsInput["ShardFilter"]): Filter {
  if (input === undefined) return { type: "FROM_TRIM_HORIZON" };
  const { Type: type, ShardId: shardId, Timestamp: timestamp } = input;
  const needsShard = type === "AFTER_SHARD_ID";
  const needsTime = type === "AT_TIMESTAMP" || type === "FROM_TIMESTAMP";
  if (needsShard !== (shardId !== undefined) || needsTime !== (timestamp !== undefined)) {
    const needed = needsShard ? "a ShardId" : needsTime ? "a Timestamp" : "neither ShardId nor Timestamp";
    throw new ServiceError("InvalidArgumentException", `A ShardFilter of type ${type} takes ${needed}.`);
  }
  return { type, shardId, atMs: timestamp?.getTime() };
}

function filterShards(stream: Stream, filter: Filter, wallMs: number): readonly Shard[] {
  const known = stream.knownShards(wallMs);
  const horizonMs = Math.max(stream.createdWallMs, stream.horizonMs(wallMs));
  switch (filter.type) {
    case "AT_LATEST":
      return known.filter((shard) => shard.isOpen);
    case "AT_TIMESTAMP":
      return known.filter((shard) => isOpenAt(shard, Math.max(filter.atMs ?? 0, horizonMs)));
    case "FROM_TIMESTAMP":
      return known.filter((shard) => (shard.closedWallMs ?? Infinity) >= (filter.atMs ?? 0));
    case "AT_TRIM_HORIZON": {
      const open = known.filter((shard) => isOpenAt(shard, horizonMs));
      const ids = new Set(open.map((shard) => shard.shardId));
      // A shard and its parent may both touch the moment; the parent stands for it.
      return open.filter((shard) => !ids.has(shard.parentShardId ?? "") && !ids.has(shard.adjacentParentShardId ?? ""));
    }
    default:
      // FROM_TRIM_HORIZON, and AFTER_SHARD_ID, whose start is the page's.
      return known;
  }
}

function isOpenAt(shard: Shard, atMs: number): boolean {
  return shard.createdWallMs <= atMs && (shard.closedWallMs === undefined || shard.closedWallMs >= atMs);
}
