import { isAggregated, type UserRecord } from "@millrace/aggregation";
import type { PutRecordsEntry, PutRecordsResponse } from "@millrace/core/kinesis";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OpenAggregates } from "./pipeline/aggregates.ts";
import { pendingRecord } from "./testing-support/pending.ts";
import { records, refusal, World } from "./testing-support/world.ts";

/** Everything that is sent from now on. */
function entriesSentIn(world: World): PutRecordsEntry[] {
  const sent: PutRecordsEntry[] = [];
  world.port.on("putRecords", (request, forward) => {
    sent.push(...request.records);
    return forward();
  });
  return sent;
}

const bytesOf = ({ data, partitionKey }: PutRecordsEntry) => data.byteLength + Buffer.byteLength(partitionKey);
const keysOf = (entry: PutRecordsEntry) => [entry.partitionKey, isAggregated(entry.data)];

async function putAll(world: World, options: Parameters<World["producer"]>[0], input: readonly UserRecord[]) {
  const producer = world.producer(options);
  await world.until(producer.putAll(input));
  await world.until(producer.close());
}

describe('aggregationKey: "first"', () => {
  test("gives an aggregate the key of its first record", async () => {
    const world = new World();
    const sent = entriesSentIn(world);
    await putAll(world, { aggregationKey: "first" }, records(3));
    expect(sent.map(keysOf)).toEqual([["key-0", true]]);
    expect((await world.readBack()).map((read) => read.text)).toEqual(["record-0", "record-1", "record-2"]);
  });

  test("counts that key towards the aggregate's size, in bytes [C6]", async () => {
    const world = new World();
    const sent = entriesSentIn(world);
    const key = "\u{6f22}".repeat(256);
    const input = Array.from({ length: 60 }, (_, index) => ({ partitionKey: key, data: Buffer.alloc(100, index) }));
    await putAll(world, { aggregationKey: "first", aggregationMaxBytes: 2_600 }, input);
    expect(Math.max(...sent.map(bytesOf))).toBeLessThanOrEqual(2_600);
    expect(sent.every((entry) => isAggregated(entry.data))).toBe(true);
    expect(await world.readBack()).toHaveLength(60);
  });

  test("keeps it when the first record leaves the aggregate before a retry", async () => {
    const world = new World();
    const sent: PutRecordsEntry[] = [];
    const abort = new AbortController();
    world.port.on("putRecords", (request, forward) => {
      sent.push(...request.records);
      if (sent.length > 1) return forward();
      abort.abort(new Error("no longer wanted"));
      return Promise.resolve(refusal<PutRecordsResponse>("ServiceUnavailable", "throttle", 503));
    });
    const producer = world.producer({ aggregationKey: "first" });
    const first = producer.put({ partitionKey: "k", data: "first" }, { signal: abort.signal });
    const others = ["b", "c"].map((partitionKey) => producer.put({ partitionKey, data: "kept" }));
    await expect(world.until(first)).rejects.toThrow("no longer wanted");
    await world.until(Promise.all(others));
    expect(sent.map(keysOf)).toEqual([
      ["k", true],
      ["k", true],
    ]);
    expect((await world.readBack()).map((read) => read.view.partitionKey)).toEqual(["b", "c"]);
  });
});

