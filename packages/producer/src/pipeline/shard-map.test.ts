import type { Shard } from "@millrace/core/kinesis";
import { describe, expect, test } from "vitest";
import { pendingRecord } from "../testing-support/pending.ts";
import { equalShards } from "../testing-support/shards.ts";
import { ShardMap } from "./shard-map.ts";

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
