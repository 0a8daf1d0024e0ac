import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Aggregator } from "./aggregate.ts";
import { createCounts } from "./deaggregate-options.ts";
import type { DeaggregateOptions, LazyOptions } from "./deaggregate-options.ts";
import { deaggregate, deaggregateLazily, isAggregated } from "./deaggregate.ts";
import type { AnyKinesisRecord } from "./deaggregate.ts";
import { DeaggregationError, InvalidRecordError } from "./errors.ts";
import { AggregatedRecord } from "./generated/aggregated-record.ts";
import { MAX_HASH_KEY, parseExplicitHashKey, partitionKeyHash } from "./hash-key.ts";
import type { UserRecord, UserRecordView } from "./record.ts";
import { userRecords } from "./testing-support/arbitraries.ts";
import { encodeMessage, encodeWithProtobufjs, frame } from "./testing-support/protobuf.ts";
import { vectors } from "./testing-support/vectors.ts";

const sequenceNumber = "49590338271490256608559692538361571095921575989136588898";

function open(data: Uint8Array, options?: DeaggregateOptions): UserRecordView[] {
  return deaggregate({ data, partitionKey: "outer", sequenceNumber }, options);
}

/** The view of a Kinesis record that passes unchanged. */
function whole(data: Uint8Array) {
  return [{ data, partitionKey: "outer", sequenceNumber, subSequenceNumber: 0, aggregated: false }];
}

/** An aggregate of one record with so many tags. */
function aggregateWithTags(count: number): Buffer {
  const tags = Array.from({ length: count }, (_, index) => ({ key: `t${index}`, value: "v" }));
  return encodeMessage({ partitionKeyTable: ["a"], records: [{ partitionKeyIndex: 0, data: Buffer.alloc(1), tags }] });
}

function textOf({ data }: UserRecordView): string {
  return Buffer.from(data).toString("utf8");
}

