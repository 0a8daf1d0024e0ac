/** Driver. Cases of splitting, merging and listing shards. */
import {
  ListShardsCommand,
  MergeShardsCommand,
  SplitShardCommand,
  UpdateShardCountCommand,
} from "@aws-sdk/client-kinesis";
import type { ShardFilterType } from "@aws-sdk/client-kinesis";
import { expect } from "vitest";
import { documented } from "../contract-case.ts";
import type { ContractCase } from "../contract-case.ts";
import { errorName, retryWhenLimited } from "../service-under-test.ts";
import type { ServiceUnderTest } from "../service-under-test.ts";

const [shard0, shard1, shard2, shard3] = [0, 1, 2, 3].map((index) => `shardId-00000000000${index}`);

/** A stream whose first shard was split in the middle. */
async function splitStream(service: ServiceUnderTest): Promise<string> {
  const { streamName } = await service.createStream(1);
  await service.put(streamName, [{ PartitionKey: "before" }]);
  await retryWhenLimited(() =>
    service.client.send(
      new SplitShardCommand({ StreamName: streamName, ShardToSplit: shard0, NewStartingHashKey: String(2n ** 127n) }),
    ),
  );
  await service.untilActive(streamName);
  return streamName;
}

async function filtered(service: ServiceUnderTest, streamName: string, type: ShardFilterType) {
  const { Shards = [] } = await service.client.send(
    new ListShardsCommand({ StreamName: streamName, ShardFilter: { Type: type } }),
  );
  return Shards.map((shard) => shard.ShardId);
}

