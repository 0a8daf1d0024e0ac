import type { Shard } from "@millrace/core/kinesis";
import { describe, expect, test } from "vitest";
import { pendingRecord } from "../testing-support/pending.ts";
import { ShardMap } from "./shard-map.ts";

const keySpace = 1n << 128n;

/** `count` shards of equal ranges, as CreateStream makes them, in an order of no meaning. */
function equalShards(count: number, prefix = "shardId"): Shard[] {
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

describe("a shard map", () => {
  test.each([1, 2, 3, 7, 10_000])("of %i shards is right at both ends of every range", (count) => {
    const shards = equalShards(count);
    const map = new ShardMap(shards);
    expect([map.isComplete, map.openShards]).toEqual([true, count]);
    const wrong = shards.filter(({ shardId, startingHashKey, endingHashKey }) =>
      [startingHashKey, endingHashKey].some((hashKey) => {
        const pending = pendingRecord({ record: { partitionKey: "k", data: "", explicitHashKey: hashKey } });
        return map.predict(hashKey) !== shardId || map.predictFor(pending) !== shardId;
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("sees a hole and an overlap, which a listing in the middle of a reshard can have", () => {
    const [first, second, third] = equalShards(3) as [Shard, Shard, Shard];
    expect(new ShardMap([first, third]).isComplete).toBe(false);
    expect(new ShardMap([first, second]).isComplete).toBe(false);
    expect(new ShardMap([first, second, third, { ...second, shardId: "shardId-000000000009" }]).isComplete).toBe(false);
    expect(new ShardMap([]).isComplete).toBe(false);
  });

  test("still knows the ranges of shards that have closed since the map before it", () => {
    const before = new ShardMap(equalShards(1));
    const after = new ShardMap(equalShards(2, "child"), before);
    expect(after.isOpen("shardId-000000000000")).toBe(false);
    expect(after.contains("shardId-000000000000", 5n)).toBe(true);
    expect([
      after.contains("child-000000000000", 5n),
      after.contains("child-000000000001", 5n),
      after.contains("other", 5n),
    ]).toEqual([true, false, undefined]);
    expect([after.hasSameShards(before), after.hasSameShards(after)]).toEqual([false, true]);
  });
});
