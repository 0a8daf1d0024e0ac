/**
 * Pure. Resharding that nobody asked for: at random, or as the service does it for on-demand streams.
 */
import type { Shard } from "../shard.ts";
import type { Moment, Stream } from "../stream.ts";

/** Splits a random open shard, or merges it with its neighbour. `random` is from [0, 1). */
export function reshardAtRandom(stream: Stream, moment: Moment, random: () => number): void {
  const open = stream.openShards;
  const index = Math.floor(random() * open.length);
  const shard = open[index];
  if (shard === undefined) return;
  const neighbour = open[index + 1] ?? open[index - 1];
  if (neighbour !== undefined && random() < 0.5) stream.merge(shard, neighbour, moment);
  else splitInTheMiddle(stream, shard, moment);
}

/** Splits the open shard that holds the most records, where the stream is on-demand. */
export function splitFullestShard(stream: Stream, moment: Moment): void {
  if (stream.mode !== "ON_DEMAND") return;
  const [fullest] = stream.openShards.toSorted((a, b) => b.log.storedBytes - a.log.storedBytes);
  if (fullest !== undefined) splitInTheMiddle(stream, fullest, moment);
}

function splitInTheMiddle(stream: Stream, shard: Shard, moment: Moment): void {
  const middle = (shard.startingHashKey + shard.endingHashKey) / 2n + 1n;
  // A shard of a few hash keys cannot be split any more.
  if (middle > shard.startingHashKey + 1n && middle < shard.endingHashKey) stream.split(shard, middle, moment);
}
