// Every fact of docs/reference/kinesis-service.md section 1.1 that bounds a write, with a test named after it.
import { describe, expect, test } from "vitest";
import { recordsOf, StillSimulator } from "./testing-support/still-simulator.ts";

const mebibyte = 1_048_576;
const streamName = "clicks";

function entries(count: number, bytes: number, key = "k") {
  return Array.from({ length: count }, () => ({ Data: new Uint8Array(bytes - key.length), PartitionKey: key }));
}

async function stored(simulator: StillSimulator, records: readonly object[], name = streamName): Promise<number> {
  const output = await simulator.call("PutRecords", { StreamName: name, Records: records });
  expect(recordsOf(output)).toHaveLength(records.length);
  return records.length - (output["FailedRecordCount"] as number);
}

describe("1.1 record size", () => {
  test("blob and partition key together are at most 1,024 KiB on a new stream", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    await simulator.put(streamName, mebibyte);
    simulator.clock.advance(1000);
    const input = { StreamName: streamName, PartitionKey: "k", Data: new Uint8Array(mebibyte) };
    expect(await simulator.refusal("PutRecord", input)).toMatch(/^ValidationException: .*'data'.*1048576$/);
  });

  test("CreateStream and UpdateMaxRecordSize set it from 1,024 to 10,240 KiB, and refuse anything else", async () => {
    const simulator = new StillSimulator();
    const { streamArn } = simulator.createStream({ streamName, maxRecordSizeKiB: 10_240 });
    await simulator.put(streamName, 10 * mebibyte);
    for (const MaxRecordSizeInKiB of [1023, 10_241]) {
      const create = { StreamName: "other", ShardCount: 1, MaxRecordSizeInKiB };
      expect(await simulator.refusal("CreateStream", create)).toMatch(/^ValidationException/);
      const update = { StreamARN: streamArn, MaxRecordSizeInKiB };
      expect(await simulator.refusal("UpdateMaxRecordSize", update)).toMatch(/^ValidationException/);
    }
    await simulator.call("UpdateMaxRecordSize", { StreamARN: streamArn, MaxRecordSizeInKiB: 1024 });
    simulator.clock.advance(60_000);
    const big = { StreamName: streamName, PartitionKey: "k", Data: new Uint8Array(mebibyte) };
    expect(await simulator.refusal("PutRecord", big)).toMatch(/^ValidationException/);
  });

  test("one record over it refuses the whole request", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    const Records = [...entries(2, 10), { Data: new Uint8Array(mebibyte), PartitionKey: "k" }];
    expect(await simulator.refusal("PutRecords", { StreamName: streamName, Records })).toMatch(
      /'records\.3\.member\.data'/,
    );
    expect(simulator.meter.counts().recordsIn).toBe(0);
  });

  test("can be switched off", async () => {
    const simulator = new StillSimulator({ limits: { recordSizeKiB: false, shardWriteBytesPerSecond: false } });
    simulator.createStream({ streamName });
    await simulator.put(streamName, 3 * mebibyte);
    expect(simulator.meter.counts().recordsIn).toBe(1);
  });
});

