// Every fact of docs/reference/kinesis-service.md section 1.3 that the simulator holds, with a test named after it.
import { describe, expect, test } from "vitest";
import type { ServiceOutput } from "./service-port.ts";
import { recordsOf, StillSimulator } from "./testing-support/still-simulator.ts";

const streamName = "clicks";
const shardId = "shardId-000000000000";
const hourMs = 3_600_000;

function shardIds(output: ServiceOutput): string[] {
  return (output["Shards"] as { ShardId: string }[]).map((shard) => shard.ShardId.replace("shardId-00000000", ""));
}

async function createdUntilRefused(limits: object): Promise<number> {
  const simulator = new StillSimulator({ limits: { streamsCreating: false, ...limits } });
  let created = 0;
  const create = () => simulator.refusal("CreateStream", { StreamName: `stream-${created}`, ShardCount: 1 });
  while (created < 30 && (await create()) === "no refusal") created++;
  return created;
}

function shardCountUpdate(TargetShardCount: number) {
  return { StreamName: streamName, TargetShardCount, ScalingType: "UNIFORM_SCALING" };
}

function onDemandStream(name: number) {
  return { StreamName: `stream-${name}`, StreamModeDetails: { StreamMode: "ON_DEMAND" } };
}

function encryption(KeyId: string) {
  return { StreamName: streamName, EncryptionType: "KMS", KeyId };
}

describe("1.3 ListShards", () => {
  test("is taken 1,000 times a second for a stream", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    expect(await simulator.callsUntilRefused("ListShards", { StreamName: streamName })).toBe(1000);
    expect(await simulator.refusal("ListShards", { StreamName: streamName })).toMatch(/^LimitExceededException/);
  });

  test("gives pages of at most 1,000 shards, and a token that leads to the next", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, shardCount: 1001 });
    const first = await simulator.call("ListShards", { StreamName: streamName, MaxResults: 5000 });
    expect(shardIds(first)).toHaveLength(1000);
    const second = await simulator.call("ListShards", { NextToken: first["NextToken"] });
    expect(shardIds(second)).toEqual(["1000"]);
    expect(second["NextToken"]).toBeUndefined();
  });

  test("tokens live 300 seconds", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, shardCount: 2 });
    const { NextToken } = await simulator.call("ListShards", { StreamName: streamName, MaxResults: 1 });
    simulator.clock.advance(300_000);
    expect(await simulator.refusal("ListShards", { NextToken })).toBe("no refusal");
    simulator.clock.advance(1);
    expect(await simulator.refusal("ListShards", { NextToken })).toMatch(/^ExpiredNextTokenException/);
    expect(await simulator.refusal("ListShards", { NextToken: "nonsense" })).toMatch(/^InvalidArgumentException/);
  });

  test("takes no stream name together with a token", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, shardCount: 2 });
    const { NextToken } = await simulator.call("ListShards", { StreamName: streamName, MaxResults: 1 });
    const both = { NextToken, StreamName: streamName };
    expect(await simulator.refusal("ListShards", both)).toMatch(/^InvalidArgumentException/);
  });

  test("filters by shard, by trim horizon, by time and by what is open", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, shardCount: 2 });
    simulator.clock.advance(hourMs);
    const beforeSplit = simulator.clock.now();
    simulator.clock.advance(hourMs);
    simulator.reshard({ streamName, split: shardId });
    const list = async (filter: object | undefined) =>
      shardIds(await simulator.call("ListShards", { StreamName: streamName, ShardFilter: filter }));
    const all = ["0000", "0001", "0002", "0003"];
    expect(await list(undefined)).toEqual(all);
    expect(await list({ Type: "FROM_TRIM_HORIZON" })).toEqual(all);
    expect(await list({ Type: "AT_LATEST" })).toEqual(["0001", "0002", "0003"]);
    expect(await list({ Type: "AT_TRIM_HORIZON" })).toEqual(["0000", "0001"]);
    expect(await list({ Type: "AT_TIMESTAMP", Timestamp: beforeSplit })).toEqual(["0000", "0001"]);
    expect(await list({ Type: "FROM_TIMESTAMP", Timestamp: beforeSplit })).toEqual(all);
    expect(await list({ Type: "AFTER_SHARD_ID", ShardId: "shardId-000000000001" })).toEqual(["0002", "0003"]);
    simulator.clock.advance(hourMs);
    const afterSplit = simulator.clock.now();
    expect(await list({ Type: "AT_TIMESTAMP", Timestamp: afterSplit })).toEqual(["0001", "0002", "0003"]);
    expect(await list({ Type: "FROM_TIMESTAMP", Timestamp: afterSplit })).toEqual(["0001", "0002", "0003"]);
    // The parent's last record has expired: the trim horizon has moved past the split.
    simulator.clock.advance(24 * hourMs);
    expect(await list({ Type: "AT_TRIM_HORIZON" })).toEqual(["0001", "0002", "0003"]);
    expect(await list(undefined)).toEqual(["0001", "0002", "0003"]);
    for (const wrong of [
      { Type: "AT_TIMESTAMP" },
      { Type: "AFTER_SHARD_ID" },
      { Type: "AT_LATEST", ShardId: shardId },
    ]) {
      const input = { StreamName: streamName, ShardFilter: wrong };
      expect(await simulator.refusal("ListShards", input)).toMatch(/^InvalidArgumentException/);
    }
  });
});