describe("deaggregate", () => {
  it.each(vectors)("reads vector $name", ({ records }) => {
    const aggregator = new Aggregator();
    for (const record of records) aggregator.add(record);
    const counts = createCounts();
    const views = open(aggregator.build().data, { counts });
    expect(views).toEqual(
      records.map((record, subSequenceNumber) => ({
        data: Buffer.from(record.data as string),
        partitionKey: record.partitionKey,
        explicitHashKey: record.explicitHashKey?.toString(),
        sequenceNumber,
        subSequenceNumber,
        aggregated: true,
      })),
    );
    expect(counts).toEqual({ ...createCounts(), aggregates: 1, userRecords: records.length });
  });

  it("gives back every record that was added, tags and awkward keys included", () => {
    fc.assert(
      fc.property(fc.array(userRecords, { minLength: 2, maxLength: 20 }), (records) => {
        const aggregator = new Aggregator({ maxBytes: 1_000_000 });
        for (const record of records) aggregator.add(record);
        const views = open(aggregator.build().data);
        expect(views).toHaveLength(records.length);
        for (const [index, record] of records.entries()) {
          const view = views[index];
          expect(view?.partitionKey).toBe(record.partitionKey);
          expect(Buffer.from(record.data as string).equals(view?.data ?? Buffer.from("none"))).toBe(true);
          expect(view?.explicitHashKey).toBe(
            record.explicitHashKey === undefined ? undefined : parseExplicitHashKey(record.explicitHashKey).toString(),
          );
          expect(new Map(Object.entries(view?.tags ?? {}))).toEqual(new Map(Object.entries(record.tags ?? {})));
          expect(view?.subSequenceNumber).toBe(index);
        }
      }),
    );
  });

  const blob = encodeWithProtobufjs([
    { partitionKey: "a", data: "x" },
    { partitionKey: "b", data: "y" },
  ]);

  // Source: awslabs/kinesis-aggregation, go/deaggregator/deaggregator_test.go.
  it.each<[string, Uint8Array]>([
    ["no bytes", Buffer.alloc(0)],
    ["2 bytes", Buffer.from("ab")],
    ["the magic alone", blob.subarray(0, 4)],
    ["magic and 16 bytes", blob.subarray(0, 20)],
    ["the magic shifted by one", Buffer.concat([Buffer.of(0), blob])],
    ["a blob cut to 19 bytes", blob.subarray(0, 19)],
    ["a plain record", Buffer.from("RECORD 749 pjqrcfbxafzdndzmbgane")],
  ])("passes %s through unchanged", (_, data) => {
    const counts = createCounts();
    const [view, ...more] = open(data, { onBadDigest: "fail", onUnparsable: "fail", counts });
    expect([view]).toEqual(whole(data));
    expect(view?.data).toBe(data);
    expect(more).toEqual([]);
    expect(counts).toEqual({ ...createCounts(), userRecords: 1 });
    expect(isAggregated(data)).toBe(false);
  });

  const withoutLastByte = blob.subarray(0, blob.length - 1);
  const withFlippedByte = Buffer.from(blob);
  withFlippedByte[10] = 0xff;

  it.each<[string, Uint8Array]>([
    ["its last digest byte missing", withoutLastByte],
    ["a flipped byte", withFlippedByte],
  ])("passes an aggregate with %s through, counted; skips or fails on request", (_, data) => {
    const counts = createCounts();
    expect(open(data, { counts })).toEqual(whole(data));
    expect(open(data, { onBadDigest: "skip", counts })).toEqual([]);
    expect(() => open(data, { onBadDigest: "fail", counts })).toThrow(DeaggregationError);
    expect(counts).toEqual({ ...createCounts(), userRecords: 1, badDigest: 3 });
    expect(isAggregated(data)).toBe(false);
  });

  it.each<[string, Uint8Array]>([
    ["no protobuf", Buffer.from("hello, world")],
    ["a record without data", Buffer.from("1a020800", "hex")],
    ["a record without a key index", Buffer.from("1a021a00", "hex")],
    ["a record longer than the message", Buffer.from("1a0608001a00", "hex")],
    ["data longer than its record", Buffer.from("1a0408001a0178", "hex")],
    ["a tag without a key", Buffer.from("1a0608001a002200", "hex")],
    ["an endless varint", Buffer.from("1a0f08ffffffffffffffffffffff011a00", "hex")],
    ["a group", Buffer.from("1a0408001a000b0c", "hex")],
    [
      "a tag of 5,000 fields",
      Buffer.concat([Buffer.from("1a974e08001a0022904e0a00", "hex"), Buffer.alloc(9998, "2800", "hex")]),
    ],
    [
      "a record of 5,000 fields",
      Buffer.concat([Buffer.from("1a8b4e08001a00", "hex"), Buffer.alloc(9991, "2800", "hex")]),
    ],
  ])("passes %s behind a right digest through, counted; skips or fails on request", (_, message) => {
    const data = frame(message);
    const counts = createCounts();
    expect(open(data, { counts })).toEqual(whole(data));
    expect(open(data, { onUnparsable: "skip", counts })).toEqual([]);
    expect(() => open(data, { onUnparsable: "fail", counts })).toThrow(/no aggregated record/);
    expect(counts).toEqual({ ...createCounts(), userRecords: 1, unparsable: 3 });
    expect(isAggregated(data)).toBe(true);
  });

  it("yields nothing for an aggregate without records, as every other reader does", () => {
    const counts = createCounts();
    expect(open(encodeMessage({ partitionKeyTable: ["a"] }), { counts })).toEqual([]);
    expect(counts).toEqual({ ...createCounts(), aggregates: 1 });
  });

  it("delivers a record whose index is outside its table without that key, counted; skips or fails on request", () => {
    const data = encodeMessage({
      partitionKeyTable: ["a"],
      // The Go library's test aggregates name hash keys although their table is empty.
      records: [
        { partitionKeyIndex: 0, data: Buffer.from("good") },
        { partitionKeyIndex: 1, data: Buffer.from("no key") },
        { partitionKeyIndex: 0, explicitHashKeyIndex: 0, data: Buffer.from("no hash key") },
        { partitionKeyIndex: Number.MAX_SAFE_INTEGER, data: Buffer.from("far") },
      ],
    });
    const counts = createCounts();
    const views = open(data, { counts });
    expect(views.map((view) => [view.partitionKey, view.explicitHashKey, textOf(view)])).toEqual([
      ["a", undefined, "good"],
      [undefined, undefined, "no key"],
      ["a", undefined, "no hash key"],
      [undefined, undefined, "far"],
    ]);
    expect(counts.badIndex).toBe(3);
    expect(open(data, { onBadIndex: "skip" }).map((view) => view.subSequenceNumber)).toEqual([0]);
    expect(() => open(data, { onBadIndex: "fail" })).toThrow(
      new DeaggregationError("bad-index", sequenceNumber, 1).message,
    );
  });

  it("reads what foreign writers make: unused and repeated entries, an index other than 0, other orders", () => {
    // aws-fluent-plugin-kinesis writes the outer key first and uses index 1.
    const fluent = encodeMessage({
      partitionKeyTable: ["a", "key", "key"],
      records: [
        { partitionKeyIndex: 1, data: Buffer.from("1") },
        { partitionKeyIndex: 2, data: Buffer.from("2") },
      ],
    });
    expect(open(fluent).map((view) => [view.partitionKey, textOf(view)])).toEqual([
      ["key", "1"],
      ["key", "2"],
    ]);
    const member = AggregatedRecord.encode({ records: [{ partitionKeyIndex: 0, data: Buffer.from("d") }] }).finish();
    const table = AggregatedRecord.encode({ partitionKeyTable: ["late"] }).finish();
    // Data before its index, an unknown field, and an index that takes ten bytes for nothing.
    const odd = Buffer.from("1a131a0165280708818080808080808080002a0166", "hex");
    const views = open(frame(Buffer.concat([member, Buffer.from("2a0199", "hex"), table, odd, table])));
    expect(views.map((view) => [view.partitionKey, textOf(view)])).toEqual([
      ["late", "d"],
      ["late", "e"],
    ]);
  });

  it("never takes entry 0 for a record without an explicit hash key", () => {
    const data = encodeWithProtobufjs([
      { partitionKey: "a", data: "x", explicitHashKey: 7n },
      { partitionKey: "a", data: "y" },
    ]);
    expect(open(data).map((view) => view.explicitHashKey)).toEqual(["7", undefined]);
  });

  it("reads tags, with and without a value, and names that Object has", () => {
    const data = encodeMessage({
      partitionKeyTable: ["a"],
      records: [
        {
          partitionKeyIndex: 0,
          data: Buffer.from("d"),
          tags: [
            { key: "t", value: "1" },
            { key: "empty" },
            { key: "__proto__", value: "2" },
            { key: "t", value: "3" },
          ],
        },
        { partitionKeyIndex: 0, data: Buffer.from("e") },
      ],
    });
    const [tagged, untagged] = open(data);
    expect(Object.entries(tagged?.tags ?? {})).toEqual([
      ["t", "3"],
      ["empty", ""],
      ["__proto__", "2"],
    ]);
    expect(untagged?.tags).toBeUndefined();
  });

  it("reads a thousand tags, and passes a record of more fields than any honest one whole", () => {
    for (const count of [1000, 1001, 1300])
      expect(Object.keys(open(aggregateWithTags(count))[0]?.tags ?? {})).toHaveLength(count);
    expect(open(aggregateWithTags(1400))).toEqual(whole(aggregateWithTags(1400)));
  });

  it("judges each user record by its own hash key when the shard's range is known", () => {
    const hash = partitionKeyHash("inside");
    const records: UserRecord[] = [
      { partitionKey: "inside", data: "0" },
      { partitionKey: "inside", data: "1", explicitHashKey: 0n },
      { partitionKey: "anything", data: "2", explicitHashKey: hash },
      { partitionKey: "anything", data: "3", explicitHashKey: hash + 1n },
      { partitionKey: "anything", data: "4", explicitHashKey: hash - 1n },
      { partitionKey: "inside", data: "5" },
    ];
    const data = encodeWithProtobufjs(records);
    const hashKeyRange = { startingHashKey: hash, endingHashKey: hash.toString() };
    const counts = createCounts();
    expect(open(data, { hashKeyRange, counts })).toHaveLength(6);
    expect(counts.outOfRange).toBe(3);
    const kept = open(data, { hashKeyRange, onOutOfRange: "skip" });
    expect(kept.map((view) => [view.subSequenceNumber, textOf(view)])).toEqual([
      [0, "0"],
      [2, "2"],
      [5, "5"],
    ]);
    expect(() => open(data, { hashKeyRange, onOutOfRange: "fail" })).toThrow(/sub-sequence number 1: .*outside/);
    const all = { startingHashKey: "0", endingHashKey: MAX_HASH_KEY };
    expect(open(data, { hashKeyRange: all, onOutOfRange: "fail" })).toHaveLength(6);
  });

  it("counts a hash key that is no number as out of range, and only when a range is known", () => {
    const data = encodeMessage({
      partitionKeyTable: ["a"],
      explicitHashKeyTable: ["12x", "9".repeat(100_000)],
      records: [
        { partitionKeyIndex: 0, explicitHashKeyIndex: 0, data: Buffer.from("d") },
        { partitionKeyIndex: 0, explicitHashKeyIndex: 1, data: Buffer.from("d") },
      ],
    });
    const counts = createCounts();
    expect(open(data, { counts })).toHaveLength(2);
    expect(counts.outOfRange).toBe(0);
    open(data, { counts, hashKeyRange: { startingHashKey: 0n, endingHashKey: MAX_HASH_KEY } });
    expect(counts.outOfRange).toBe(2);
  });

  it("passes an aggregate of more than maxRecords whole, counted", () => {
    const counts = createCounts();
    expect(open(blob, { maxRecords: 1, counts })).toEqual(whole(blob));
    expect(open(blob, { maxRecords: 2, counts })).toHaveLength(2);
    expect(counts).toEqual({ ...createCounts(), aggregates: 1, userRecords: 3, tooManyRecords: 1 });
  });

  it("takes the shapes of the AWS SDK and of Lambda", () => {
    const data = new Uint8Array(blob);
    const base64 = blob.toString("base64");
    const kinesis = { data: base64, partitionKey: "outer", sequenceNumber, kinesisSchemaVersion: "1.0" };
    const shapes: AnyKinesisRecord[] = [
      { data, partitionKey: "outer", sequenceNumber },
      { Data: data, PartitionKey: "outer", SequenceNumber: sequenceNumber },
      { kinesis },
      kinesis,
      // Streams with the AUTO record distribution strategy have no keys.
      { data, sequenceNumber },
      { Data: data, PartitionKey: null as unknown as undefined, SequenceNumber: sequenceNumber },
    ];
    for (const shape of shapes) {
      expect(deaggregate(shape).map((view) => [view.partitionKey, textOf(view)])).toEqual([
        ["a", "x"],
        ["b", "y"],
      ]);
    }
    const keyless = { data: Buffer.from("plain"), partitionKey: null as unknown as undefined, sequenceNumber };
    expect(deaggregate(keyless)[0]?.partitionKey).toBeUndefined();
    const plain = { data: Buffer.from("plain").toString("base64"), partitionKey: "k", sequenceNumber };
    expect(deaggregate({ kinesis: plain }).map((view) => [view.partitionKey, textOf(view)])).toEqual([["k", "plain"]]);
  });

  it("gives views into the record's bytes", () => {
    const data = new Uint8Array(blob);
    const [view] = open(data);
    expect(view?.data.buffer).toBe(data.buffer);
  });

  it.each<[unknown, string]>([
    [undefined, "record: expected a Kinesis record"],
    [Buffer.from("bytes"), "record.data: expected a Uint8Array, or base64 text in Lambda's shape, got undefined"],
    [{ data: [1], sequenceNumber }, "got an array of 1"],
    [{ data: blob }, "record.sequenceNumber: expected a string, got undefined"],
    [{ Data: "text", SequenceNumber: sequenceNumber }, "record.Data: expected a Uint8Array"],
    [{ kinesis: 7 }, "record.kinesis: expected a Kinesis record"],
    [{ kinesis: { data: "", partitionKey: 7, sequenceNumber } }, "record.kinesis.partitionKey: expected a string"],
  ])("refuses %j by name", (record, text) => {
    const read = () => deaggregate(record as AnyKinesisRecord);
    expect(read).toThrow(InvalidRecordError);
    expect(read).toThrow(text);
  });

  it.each<[unknown, string]>([
    [{ onBadDigest: "drop" }, 'onBadDigest: expected "deliver", "skip" or "fail", got "drop"'],
    [{ maxRecords: 0 }, "maxRecords: expected an integer of at least 1, got 0"],
    [{ hashKeyRange: { startingHashKey: "x", endingHashKey: "1" } }, "explicitHashKey: expected"],
  ])("refuses the options %j by name", (options, text) => {
    expect(() => open(blob, options as DeaggregateOptions)).toThrow(text);
  });
});

