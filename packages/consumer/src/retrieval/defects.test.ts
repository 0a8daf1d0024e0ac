import { Aggregator, MAX_HASH_KEY } from "@millrace/aggregation";
import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { Fleet } from "../testing-support/fleet.ts";
import type { DeaggregationOptions } from "./deaggregation.ts";

let fleet: Fleet;

afterEach(() => fleet?.close());

/** An aggregate around a message of these bytes: key 0 is "a", explicit hash key 0 the largest there is. */
function aggregateOf(...parts: readonly Buffer[]): Buffer {
  const hashKey = Buffer.from(String(MAX_HASH_KEY));
  const tables = [Buffer.from("0a016112", "hex"), Buffer.of(hashKey.length), hashKey];
  const message = Buffer.concat([...tables, ...parts]);
  const digest = createHash("md5").update(message).digest();
  return Buffer.concat([Buffer.from("f3899ac2", "hex"), message, digest]);
}

const good = Buffer.from("1a0508001a0161", "hex");
const secondGood = Buffer.from("1a0508001a0163", "hex");
const namesNoKey = Buffer.from("1a0508071a0162", "hex");
const inLastShard = Buffer.from("1a07080010001a0162", "hex");
const cutOff = Buffer.from("1a7f0800", "hex");

function damaged(data: Buffer): Buffer {
  data[data.length - 1] = (data.at(-1) ?? 0) ^ 1;
  return data;
}

interface Defect {
  readonly option: keyof DeaggregationOptions;
  readonly count: "badDigest" | "unparsable" | "badIndex" | "outOfRange";
  readonly data: Buffer;
  /** Texts of what is delivered, by outcome; "whole" stands for the Kinesis record as it came. */
  readonly delivered: Readonly<Record<"deliver" | "skip", readonly string[]>>;
  readonly beforeFailure: readonly string[];
}

const defects: readonly Defect[] = [
  {
    option: "onBadDigest",
    count: "badDigest",
    data: damaged(aggregateOf(good)),
    delivered: { deliver: ["whole"], skip: [] },
    beforeFailure: [],
  },
  {
    option: "onUnparsable",
    count: "unparsable",
    data: aggregateOf(good, cutOff),
    delivered: { deliver: ["whole"], skip: [] },
    beforeFailure: [],
  },
  {
    option: "onBadIndex",
    count: "badIndex",
    data: aggregateOf(good, namesNoKey, secondGood),
    delivered: { deliver: ["a", "b", "c"], skip: ["a", "c"] },
    beforeFailure: ["a"],
  },
  {
    option: "onOutOfRange",
    count: "outOfRange",
    data: aggregateOf(good, inLastShard, secondGood),
    delivered: { deliver: ["a", "b", "c"], skip: ["a", "c"] },
    beforeFailure: ["a"],
  },
];

/** MD5 of "a" is in the first half: what goes to the first shard is in range but for the member that says otherwise. */
async function putBetweenPlainOnes(data: Buffer): Promise<void> {
  fleet = new Fleet({ shardCount: 2 });
  for (const bytes of [Buffer.from("first"), data, Buffer.from("last")]) {
    await fleet.putRecords([{ data: bytes, partitionKey: "k", explicitHashKey: "0" }]);
  }
}

function textsOf(data: Buffer): string[] {
  return fleet.deliveries.map(({ record, text }) => (data.equals(record.data) ? "whole" : text));
}

describe.each(defects)(
  "an aggregate with the defect of $option",
  ({ option, count, data, delivered, beforeFailure }) => {
    test.each(["deliver", "skip"] as const)("is counted once, and the outcome is %s [C1] [C2]", async (outcome) => {
      await putBetweenPlainOnes(data);
      fleet.start("a", undefined, { deaggregation: { [option]: outcome } });
      await fleet.until(() => textsOf(data).includes("last"));
      await fleet.event("aggregate-defects", (event) => event[count] === 1);
      expect(textsOf(data)).toEqual(["first", ...delivered[outcome], "last"]);
    });

    test("stops the shard where that is the outcome, after what stands before it [C2]", async () => {
      await putBetweenPlainOnes(data);
      fleet.start("a", undefined, { deaggregation: { [option]: "fail" } });
      await fleet.event("handler-failed");
      expect(textsOf(data).slice(0, 1 + beforeFailure.length)).toEqual(["first", ...beforeFailure]);
      expect(textsOf(data)).not.toContain("last");
    });
  },
);

async function readAuto(data: Uint8Array, count: number): Promise<void> {
  fleet = new Fleet({ shardCount: 1 });
  fleet.simulator.createStream({
    streamName: "auto",
    streamMode: "ON_DEMAND",
    recordDistributionStrategy: "AUTO",
  });
  await fleet.simulator.kinesis.putRecords({ streamName: "auto", records: [{ data, partitionKey: "ignored" }] });
  fleet.start("a", undefined, { streamName: "auto", deaggregation: { onOutOfRange: "skip" } });
  await fleet.event("range-check-off");
  await fleet.until(() => fleet.deliveries.length === count);
}

describe("a stream with the AUTO record distribution strategy", () => {
  test("has records without keys", async () => {
    await readAuto(Buffer.from("text"), 1);
    const [delivery] = fleet.deliveries;
    expect(delivery?.text).toBe("text");
    expect(delivery?.record.partitionKey).toBeUndefined();
    expect(delivery?.record.explicitHashKey).toBeUndefined();
  });

  test("is never held against its shards' ranges, whatever was asked for [C1]", async () => {
    await readAuto(aggregateOf(good, inLastShard), 2);
    expect(fleet.deliveries.map(({ text }) => text)).toEqual(["a", "b"]);
    expect(fleet.deliveries.map(({ record }) => record.partitionKey)).toEqual(["a", "a"]);
  });
});

test("records say what they are: fields of members and of plain ones, tags, and as JSON", async () => {
  fleet = new Fleet({ shardCount: 1 });
  const aggregator = new Aggregator();
  aggregator.add({ partitionKey: "k1", data: '{"n":1}', tags: { trace: "t", __proto__x: "" } });
  aggregator.add({ partitionKey: "k2", data: "two", explicitHashKey: "5" });
  await fleet.putRecords([
    { data: aggregator.build().data, partitionKey: "outer" },
    { data: Buffer.from("plain"), partitionKey: "k3" },
  ]);
  fleet.start("a");
  await fleet.until(() => fleet.deliveries.length === 3);
  const [first, second, plain] = fleet.deliveries.map(({ record }) => record);
  expect(first).toMatchObject({ partitionKey: "k1", subSequenceNumber: 0, tags: { trace: "t", __proto__x: "" } });
  expect(first?.json()).toEqual({ n: 1 });
  expect(first?.explicitHashKey).toBeUndefined();
  expect(first?.data).toBe(first?.data);
  expect(second).toMatchObject({ partitionKey: "k2", subSequenceNumber: 1, explicitHashKey: "5" });
  expect(second?.tags).toBeUndefined();
  expect(second?.sequenceNumber).toBe(first?.sequenceNumber);
  expect(plain).toMatchObject({ partitionKey: "k3" });
  expect(plain?.subSequenceNumber).toBeUndefined();
  expect(JSON.parse(JSON.stringify(second))).toEqual({
    data: { type: "Buffer", data: [...Buffer.from("two")] },
    partitionKey: "k2",
    explicitHashKey: "5",
    sequenceNumber: second?.sequenceNumber,
    subSequenceNumber: 1,
    approximateArrivalTimestamp: second?.approximateArrivalTimestamp?.toISOString(),
  });
});