test("1.3 ListShards shows a parent at the trim horizon although the clock was set back before it was split", async () => {
  const simulator = new StillSimulator();
  simulator.createStream({ streamName });
  simulator.clock.jump(-60_000);
  simulator.reshard({ streamName, split: shardId });
  const ShardFilter = { Type: "AT_TRIM_HORIZON" };
  expect(shardIds(await simulator.call("ListShards", { StreamName: streamName, ShardFilter }))).toEqual(["0000"]);
});

describe("1.3 calls a second", () => {
  test.each([
    ["DescribeStream", 10],
    ["DescribeStreamSummary", 20],
    ["DescribeLimits", 1],
    ["ListStreams", 5],
    ["ListTagsForStream", 5],
  ])("%s: %i", async (action, perSecond) => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    const input = action.endsWith("s") && !action.includes("Tags") ? {} : { StreamName: streamName };
    expect(await simulator.callsUntilRefused(action, input)).toBe(perSecond);
    expect(await simulator.refusal(action, input)).toMatch(/^LimitExceededException/);
    simulator.clock.advance(1000);
    expect(await simulator.callsUntilRefused(action, input)).toBe(perSecond);
  });

  test("DescribeStreamConsumer: 20", async () => {
    const simulator = new StillSimulator();
    const { streamArn } = simulator.createStream({ streamName });
    const ConsumerARN = await simulator.consumer(streamArn);
    expect(await simulator.callsUntilRefused("DescribeStreamConsumer", { ConsumerARN })).toBe(20);
  });

  test("split, merge, retention and tags: 5", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    for (const [action, input] of [
      ["SplitShard", { ShardToSplit: "missing", NewStartingHashKey: "7" }],
      ["MergeShards", { ShardToMerge: "missing", AdjacentShardToMerge: "missing" }],
      ["IncreaseStreamRetentionPeriod", { RetentionPeriodHours: 9000 }],
      ["DecreaseStreamRetentionPeriod", { RetentionPeriodHours: 1 }],
      ["AddTagsToStream", { Tags: { a: "b" } }],
      ["RemoveTagsFromStream", { TagKeys: ["a"] }],
    ] as const) {
      const refusals = [];
      for (let call = 0; call < 6; call++) {
        refusals.push(await simulator.refusal(action, { StreamName: streamName, ...input }));
      }
      expect(refusals.filter((refusal) => refusal.includes("Rate exceeded"))).toHaveLength(1);
    }
  });

  test("CreateStream and DeleteStream: 5; can be switched off", async () => {
    expect(await createdUntilRefused({})).toBe(5);
    expect(await createdUntilRefused({ controlCallsPerSecond: false })).toBe(30);
  });

  test("UpdateStreamWarmThroughput: 5; UpdateShardCount: 10", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    const warm = { StreamName: streamName, WarmThroughputMiBps: 10 };
    const update = { StreamName: streamName, TargetShardCount: 9, ScalingType: "UNIFORM_SCALING" };
    const rateOf = async (action: string, input: object) => {
      for (let calls = 0; ; calls++) {
        if ((await simulator.refusal(action, { ...input })).includes("Rate exceeded")) return calls;
      }
    };
    expect(await rateOf("UpdateStreamWarmThroughput", warm)).toBe(5);
    expect(await rateOf("UpdateShardCount", update)).toBe(10);
  });

  test("5 streams are in CREATING at most", async () => {
    const simulator = new StillSimulator({ limits: { controlCallsPerSecond: false } });
    for (let name = 0; name < 5; name++)
      await simulator.call("CreateStream", { StreamName: `s${name}`, ShardCount: 1 });
    const sixth = { StreamName: "s6", ShardCount: 1 };
    expect(await simulator.refusal("CreateStream", sixth)).toMatch(/^LimitExceededException: .*CREATING/);
    simulator.clock.advance(1000);
    expect(await simulator.refusal("CreateStream", sixth)).toBe("no refusal");
  });
});