describe("isAggregated", () => {
  it("refuses what is no bytes by name", () => {
    for (const data of [undefined, "text", [1]]) {
      expect(() => isAggregated(data as unknown as Uint8Array)).toThrow("data: expected a Uint8Array, got");
    }
  });
});

describe("deaggregateLazily", () => {
  it("yields slices of at most sliceRecords, in order", () => {
    const aggregator = new Aggregator();
    for (let index = 0; index < 10; index++) aggregator.add({ partitionKey: "k", data: `${index}` });
    const slices = [...deaggregateLazily({ data: aggregator.build().data, sequenceNumber }, { sliceRecords: 4 })];
    expect(slices.map((slice) => slice.map(textOf).join(""))).toEqual(["0123", "4567", "89"]);
  });

  it("opens the largest hostile aggregate in bounded steps", () => {
    // 1.75 million user records of six bytes in 10 MiB, the smallest that can be written.
    const count = 1_747_620;
    const message = Buffer.concat([Buffer.from("0a0161", "hex"), Buffer.alloc(6 * count, "1a0408001a00", "hex")]);
    const data = frame(message);
    expect(data.length).toBeLessThanOrEqual(10_485_760);
    const counts = createCounts();
    let steps = 0;
    let largest = 0;
    for (const slice of deaggregateLazily({ data, sequenceNumber }, { counts })) {
      steps++;
      largest = Math.max(largest, slice.length);
    }
    expect(counts.userRecords).toBe(count);
    expect(largest).toBe(4096);
    // 427 slices, 80 steps of checking and one for the digest.
    expect(steps).toBeGreaterThan(500);
    // Opened at once it would take hundreds of megabytes: it passes whole.
    const [view, ...more] = open(data);
    expect(view?.data).toBe(data);
    expect(more).toEqual([]);
  });

  it("pauses within floods of anything, before, between and after the records", () => {
    const floods = [Buffer.alloc(1_000_000, "0a00", "hex"), Buffer.alloc(1_000_000, "2800", "hex")];
    for (const flood of floods) {
      const member = Buffer.from("1a0408001a00", "hex");
      const data = frame(Buffer.concat([Buffer.from("0a0161", "hex"), flood, member, flood, member, flood]));
      const slices = [...deaggregateLazily({ data, sequenceNumber })];
      expect(slices.flat().map((view) => view.partitionKey)).toEqual(["a", "a"]);
      // A step reads at most 131,072 bytes: 23 for checking, and 15 from the first record on.
      expect(slices.length).toBeGreaterThanOrEqual(37);
    }
  });

  it("reads one huge key once, not once for each record that names it", () => {
    const records = Array.from({ length: 100_000 }, () => ({ partitionKeyIndex: 0, data: Buffer.alloc(0) }));
    const data = encodeMessage({ partitionKeyTable: ["k".repeat(9_000_000)], records });
    const options: LazyOptions = { hashKeyRange: { startingHashKey: 0n, endingHashKey: 0n } };
    let total = 0;
    for (const slice of deaggregateLazily({ data, sequenceNumber }, options)) {
      for (const view of slice) total += view.partitionKey?.length === 9_000_000 ? 1 : 0;
    }
    expect(total).toBe(100_000);
  });
});