describe("1.1 PutRecords", () => {
  test("takes at most 500 records", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    expect(await stored(simulator, entries(500, 10))).toBe(500);
    const input = { StreamName: streamName, Records: entries(501, 10) };
    expect(await simulator.refusal("PutRecords", input)).toMatch(/^ValidationException: .*'records'.*equal to 500$/);
    const free = new StillSimulator({ limits: false });
    free.createStream({ streamName });
    expect(await stored(free, entries(501, 10))).toBe(501);
  });

  test("takes at most 10 MiB, partition keys included", async () => {
    const limits = { shardWriteBytesPerSecond: false };
    const simulator = new StillSimulator({ limits });
    simulator.createStream({ streamName });
    expect(await stored(simulator, entries(10, mebibyte))).toBe(10);
    const input = { StreamName: streamName, Records: [...entries(10, mebibyte), ...entries(1, 2)] };
    expect(await simulator.refusal("PutRecords", input)).toMatch(
      /^InvalidArgumentException: .* exceeds 10485760 bytes/,
    );
    const free = new StillSimulator({ limits: false });
    free.createStream({ streamName });
    expect(await stored(free, entries(11, mebibyte))).toBe(11);
  });

  test("takes keys of 1 to 256 characters, and explicit hash keys up to 2^128 - 1", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    const entry = (more: object) => ({
      StreamName: streamName,
      Records: [{ Data: new Uint8Array(1), PartitionKey: "k", ...more }],
    });
    expect(await simulator.refusal("PutRecords", entry({ PartitionKey: "é".repeat(256) }))).toBe("no refusal");
    expect(await simulator.refusal("PutRecords", entry({ PartitionKey: "é".repeat(257) }))).toMatch(/^ValidationEx/);
    expect(await simulator.refusal("PutRecords", entry({ PartitionKey: "\u{1F600}".repeat(256) }))).toBe("no refusal");
    expect(await simulator.refusal("PutRecords", entry({ PartitionKey: "\u{1F600}".repeat(257) }))).toMatch(/^Validat/);
    expect(await simulator.refusal("PutRecords", entry({ PartitionKey: "" }))).toMatch(/^ValidationException/);
    expect(await simulator.refusal("PutRecords", entry({ PartitionKey: undefined }))).toMatch(/must not be null/);
    const last = String(2n ** 128n - 1n);
    expect(await simulator.refusal("PutRecords", entry({ ExplicitHashKey: last }))).toBe("no refusal");
    const past = String(2n ** 128n);
    expect(await simulator.refusal("PutRecords", entry({ ExplicitHashKey: past }))).toMatch(
      /^InvalidArgumentException/,
    );
    expect(await simulator.refusal("PutRecords", entry({ ExplicitHashKey: "007" }))).toMatch(/^ValidationException/);
  });
});

describe("1.1 per shard", () => {
  test("takes 1,000 records a second", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    const counts = [];
    for (let call = 0; call < 3; call++) counts.push(await stored(simulator, entries(500, 10)));
    simulator.clock.advance(250);
    counts.push(await stored(simulator, entries(500, 10)));
    expect(counts).toEqual([500, 500, 0, 250]);
  });

  test("takes 1 MiB a second, partition keys included", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    expect(await stored(simulator, entries(8, mebibyte / 4))).toBe(4);
    simulator.clock.advance(500);
    expect(await stored(simulator, entries(8, mebibyte / 4))).toBe(2);
  });

  test("counts each shard apart", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, shardCount: 2 });
    const hot = Array.from({ length: 500 }, () => ({
      Data: new Uint8Array(9),
      PartitionKey: "k",
      ExplicitHashKey: "0",
    }));
    for (let call = 0; call < 2; call++) await stored(simulator, hot);
    const cold = hot.map((entry) => ({ ...entry, ExplicitHashKey: String(2n ** 127n) }));
    expect([await stored(simulator, hot), await stored(simulator, cold)]).toEqual([0, 500]);
  });

  test("1.1 large records: a burst of 10 MiB, that refills at the base rate", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, maxRecordSizeKiB: 10_240 });
    await simulator.put(streamName, 10 * mebibyte);
    const big = { StreamName: streamName, PartitionKey: "k", Data: new Uint8Array(5 * mebibyte - 1) };
    expect(await simulator.refusal("PutRecord", big)).toMatch(/^ProvisionedThroughputExceededException/);
    simulator.clock.advance(4999);
    expect(await simulator.refusal("PutRecord", big)).toMatch(/^ProvisionedThroughputExceededException/);
    simulator.clock.advance(1);
    expect(await simulator.refusal("PutRecord", big)).toBe("no refusal");
  });
});

