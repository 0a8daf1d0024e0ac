/**
 * Pure. Which splits and merges lead from the shards there are to as many as are wanted, in equal parts.
 *
 * As UpdateShardCount does it: shards are split where a new bound falls, and the parts between two new bounds are
 * merged, which makes short-lived shards on the way.
 */
import { equalRanges } from "./hash-key.ts";
import type { Shard } from "./shard.ts";
import type { Moment, Stream } from "./stream.ts";

/** Brings a stream to `targetShardCount` equal shards. */
export function reshardUniformly(stream: Stream, targetShardCount: number, moment: Moment): void {
  const bounds = equalRanges(targetShardCount).map((range) => range.start);
  for (const bound of bounds) {
    const shard = stream.openShards.find((open) => open.startingHashKey < bound && bound <= open.endingHashKey);
    if (shard !== undefined) stream.split(shard, bound, moment);
  }
  const kept = new Set(bounds);
  for (;;) {
    const pair = firstPairToMerge(stream.openShards, kept);
    if (pair === undefined) return;
    stream.merge(pair[0], pair[1], moment);
  }
}

function firstPairToMerge(open: readonly Shard[], kept: ReadonlySet<bigint>): readonly [Shard, Shard] | undefined {
  for (const [index, shard] of open.entries()) {
    const before = open[index - 1];
    if (before !== undefined && !kept.has(shard.startingHashKey)) return [before, shard];
  }
  return undefined;
}

/** True when two open shards' ranges touch. */
export function areAdjacent(a: Shard, b: Shard): boolean {
  return a.endingHashKey + 1n === b.startingHashKey || b.endingHashKey + 1n === a.startingHashKey;
}