export const reshardingCases: readonly ContractCase[] = [
  {
    name: "a split closes the parent and opens two children",
    rule: documented("SplitShard", "The parent closes; its hash keys go to two children that name it."),
    async run(service) {
      const [parent, left, right] = await service.shards(await splitStream(service));
      expect(parent?.SequenceNumberRange?.EndingSequenceNumber).toMatch(/^\d+$/);
      expect(left).toMatchObject({
        ShardId: shard1,
        ParentShardId: shard0,
        HashKeyRange: { StartingHashKey: "0", EndingHashKey: String(2n ** 127n - 1n) },
      });
      expect(right).toMatchObject({
        ShardId: shard2,
        ParentShardId: shard0,
        HashKeyRange: { StartingHashKey: String(2n ** 127n), EndingHashKey: String(2n ** 128n - 1n) },
      });
      expect(left?.SequenceNumberRange?.EndingSequenceNumber).toBeUndefined();
      expect(right?.AdjacentParentShardId).toBeUndefined();
    },
  },
  {
    name: "a child's numbers stand after its parent's",
    rule: documented("SplitShard", "StartingSequenceNumber of a child follows EndingSequenceNumber of its parent."),
    async run(service) {
      const [parent, left] = await service.shards(await splitStream(service));
      expect(BigInt(left?.SequenceNumberRange?.StartingSequenceNumber ?? 0)).toBeGreaterThan(
        BigInt(parent?.SequenceNumberRange?.EndingSequenceNumber ?? -1),
      );
    },
  },
  {
    name: "the end of a closed shard has no next iterator",
    rule: documented("GetRecords", "NextShardIterator is null when the shard is closed and all was returned."),
    async run(service) {
      const streamName = await splitStream(service);
      expect((await service.readToEnd(streamName, shard0)).texts).toEqual(["text-0"]);
    },
  },
  {
    name: "the end of a closed shard names its children",
    rule: documented("GetRecords", "ChildShards is returned when the end of the current shard is reached."),
    async run(service) {
      const streamName = await splitStream(service);
      const { last } = await service.readToEnd(streamName, shard0);
      expect(last.ChildShards).toEqual([
        {
          ShardId: shard1,
          ParentShards: [shard0],
          HashKeyRange: { StartingHashKey: "0", EndingHashKey: String(2n ** 127n - 1n) },
        },
        {
          ShardId: shard2,
          ParentShards: [shard0],
          HashKeyRange: { StartingHashKey: String(2n ** 127n), EndingHashKey: String(2n ** 128n - 1n) },
        },
      ]);
    },
  },
  {
    name: "after a split records go to the children",
    rule: documented("SplitShard", "Data records that would go to the parent go to the children."),
    async run(service) {
      const streamName = await splitStream(service);
      const results = await service.put(streamName, [
        { PartitionKey: "k", ExplicitHashKey: "0" },
        { PartitionKey: "k", ExplicitHashKey: String(2n ** 127n) },
      ]);
      expect(results.map((result) => result.ShardId)).toEqual([shard1, shard2]);
    },
  },
  {
    name: "a split at the parent's first key is refused",
    rule: documented(
      "SplitShard",
      "NewStartingHashKey must lie within the shard's range and leave both children keys.",
    ),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const split = retryWhenLimited(() =>
        service.client.send(
          new SplitShardCommand({ StreamName: streamName, ShardToSplit: shard0, NewStartingHashKey: "0" }),
        ),
      );
      expect(await errorName(split)).toBe("InvalidArgumentException");
    },
  },
  {
    name: "a merge names both parents",
    rule: documented("MergeShards", "ParentShardId and AdjacentParentShardId of the child."),
    async run(service) {
      const { streamName } = await service.createStream(2);
      await retryWhenLimited(() =>
        service.client.send(
          new MergeShardsCommand({ StreamName: streamName, ShardToMerge: shard0, AdjacentShardToMerge: shard1 }),
        ),
      );
      await service.untilActive(streamName);
      const child = (await service.shards(streamName)).at(-1);
      expect(child).toMatchObject({
        ShardId: shard2,
        ParentShardId: shard0,
        AdjacentParentShardId: shard1,
        HashKeyRange: { StartingHashKey: "0", EndingHashKey: String(2n ** 128n - 1n) },
      });
    },
  },
  {
    name: "shards that do not meet cannot be merged",
    rule: documented("MergeShards", "Two shards are adjacent if the union of their ranges has no gaps."),
    async run(service) {
      const { streamName } = await service.createStream(3);
      const merge = retryWhenLimited(() =>
        service.client.send(
          new MergeShardsCommand({ StreamName: streamName, ShardToMerge: shard0, AdjacentShardToMerge: shard2 }),
        ),
      );
      expect(await errorName(merge)).toBe("InvalidArgumentException");
    },
  },
  {
    name: "a stream's shards are counted up",
    rule: documented("UpdateShardCount", "Up to double the current count, UNIFORM_SCALING."),
    async run(service) {
      const { streamName } = await service.createStream(2);
      const output = await service.client.send(
        new UpdateShardCountCommand({ StreamName: streamName, TargetShardCount: 4, ScalingType: "UNIFORM_SCALING" }),
      );
      expect(output).toMatchObject({ CurrentShardCount: 2, TargetShardCount: 4 });
      await service.untilActive(streamName);
      expect(await filtered(service, streamName, "AT_LATEST")).toHaveLength(4);
    },
  },
  {
    name: "a stream's shards are at most doubled",
    rule: "UpdateShardCount cannot scale up over double the open shards: LimitExceededException [recorded from the service by mhart/kinesalite, test/updateShardCount.js of pull request 48]",
    async run(service) {
      const { streamName } = await service.createStream(2);
      const update = service.client.send(
        new UpdateShardCountCommand({ StreamName: streamName, TargetShardCount: 5, ScalingType: "UNIFORM_SCALING" }),
      );
      expect(await errorName(update)).toBe("LimitExceededException");
    },
  },
  {
    name: "AT_LATEST lists the open shards alone",
    rule: documented("ListShards", "AT_LATEST: only the currently open shards."),
    async run(service) {
      expect(await filtered(service, await splitStream(service), "AT_LATEST")).toEqual([shard1, shard2]);
    },
  },
  {
    name: "AT_TRIM_HORIZON lists what was open at the trim horizon",
    rule: documented("ListShards", "AT_TRIM_HORIZON: all the shards that were open at TRIM_HORIZON."),
    async run(service) {
      expect(await filtered(service, await splitStream(service), "AT_TRIM_HORIZON")).toEqual([shard0]);
    },
  },
  {
    name: "FROM_TRIM_HORIZON lists all shards within retention",
    rule: documented("ListShards", "FROM_TRIM_HORIZON: all the shards within the retention period."),
    async run(service) {
      expect(await filtered(service, await splitStream(service), "FROM_TRIM_HORIZON")).toEqual([
        shard0,
        shard1,
        shard2,
      ]);
    },
  },
  {
    name: "shards are listed page by page",
    rule: documented("ListShards", "MaxResults bounds a page; NextToken leads to the next one."),
    async run(service) {
      const { streamName } = await service.createStream(4);
      const first = await service.client.send(new ListShardsCommand({ StreamName: streamName, MaxResults: 3 }));
      expect(first.Shards?.map((shard) => shard.ShardId)).toEqual([shard0, shard1, shard2]);
      const second = await service.client.send(new ListShardsCommand({ NextToken: first.NextToken }));
      expect(second.Shards?.map((shard) => shard.ShardId)).toEqual([shard3]);
      expect(second.NextToken).toBeUndefined();
    },
  },
  {
    name: "a listing goes on after a shard",
    rule: documented("ListShards", "ExclusiveStartShardId: start after this shard."),
    async run(service) {
      const { streamName } = await service.createStream(3);
      const { Shards } = await service.client.send(
        new ListShardsCommand({ StreamName: streamName, ExclusiveStartShardId: shard0 }),
      );
      expect(Shards?.map((shard) => shard.ShardId)).toEqual([shard1, shard2]);
    },
  },
  {
    name: "a stream's name and a token do not go together",
    rule: documented("ListShards", "You cannot specify StreamName when you specify NextToken."),
    async run(service) {
      const { streamName } = await service.createStream(2);
      const { NextToken } = await service.client.send(new ListShardsCommand({ StreamName: streamName, MaxResults: 1 }));
      const both = service.client.send(
        new ListShardsCommand({ StreamName: streamName, NextToken: NextToken ?? "AAAA" }),
      );
      expect(await errorName(both)).toBe("InvalidArgumentException");
    },
  },
];