describe("1.3 UpdateShardCount", () => {
  test("is taken 10 times in a rolling 24 hours for a stream", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    simulator.createStream({ streamName, shardCount: 2 });
    for (let call = 0; call < 10; call++) await simulator.call("UpdateShardCount", shardCountUpdate(2 + (call % 2)));
    simulator.clock.advance(hourMs);
    expect(await simulator.refusal("UpdateShardCount", shardCountUpdate(2))).toMatch(
      /^LimitExceededException: .*24 hours/,
    );
    simulator.clock.advance(23 * hourMs);
    expect(await simulator.refusal("UpdateShardCount", shardCountUpdate(2))).toBe("no refusal");
  });

  test("goes to at most twice the shards, and to no less than half", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    simulator.createStream({ streamName, shardCount: 4 });
    expect(await simulator.refusal("UpdateShardCount", shardCountUpdate(9))).toMatch(/^LimitExceededException/);
    expect(await simulator.refusal("UpdateShardCount", shardCountUpdate(1))).toMatch(/^LimitExceededException/);
    expect(await simulator.refusal("UpdateShardCount", shardCountUpdate(8))).toBe("no refusal");
    expect(await simulator.refusal("UpdateShardCount", shardCountUpdate(4))).toBe("no refusal");
  });

  test("goes to at most 10,000 shards", async () => {
    const simulator = new StillSimulator({ limits: { updateShardCountShards: 10 } });
    simulator.createStream({ streamName, shardCount: 10 });
    expect(await simulator.refusal("UpdateShardCount", shardCountUpdate(11))).toMatch(
      /^LimitExceededException: .* exceeds 10 sh/,
    );
  });

  test("is for provisioned streams only", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, streamMode: "ON_DEMAND" });
    expect(await simulator.refusal("UpdateShardCount", shardCountUpdate(8))).toMatch(
      /^ValidationException: .*on-demand/,
    );
  });

  test("makes short-lived shards on the way to equal ones", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    simulator.createStream({ streamName, shardCount: 2 });
    await simulator.call("UpdateShardCount", shardCountUpdate(3));
    const { Shards } = await simulator.call("ListShards", { StreamName: streamName });
    const shards = Shards as { ShardId: string; SequenceNumberRange: { EndingSequenceNumber?: string } }[];
    const open = shards.filter((shard) => shard.SequenceNumberRange.EndingSequenceNumber === undefined);
    expect(open).toHaveLength(3);
    // Both first shards were split, and the two parts in the middle merged.
    expect(shards).toHaveLength(7);
  });
});

describe("1.3 shard quota", () => {
  test("bounds the open shards of all provisioned streams", async () => {
    const simulator = new StillSimulator({ limits: { openShards: 10 }, transitionMs: 0 });
    simulator.createStream({ streamName, shardCount: 8 });
    const more = { StreamName: "more", ShardCount: 3 };
    expect(await simulator.refusal("CreateStream", more)).toMatch(/^LimitExceededException: .*Limit: 10/);
    expect(await simulator.refusal("CreateStream", { ...more, ShardCount: 2 })).toBe("no refusal");
    const split = { StreamName: streamName, ShardToSplit: shardId, NewStartingHashKey: String(2n ** 100n) };
    expect(await simulator.refusal("SplitShard", split)).toMatch(/^LimitExceededException/);
    expect(await simulator.call("DescribeLimits")).toMatchObject({ ShardLimit: 10, OpenShardCount: 10 });
  });
});