describe("1.1 partial failure", () => {
  test("answers in the request's order, with ProvisionedThroughputExceededException for some, and goes on after them", async () => {
    const simulator = new StillSimulator({ limits: { shardWriteRecordsPerSecond: 2 } });
    simulator.createStream({ streamName, shardCount: 2 });
    const keys = ["0", "0", "0", String(2n ** 127n), "0", String(2n ** 127n)];
    const Records = keys.map((ExplicitHashKey) => ({ Data: new Uint8Array(1), PartitionKey: "k", ExplicitHashKey }));
    const output = await simulator.call("PutRecords", { StreamName: streamName, Records });
    expect(output["FailedRecordCount"]).toBe(2);
    const summary = recordsOf(output).map((entry) => entry["ErrorCode"] ?? entry["ShardId"]);
    const refused = "ProvisionedThroughputExceededException";
    const [first, second] = ["shardId-000000000000", "shardId-000000000001"];
    expect(summary).toEqual([first, first, refused, second, refused, second]);
    expect(recordsOf(output)[2]?.["ErrorMessage"]).toBe(
      `Rate exceeded for shard ${first} in stream ${streamName} under account 123456789012.`,
    );
  });
});

describe("1.1 routing", () => {
  test("is by MD5 of the UTF-8 key, unless an explicit hash key says otherwise", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, shardCount: 2 });
    const shardOf = async (PartitionKey: string, ExplicitHashKey?: string) =>
      (
        await simulator.call("PutRecord", {
          StreamName: streamName,
          PartitionKey,
          ExplicitHashKey,
          Data: new Uint8Array(1),
        })
      )["ShardId"];
    // MD5 of "a" begins with 0c, of "b" with 92; of "À" in UTF-8 with d7, in Latin-1 with 48.
    expect(await shardOf("À")).toBe("shardId-000000000001");
    expect(await shardOf("a")).toBe("shardId-000000000000");
    expect(await shardOf("b")).toBe("shardId-000000000001");
    expect(await shardOf("a", String(2n ** 127n))).toBe("shardId-000000000001");
    expect(await shardOf("b", String(2n ** 127n - 1n))).toBe("shardId-000000000000");
  });
});

describe("1.1 AUTO distribution", () => {
  test("is for on-demand streams only", async () => {
    const simulator = new StillSimulator();
    const { streamArn } = simulator.createStream({ streamName });
    const update = { StreamARN: streamArn, RecordDistributionStrategy: "AUTO" };
    expect(await simulator.refusal("UpdateStreamRecordDistributionStrategy", update)).toMatch(
      /^InvalidArgumentException/,
    );
    const create = { StreamName: "other", ShardCount: 1, RecordDistributionStrategy: "AUTO" };
    expect(await simulator.refusal("CreateStream", create)).toMatch(/^InvalidArgumentException/);
  });

  test("ignores keys, takes records without one, spreads them, and takes effect at once", async () => {
    const simulator = new StillSimulator();
    const { streamArn } = simulator.createStream({ streamName, streamMode: "ON_DEMAND" });
    await simulator.put(streamName);
    const update = { StreamARN: streamArn, RecordDistributionStrategy: "AUTO" };
    await simulator.call("UpdateStreamRecordDistributionStrategy", update);
    const Records = Array.from({ length: 40 }, (_, index) => ({
      Data: new Uint8Array(1),
      ...(index % 2 === 0 ? {} : { PartitionKey: "k", ExplicitHashKey: "0" }),
    }));
    const output = await simulator.call("PutRecords", { StreamName: streamName, Records });
    expect(new Set(recordsOf(output).map((entry) => entry["ShardId"])).size).toBe(4);
    const ShardIterator = await simulator.iterator(streamName);
    const read = recordsOf(await simulator.call("GetRecords", { ShardIterator }));
    expect(read.length).toBeGreaterThan(0);
    expect(read.every((record) => record["PartitionKey"] === undefined)).toBe(true);
  });
});

describe("1.1 ordering", () => {
  test("SequenceNumberForOrdering of an earlier record is taken, one of the future is refused", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    const first = await simulator.put(streamName);
    const input = {
      StreamName: streamName,
      PartitionKey: "k",
      Data: new Uint8Array(1),
      SequenceNumberForOrdering: first,
    };
    const second = (await simulator.call("PutRecord", input))["SequenceNumber"] as string;
    expect(BigInt(second) > BigInt(first)).toBe(true);
    const future = { ...input, SequenceNumberForOrdering: String(BigInt(second) * 10n) };
    expect(await simulator.refusal("PutRecord", future)).toMatch(
      /^InvalidArgumentException: SequenceNumberForOrdering/,
    );
  });
});