describe('aggregationKey: "perKey"', () => {
  test("puts only one key into an aggregate, under that key", async () => {
    const world = new World({ stream: { shardCount: 3 } });
    const sent = entriesSentIn(world);
    await putAll(world, { aggregationKey: "perKey" }, records(97 * 4));
    expect(sent).toHaveLength(97);
    expect(new Set(sent.map((entry) => entry.partitionKey)).size).toBe(97);
    const read = await world.readBack();
    expect(read).toHaveLength(97 * 4);
    expect(read.some((one) => one.isDropped)).toBe(false);
  });

  test("lets explicit hash keys decide the shard, also of records of one key", async () => {
    const world = new World({ stream: { shardCount: 2 } });
    const sent = entriesSentIn(world);
    const hashKeys = [0n, 1n << 127n, undefined];
    const input = Array.from({ length: 12 }, (_, index) => ({
      partitionKey: "k",
      explicitHashKey: hashKeys[index % 3],
      data: `record-${index}`,
    }));
    await putAll(world, { aggregationKey: "perKey" }, input);
    expect(sent.map(keysOf)).toEqual(Array.from({ length: 3 }, () => ["k", true]));
    const read = await world.readBack();
    expect(read).toHaveLength(12);
    expect(read.some((one) => one.isDropped)).toBe(false);
  });

  test("keeps each key's order through failures and a split [C12]", async () => {
    const world = new World({ stream: { shardCount: 1 }, simulator: { limits: false } });
    world.port.on("putRecords", async (_request, forward) => {
      const draw = world.system.random();
      if (draw < 0.1) return refusal<PutRecordsResponse>("ServiceUnavailable", "transient", 503);
      const answer = await forward();
      return draw < 0.2 ? refusal<PutRecordsResponse>("ECONNRESET", "transient", 0) : answer;
    });
    const producer = world.producer({ aggregationKey: "perKey", ordering: "perKey", recordTtlMs: 600_000 });
    const input = records(1_500);
    const puts: Promise<unknown>[] = [];
    for (const [index, record] of input.entries()) {
      puts.push(producer.put(record));
      if (index % 10 === 0) await world.system.advance(5);
      if (index === 700) world.simulator.reshard({ streamName: "clicks", split: "shardId-000000000000" });
    }
    await world.until(producer.close(), 50, 2_000_000);
    await Promise.all(puts);
    const firstCopies = new Map<string, string[]>();
    for (const { view, text, isDropped } of await world.readBack()) {
      const texts = firstCopies.get(view.partitionKey ?? "") ?? [];
      if (!isDropped && !texts.includes(text)) texts.push(text);
      firstCopies.set(view.partitionKey ?? "", texts);
    }
    for (const [key, texts] of firstCopies) {
      expect(texts).toEqual(input.filter((record) => record.partitionKey === key).map((record) => record.data));
    }
    expect(firstCopies.size).toBe(97);
  });

  test("keeps a bounded number of aggregates open, and closes the oldest first", () => {
    const aggregates = new OpenAggregates({
      aggregationMaxBytes: 49_900,
      aggregationMaxRecords: 1_000,
      aggregationKey: "perKey",
    });
    const closed: string[] = [];
    for (let index = 0; index < 5_000; index++) {
      const partitionKey = `key-${index}`;
      const shardId = `shard-${index % 7}`;
      const outgoing = aggregates.add(pendingRecord({ partitionKey }), shardId);
      if (outgoing === undefined) continue;
      expect(outgoing.shardId).toBe(`shard-${closed.length % 7}`);
      closed.push(...outgoing.members.map((member) => member.partitionKey));
    }
    expect(closed).toEqual(Array.from({ length: 5_000 - 4_096 }, (_, index) => `key-${index}`));
    expect(aggregates.drain()).toHaveLength(4_096);
  });
});

describe.each(["a", "first", "perKey"] as const)('aggregationKey: "%s"', (aggregationKey) => {
  test("aggregates nothing where the service ignores keys", async () => {
    const world = new World({ stream: { streamMode: "ON_DEMAND", recordDistributionStrategy: "AUTO" } });
    const sent = entriesSentIn(world);
    await putAll(world, { aggregationKey }, records(20));
    expect(sent).toHaveLength(20);
    expect(sent.some((entry) => isAggregated(entry.data))).toBe(false);
  });

  test("no aggregate is larger than asked for, key included, and none loses a record [C6]", () => {
    const keys = fc.oneof(fc.constantFrom("k", "longer-key", "\u{1F600}".repeat(40)), fc.string({ minLength: 1 }));
    const input = fc.array(
      fc.record({
        partitionKey: keys.filter((key) => key.isWellFormed()),
        bytes: fc.nat(400),
        shard: fc.nat(2),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(input, fc.integer({ min: 64, max: 900 }), (puts, aggregationMaxBytes) => {
        const aggregates = new OpenAggregates({ aggregationMaxBytes, aggregationMaxRecords: 20, aggregationKey });
        const made = puts.flatMap(({ partitionKey, bytes, shard }) => {
          const record = { partitionKey, data: new Uint8Array(bytes), explicitHashKey: BigInt(shard) };
          return aggregates.add(pendingRecord({ record }), `shard-${shard}`) ?? [];
        });
        made.push(...aggregates.takeDue(Infinity, () => true));
        expect(made.flatMap((outgoing) => outgoing.members)).toHaveLength(puts.length);
        for (const { members, built, outerKey, sizeBytes, shardId } of made) {
          expect(members.every((member) => `shard-${member.explicitHashKey}` === shardId)).toBe(true);
          const keysAllowed = aggregationKey === "perKey" ? 1 : Infinity;
          expect(new Set(members.map((member) => member.partitionKey)).size).toBeLessThanOrEqual(keysAllowed);
          if (built === undefined) continue;
          expect(sizeBytes).toBe(built.data.byteLength + Buffer.byteLength(built.partitionKey));
          expect(sizeBytes).toBeLessThanOrEqual(aggregationMaxBytes);
          expect(built.partitionKey).toBe(outerKey);
          expect(built.partitionKey).toBe(aggregationKey === "a" ? "a" : members[0]?.partitionKey);
        }
      }),
    );
  });
});