describe("1.3 on-demand", () => {
  test("streams begin with 4 shards, and there are 50 of them", async () => {
    const simulator = new StillSimulator({ limits: { controlCallsPerSecond: false }, transitionMs: 0 });
    for (let name = 0; name < 50; name++) await simulator.call("CreateStream", onDemandStream(name));
    expect(await simulator.refusal("CreateStream", onDemandStream(50))).toMatch(/^LimitExceededException/);
    const { StreamDescriptionSummary: summary } = await simulator.call("DescribeStreamSummary", onDemandStream(0));
    expect(summary).toMatchObject({ OpenShardCount: 4, StreamModeDetails: { StreamMode: "ON_DEMAND" } });
  });

  test("the mode changes twice in 24 hours", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    const { streamArn: StreamARN } = simulator.createStream({ streamName });
    const update = (StreamMode: string) =>
      simulator.refusal("UpdateStreamMode", { StreamARN, StreamModeDetails: { StreamMode } });
    expect(await update("ON_DEMAND")).toBe("no refusal");
    expect(await update("PROVISIONED")).toBe("no refusal");
    expect(await update("ON_DEMAND")).toMatch(/^LimitExceededException/);
    simulator.clock.advance(24 * hourMs);
    expect(await update("ON_DEMAND")).toBe("no refusal");
  });

  test("Advantage: the commitment lasts 24 hours at least, and warm throughput needs it, up to 10 GiB/s", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    simulator.createStream({ streamName, streamMode: "ON_DEMAND" });
    const warm = (WarmThroughputMiBps: number) =>
      simulator.refusal("UpdateStreamWarmThroughput", { StreamName: streamName, WarmThroughputMiBps });
    expect(await warm(100)).toMatch(/^ValidationException/);
    const set = (Status: string) =>
      simulator.call("UpdateAccountSettings", { MinimumThroughputBillingCommitment: { Status } });
    const status = async () =>
      ((await simulator.call("DescribeAccountSettings"))["MinimumThroughputBillingCommitment"] as ServiceOutput)[
        "Status"
      ];
    await set("ENABLED");
    expect(await warm(10_240)).toBe("no refusal");
    expect(await warm(10_241)).toMatch(/^LimitExceededException/);
    await set("DISABLED");
    expect(await status()).toBe("ENABLED_UNTIL_EARLIEST_ALLOWED_END");
    simulator.clock.advance(24 * hourMs);
    expect(await status()).toBe("DISABLED");
  });
});

describe("1.3 retention", () => {
  test("is 24 to 8,760 hours", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    simulator.createStream({ streamName });
    const set = (direction: string, RetentionPeriodHours: number) =>
      simulator.refusal(`${direction}StreamRetentionPeriod`, { StreamName: streamName, RetentionPeriodHours });
    expect(await set("Increase", 8761)).toMatch(/^InvalidArgumentException: Maximum/);
    expect(await set("Increase", 8760)).toBe("no refusal");
    expect(await set("Increase", 48)).toMatch(/^InvalidArgumentException/);
    expect(await set("Decrease", 23)).toMatch(/^InvalidArgumentException: Minimum/);
    expect(await set("Decrease", 24)).toBe("no refusal");
  });

  test("trims what is older, and raising it does not bring it back", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    simulator.createStream({ streamName });
    await simulator.put(streamName);
    simulator.clock.advance(24 * hourMs + 1);
    const kept = await simulator.put(streamName);
    const input = { StreamName: streamName, RetentionPeriodHours: 48 };
    await simulator.call("IncreaseStreamRetentionPeriod", input);
    const ShardIterator = await simulator.iterator(streamName);
    const read = recordsOf(await simulator.call("GetRecords", { ShardIterator }));
    expect(read.map((record) => record["SequenceNumber"])).toEqual([kept]);
  });

  test("can be switched off", async () => {
    const simulator = new StillSimulator({ limits: { retentionTrim: false } });
    simulator.createStream({ streamName });
    await simulator.put(streamName);
    simulator.clock.advance(1000 * hourMs);
    const ShardIterator = await simulator.iterator(streamName);
    expect(recordsOf(await simulator.call("GetRecords", { ShardIterator }))).toHaveLength(1);
  });
});

