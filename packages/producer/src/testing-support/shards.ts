/**
 * Pure. Shards as CreateStream makes them.
 */
import type { Shard } from "@millrace/core/kinesis";

const keySpace = 1n << 128n;

/** `count` shards of equal ranges, as CreateStream makes them, in an order of no meaning. */
export function equalShards(count: number, prefix = "shardId"): Shard[] {
  const width = keySpace / BigInt(count);
  const shards = Array.from({ length: count }, (_, index) =>
    shardOf(`${prefix}-${String(index).padStart(12, "0")}`, BigInt(index) * width, width, index === count - 1),
  );
  return shards.toSorted((a, b) => (a.shardId.slice(-2) < b.shardId.slice(-2) ? -1 : 1));
}

function shardOf(shardId: string, startingHashKey: bigint, width: bigint, isLast: boolean): Shard {
  return {
    shardId,
    parentShardId: undefined,
    adjacentParentShardId: undefined,
    startingHashKey,
    endingHashKey: isLast ? keySpace - 1n : startingHashKey + width - 1n,
    startingSequenceNumber: "1",
    endingSequenceNumber: undefined,
  };
}
