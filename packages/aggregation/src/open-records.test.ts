import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Aggregator } from "./aggregate.ts";
import { createCounts, readRules, type LazyOptions } from "./deaggregate-options.ts";
import { deaggregate } from "./deaggregate.ts";
import { DeaggregationError } from "./errors.ts";
import { openRecords, type RecordMaker } from "./open-records.ts";
import type { KinesisRecord } from "./record.ts";
import { encodeMessage } from "./testing-support/protobuf.ts";

/** What was made, as text: the Kinesis record's number and the place within it. */
const maker: RecordMaker<KinesisRecord, string> = {
  whole: ({ sequenceNumber }) => sequenceNumber,
  member: ({ sequenceNumber }, _message, subSequenceNumber) => `${sequenceNumber}:${subSequenceNumber}`,
};

function open(records: readonly KinesisRecord[], options: LazyOptions = {}, first = 0): string[][] {
  return [...openRecords(records, maker, readRules(options), first)];
}

function aggregate(members: number, bytes: number): Buffer {
  const aggregator = new Aggregator({ maxBytes: 10_000_000 });
  for (let index = 0; index < members; index++) aggregator.add({ partitionKey: "k", data: Buffer.alloc(bytes, index) });
  return Buffer.from(aggregator.build().data);
}

function damaged(data: Buffer): Buffer {
  const copy = Buffer.from(data);
  copy[copy.length - 20] = (copy[copy.length - 20] ?? 0) ^ 1;
  return copy;
}

const huge = aggregate(3, 400_000);
const kinds: readonly Buffer[] = [
  Buffer.from("plain"),
  Buffer.alloc(0),
  aggregate(1, 5),
  aggregate(5, 300),
  aggregate(40, 2_000),
  damaged(aggregate(5, 300)),
  huge,
  damaged(huge),
];

function listOf(data: readonly Buffer[]): KinesisRecord[] {
  return data.map((bytes, index) => ({ data: bytes, partitionKey: "outer", sequenceNumber: String(index + 1) }));
}

describe("openRecords", () => {
  it("makes of a list what is made of each alone, wrong digests among right ones, in slices of any size", () => {
    const lists = fc.array(fc.constantFrom(...kinds), { maxLength: 25 }).map(listOf);
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 50 }), (records, sliceRecords) => {
        const counts = createCounts();
        const countsAlone = createCounts();
        const slices = open(records, { sliceRecords, counts });
        const alone = records.flatMap((record) =>
          deaggregate(record, { counts: countsAlone }).map((view) =>
            view.aggregated ? `${view.sequenceNumber}:${view.subSequenceNumber}` : view.sequenceNumber,
          ),
        );
        expect(slices.flat()).toEqual(alone);
        expect(counts).toEqual(countsAlone);
        expect(slices.every((slice) => slice.length <= sliceRecords)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("begins within the first record where that is done in part, and with the second when it is done whole", () => {
    const records = listOf([aggregate(4, 5), aggregate(2, 5)]);
    expect(open(records, {}, 2).flat()).toEqual(["1:2", "1:3", "2:0", "2:1"]);
    expect(open(records, {}, 4).flat()).toEqual(["2:0", "2:1"]);
    expect(open(listOf([Buffer.from("plain"), aggregate(1, 1)]), {}, 1).flat()).toEqual(["2"]);
  });

  it("gives what stands before a defect that fails, so that it can be done and is not in the way again", () => {
    const odd = encodeMessage({
      partitionKeyTable: ["a"],
      records: [
        { partitionKeyIndex: 0, data: Buffer.alloc(1) },
        { partitionKeyIndex: 7, data: Buffer.alloc(1) },
      ],
    });
    const seen: string[] = [];
    const run = (): void => {
      const records = listOf([Buffer.from("plain"), aggregate(2, 5), odd]);
      for (const slice of openRecords(records, maker, readRules({ onBadIndex: "fail" }))) seen.push(...slice);
    };
    expect(run).toThrow(DeaggregationError);
    expect(seen).toEqual(["1", "2:0", "2:1", "3:0"]);
  });
});
