// Every fact of docs/reference/kinesis-service.md section 1.2 that bounds a read, with a test named after it.
import { describe, expect, test } from "vitest";
import { recordsOf, StillSimulator } from "./testing-support/still-simulator.ts";

const mebibyte = 1_048_576;
const streamName = "clicks";
const shardId = "shardId-000000000000";

/** A stream with `count` records of `bytes` bytes in one shard. */
async function filled(count: number, bytes: number, limits: object = {}) {
  const simulator = new StillSimulator({
    limits: { shardWriteBytesPerSecond: false, shardWriteRecordsPerSecond: false, ...limits },
  });
  const created = simulator.createStream({ streamName });
  for (let stored = 0; stored < count; stored++) await simulator.put(streamName, bytes);
  return { simulator, ...created };
}

describe("1.2 GetRecords", () => {
  test("is taken 5 times a second for a shard, whoever calls", async () => {
    const { simulator } = await filled(1, 10);
    const ShardIterator = await simulator.iterator(streamName);
    expect(await simulator.callsUntilRefused("GetRecords", { ShardIterator })).toBe(5);
    expect(await simulator.refusal("GetRecords", { ShardIterator })).toBe(
      "ProvisionedThroughputExceededException: " +
        `Rate exceeded for shard ${shardId} in stream ${streamName} under account 123456789012.`,
    );
    simulator.clock.advance(400);
    expect(await simulator.callsUntilRefused("GetRecords", { ShardIterator })).toBe(2);
  });

  test("gives at most 10,000 records, and refuses a Limit above it with InvalidArgumentException", async () => {
    const { simulator } = await filled(10_001, 2);
    const ShardIterator = await simulator.iterator(streamName);
    const first = await simulator.call("GetRecords", { ShardIterator });
    expect(recordsOf(first)).toHaveLength(10_000);
    expect(first["MillisBehindLatest"]).toBeGreaterThan(0);
    const second = await simulator.call("GetRecords", { ShardIterator: first["NextShardIterator"] });
    expect(recordsOf(second)).toHaveLength(1);
    expect(second["MillisBehindLatest"]).toBe(0);
    expect(await simulator.refusal("GetRecords", { ShardIterator, Limit: 10_001 })).toMatch(
      /^InvalidArgumentException/,
    );
    expect(await simulator.refusal("GetRecords", { ShardIterator, Limit: 0 })).toMatch(/^ValidationException/);
    expect(recordsOf(await simulator.call("GetRecords", { ShardIterator, Limit: 3 }))).toHaveLength(3);
  });

  test("gives at most 10 MiB", async () => {
    const { simulator } = await filled(11, mebibyte);
    const ShardIterator = await simulator.iterator(streamName);
    expect(recordsOf(await simulator.call("GetRecords", { ShardIterator }))).toHaveLength(10);
  });

  test("after 10 MiB the shard throttles for the next 5 seconds", async () => {
    const { simulator } = await filled(11, mebibyte);
    const first = await simulator.call("GetRecords", { ShardIterator: await simulator.iterator(streamName) });
    const next = { ShardIterator: first["NextShardIterator"] };
    simulator.clock.advance(4999);
    expect(await simulator.refusal("GetRecords", next)).toMatch(/^ProvisionedThroughputExceededException/);
    simulator.clock.advance(2);
    expect(recordsOf(await simulator.call("GetRecords", next))).toHaveLength(1);
  });

  test("shares 2 MiB a second among all readers of the shard", async () => {
    const { simulator } = await filled(4, mebibyte);
    const ShardIterator = await simulator.iterator(streamName);
    expect(await simulator.callsUntilRefused("GetRecords", { ShardIterator, Limit: 1 })).toBe(2);
    simulator.clock.advance(500);
    expect(await simulator.callsUntilRefused("GetRecords", { ShardIterator, Limit: 1 })).toBe(1);
  });

  test("an exception returns no data: a throttled call does not move on", async () => {
    const { simulator } = await filled(3, 10);
    const ShardIterator = await simulator.iterator(streamName);
    await simulator.callsUntilRefused("GetRecords", { ShardIterator });
    simulator.clock.advance(1000);
    expect(recordsOf(await simulator.call("GetRecords", { ShardIterator }))).toHaveLength(3);
  });
});