describe("1.3 identity", () => {
  test("a stream goes by name, by ARN, or by both when they agree; StreamId is taken and means nothing", async () => {
    const simulator = new StillSimulator();
    const { streamArn } = simulator.createStream({ streamName });
    const refusal = (input: Record<string, unknown>) => simulator.refusal("ListShards", input);
    expect(await refusal({ StreamName: streamName })).toBe("no refusal");
    expect(await refusal({ StreamARN: streamArn, StreamId: "anything" })).toBe("no refusal");
    expect(await refusal({ StreamARN: streamArn, StreamName: streamName })).toBe("no refusal");
    expect(await refusal({ StreamARN: streamArn, StreamName: "other" })).toMatch(/^InvalidArgumentException/);
    expect(await refusal({})).toMatch(/^InvalidArgumentException/);
    expect(await refusal({ StreamARN: streamArn.replace("123456789012", "210987654321") })).toBe(
      "ResourceNotFoundException: Stream clicks under account 210987654321 not found.",
    );
  });

  test("resource policies are kept for streams and consumers", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    const { streamArn } = simulator.createStream({ streamName });
    for (const ResourceARN of [streamArn, await simulator.consumer(streamArn)]) {
      expect(await simulator.refusal("GetResourcePolicy", { ResourceARN })).toMatch(/^ResourceNotFoundException/);
      const Policy = '{"Version":"2012-10-17"}';
      await simulator.call("PutResourcePolicy", { ResourceARN, Policy });
      expect(await simulator.call("GetResourcePolicy", { ResourceARN })).toEqual({ Policy });
      await simulator.call("DeleteResourcePolicy", { ResourceARN });
      expect(await simulator.refusal("GetResourcePolicy", { ResourceARN })).toMatch(/^ResourceNotFoundException/);
      expect(await simulator.refusal("PutResourcePolicy", { ResourceARN, Policy: "{" })).toMatch(/^InvalidArgument/);
      simulator.clock.advance(1000);
    }
  });
});

describe("1.3 encryption", () => {
  test("takes 25 keys in a rolling 24 hours", async () => {
    const simulator = new StillSimulator({ transitionMs: 0, limits: { controlCallsPerSecond: false } });
    simulator.createStream({ streamName });
    for (let key = 0; key < 25; key++) await simulator.call("StartStreamEncryption", encryption(`key-${key}`));
    expect(await simulator.refusal("StartStreamEncryption", encryption("key-25"))).toMatch(/^LimitExceededException/);
    simulator.clock.advance(24 * hourMs);
    expect(await simulator.refusal("StartStreamEncryption", encryption("key-25"))).toBe("no refusal");
  });

  test("holds for every record 5 seconds after the stream is ACTIVE again", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    simulator.createStream({ streamName });
    await simulator.call("StartStreamEncryption", encryption("key"));
    await simulator.put(streamName);
    simulator.clock.advance(5000);
    await simulator.put(streamName);
    const ShardIterator = await simulator.iterator(streamName);
    const read = recordsOf(await simulator.call("GetRecords", { ShardIterator }));
    expect(read.map((record) => record["EncryptionType"])).toEqual(["NONE", "KMS"]);
  });
});

describe("1.3 sequence number", () => {
  test("has 56 digits in the v2 layout, rises in a shard and from parent to child", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, shardCount: 2 });
    const numbers: string[] = [];
    for (let count = 0; count < 20; count++) numbers.push(await simulator.put(streamName, 10, "a"));
    const before = numbers.map((number) => BigInt(number).toString(16));
    expect(before.every((hex) => /^2[0-9a-f]{9}0[0-9a-f]{16}00[0-9a-f]{9}0{8}2$/.test(hex))).toBe(true);
    simulator.reshard({ streamName, split: shardId });
    simulator.clock.advance(1000);
    numbers.push(await simulator.put(streamName, 10, "a"));
    const values = numbers.map(BigInt);
    expect(values).toEqual(values.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(values).size).toBe(values.length);
    const { Shards } = await simulator.call("ListShards", { StreamName: streamName });
    const range = (Shards as { SequenceNumberRange: Record<string, string> }[])[0]?.SequenceNumberRange ?? {};
    expect(BigInt(range["EndingSequenceNumber"] ?? 0)).toBeGreaterThan(values[19] ?? 0n);
    expect(BigInt(range["StartingSequenceNumber"] ?? 0)).toBeLessThan(values[0] ?? 0n);
  });
});

describe("DryRun", () => {
  test("answers DryRunOperationException and does nothing", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    const { streamArn } = simulator.createStream({ streamName });
    const ShardIterator = await simulator.iterator(streamName);
    const ConsumerARN = await simulator.consumer(streamArn);
    const record = { Data: new Uint8Array(1), PartitionKey: "k" };
    for (const [action, input] of [
      ["PutRecord", { StreamName: streamName, ...record }],
      ["PutRecords", { StreamName: streamName, Records: [record] }],
      ["GetRecords", { ShardIterator }],
      ["GetShardIterator", { StreamName: streamName, ShardId: shardId, ShardIteratorType: "LATEST" }],
      ["SubscribeToShard", { ConsumerARN, ShardId: shardId, StartingPosition: { Type: "LATEST" } }],
    ] as const) {
      expect(await simulator.refusal(action, { ...input, DryRun: true })).toMatch(/^DryRunOperationException/);
    }
    expect(simulator.meter.counts().recordsIn).toBe(0);
  });
});