describe("1.2 iterators", () => {
  test("expire after 5 minutes", async () => {
    const { simulator } = await filled(1, 10);
    const ShardIterator = await simulator.iterator(streamName);
    simulator.clock.advance(300_000);
    expect(await simulator.refusal("GetRecords", { ShardIterator })).toBe("no refusal");
    simulator.clock.advance(1);
    expect(await simulator.refusal("GetRecords", { ShardIterator })).toMatch(/^ExpiredIteratorException/);
  });

  test("GetShardIterator is taken 5 times a second for a shard", async () => {
    const { simulator } = await filled(0, 10);
    const input = { StreamName: streamName, ShardId: shardId, ShardIteratorType: "LATEST" };
    expect(await simulator.callsUntilRefused("GetShardIterator", input)).toBe(5);
    expect(await simulator.refusal("GetShardIterator", input)).toMatch(/^ProvisionedThroughputExceededException/);
    simulator.clock.advance(1000);
    expect(await simulator.callsUntilRefused("GetShardIterator", input)).toBe(5);
  });

  test("of a closed shard end with ChildShards and without a NextShardIterator", async () => {
    const { simulator } = await filled(2, 10);
    const ShardIterator = await simulator.iterator(streamName);
    const { opened } = simulator.reshard({ streamName, split: shardId });
    const half = await simulator.call("GetRecords", { ShardIterator, Limit: 1 });
    expect(half["ChildShards"]).toBeUndefined();
    const end = await simulator.call("GetRecords", { ShardIterator: half["NextShardIterator"] });
    expect(recordsOf(end)).toHaveLength(1);
    expect(end["NextShardIterator"]).toBeUndefined();
    expect((end["ChildShards"] as { ShardId: string }[]).map((child) => child.ShardId)).toEqual(opened);
  });

  test("of other services, of other streams and made-up ones are refused", async () => {
    const { simulator, streamArn } = await filled(1, 10);
    const ShardIterator = await simulator.iterator(streamName);
    const other = await filled(1, 10);
    const tampered = `${ShardIterator.slice(0, -8)}AAAAAAAA`;
    for (const wrong of ["nonsense", tampered, "%%%"]) {
      expect(await simulator.refusal("GetRecords", { ShardIterator: wrong })).toMatch(/^InvalidArgumentException/);
    }
    expect(await other.simulator.refusal("GetRecords", { ShardIterator })).toBe("no refusal");
    const arn = `${streamArn}-other`;
    expect(await simulator.refusal("GetRecords", { ShardIterator, StreamARN: arn })).toMatch(/^InvalidArgument/);
  });

  test("begin where each type says", async () => {
    const { simulator } = await filled(0, 10);
    const numbers: string[] = [];
    for (let index = 0; index < 4; index++) {
      numbers.push(await simulator.put(streamName));
      simulator.clock.advance(1000);
    }
    const Timestamp = new Date(simulator.clock.now().getTime() - 2000);
    const count = async (type: string, more: object = {}) => {
      simulator.clock.advance(1000);
      const ShardIterator = await simulator.iterator(streamName, shardId, type, { ...more });
      return recordsOf(await simulator.call("GetRecords", { ShardIterator })).length;
    };
    expect(await count("TRIM_HORIZON")).toBe(4);
    expect(await count("LATEST")).toBe(0);
    expect(await count("AT_SEQUENCE_NUMBER", { StartingSequenceNumber: numbers[1] })).toBe(3);
    expect(await count("AFTER_SEQUENCE_NUMBER", { StartingSequenceNumber: numbers[1] })).toBe(2);
    expect(await count("AT_TIMESTAMP", { Timestamp })).toBe(2);
    expect(await count("AT_TIMESTAMP", { Timestamp: new Date(0) })).toBe(4);
    const input = { StreamName: streamName, ShardId: shardId };
    const refusal = (more: object) => simulator.refusal("GetShardIterator", { ...input, ...more });
    const future = new Date(simulator.clock.now().getTime() + 1000);
    expect(await refusal({ ShardIteratorType: "AT_TIMESTAMP", Timestamp: future })).toMatch(/^InvalidArgument/);
    expect(await refusal({ ShardIteratorType: "AT_SEQUENCE_NUMBER" })).toMatch(/^InvalidArgument/);
    simulator.clock.advance(1000);
    expect(await refusal({ ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: "7" })).toMatch(
      /is invalid/,
    );
    expect(await refusal({ ShardIteratorType: "LATEST", StartingSequenceNumber: numbers[0] })).toMatch(/^InvalidArg/);
  });
});

describe("1.2 arrival time", () => {
  test("is in milliseconds and follows the service's wall clock, also when that goes back", async () => {
    const { simulator } = await filled(0, 10);
    const start = simulator.clock.now().getTime();
    await simulator.put(streamName);
    simulator.clock.jump(-5000);
    await simulator.put(streamName);
    const ShardIterator = await simulator.iterator(streamName);
    const arrivals = recordsOf(await simulator.call("GetRecords", { ShardIterator })).map(
      (record) => (record["ApproximateArrivalTimestamp"] as Date).getTime() - start,
    );
    expect(arrivals).toEqual([0, -5000]);
  });
});

describe("1.2 EFO consumers", () => {
  test("are 20 on a stream, and 50 on an on-demand stream of an account with the commitment", async () => {
    for (const [streamMode, commitment, most] of [
      ["PROVISIONED", true, 20],
      ["ON_DEMAND", false, 20],
      ["ON_DEMAND", true, 50],
    ] as const) {
      const simulator = new StillSimulator({ transitionMs: 0, limits: { registerConsumerPerSecond: false } });
      const { streamArn } = simulator.createStream({ streamName, streamMode });
      const Status = commitment ? "ENABLED" : "DISABLED";
      await simulator.call("UpdateAccountSettings", { MinimumThroughputBillingCommitment: { Status } });
      let registered = 0;
      const register = () =>
        simulator.refusal("RegisterStreamConsumer", { StreamARN: streamArn, ConsumerName: `reader-${registered}` });
      while ((await register()) === "no refusal") registered++;
      expect(registered).toBe(most);
      expect(await register()).toMatch(/^LimitExceededException/);
    }
  });

  test("are at most 5 in CREATING", async () => {
    const simulator = new StillSimulator({ limits: { registerConsumerPerSecond: false } });
    const { streamArn } = simulator.createStream({ streamName });
    const register = (name: number) =>
      simulator.refusal("RegisterStreamConsumer", { StreamARN: streamArn, ConsumerName: `reader-${name}` });
    for (let name = 0; name < 5; name++) expect(await register(name)).toBe("no refusal");
    expect(await register(5)).toMatch(/^LimitExceededException/);
    simulator.clock.advance(1000);
    expect(await register(5)).toBe("no refusal");
  });

  test("are registered 5 times a second", async () => {
    const simulator = new StillSimulator({ limits: { consumersCreating: false } });
    const { streamArn } = simulator.createStream({ streamName });
    const register = (name: number) =>
      simulator.refusal("RegisterStreamConsumer", { StreamARN: streamArn, ConsumerName: `reader-${name}` });
    for (let name = 0; name < 5; name++) expect(await register(name)).toBe("no refusal");
    expect(await register(5)).toMatch(/^LimitExceededException: Rate exceeded/);
  });

  test("have the time of their registration in their ARN: registered again, another one", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    const { streamArn } = simulator.createStream({ streamName });
    const first = await simulator.consumer(streamArn);
    expect(first).toMatch(new RegExp(`^${streamArn}/consumer/reader:\\d{10}$`));
    await simulator.call("DeregisterStreamConsumer", { ConsumerARN: first });
    const second = await simulator.consumer(streamArn);
    expect(second).not.toBe(first);
    expect(await simulator.refusal("DescribeStreamConsumer", { ConsumerARN: first })).toMatch(/^ResourceNotFound/);
  });
});
