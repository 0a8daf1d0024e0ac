import { hash } from "node:crypto";
import zlib from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Aggregator } from "./aggregate.ts";
import { COMPRESSION_TAG, maxOpenedBytes, type CompressionAlgorithm } from "./compression.ts";
import { createCounts, type DeaggregateOptions } from "./deaggregate-options.ts";
import { deaggregate, deaggregateLazily } from "./deaggregate.ts";
import { DeaggregationError } from "./errors.ts";
import { partitionKeyHash, userRecordHash } from "./hash-key.ts";
import type { AggregatedRecord, UserRecord } from "./record.ts";
import { userRecords } from "./testing-support/arbitraries.ts";
import { wrapCompressed } from "./wrap-compressed.ts";

const compressors = {
  gzip: (bytes: Uint8Array) => zlib.gzipSync(bytes),
  zstd: (bytes: Uint8Array) => zlib.zstdCompressSync(bytes),
} as const;

function aggregateOf(records: readonly UserRecord[]): AggregatedRecord {
  const aggregator = new Aggregator({ maxBytes: 10_000_000 });
  for (const record of records) aggregator.add(record);
  return aggregator.build({ wrap: true });
}

function compressed(records: readonly UserRecord[], algorithm: CompressionAlgorithm): AggregatedRecord {
  const aggregate = aggregateOf(records);
  const wrapped = wrapCompressed(aggregate, compressors[algorithm](aggregate.data), algorithm);
  if (wrapped === undefined) throw new Error("not to be opened by a reader");
  return wrapped;
}

/** A member with the compression mark and whatever bytes. */
function marked(data: Uint8Array, algorithm: string): AggregatedRecord {
  return aggregateOf([{ partitionKey: "k", data, tags: { [COMPRESSION_TAG]: algorithm } }]);
}

const read = ({ data, partitionKey }: AggregatedRecord, options?: DeaggregateOptions) =>
  deaggregate({ data, partitionKey, sequenceNumber: "49" }, options);

describe.each(["gzip", "zstd"] as const)("%s", (algorithm) => {
  it("gives back what was put in", () => {
    fc.assert(
      fc.property(fc.array(userRecords, { minLength: 1, maxLength: 20 }), (records) => {
        const plain = read(aggregateOf(records));
        const counts = createCounts();
        expect(read(compressed(records, algorithm), { counts })).toEqual(plain);
        expect(counts).toMatchObject({ compressed: 1, aggregates: 1, userRecords: records.length, badCompression: 0 });
      }),
    );
  });

  it("keeps the aggregate's own keys, so that it goes where that would", () => {
    const records = [
      { partitionKey: "k", data: "x", explicitHashKey: 7n },
      { partitionKey: "l", data: "y" },
    ];
    const wrapped = compressed(records, algorithm);
    expect(wrapped).toMatchObject({ partitionKey: "a", explicitHashKey: "7", count: 2 });
    // A reader that knows nothing of compression sees one record whose hash key is in the shard's range.
    const [member, ...others] = read(marked(Buffer.from("x"), "unknown"));
    expect(others).toEqual([]);
    expect(member).toMatchObject({ partitionKey: "k", tags: { [COMPRESSION_TAG]: "unknown" } });
  });

  it("checks each member against the shard's range", () => {
    const inside = partitionKeyHash("k");
    const wrapped = compressed(
      [
        { partitionKey: "k", data: "in" },
        { partitionKey: "l", data: "out" },
      ],
      algorithm,
    );
    const hashKeyRange = { startingHashKey: inside, endingHashKey: inside };
    const views = read(wrapped, { hashKeyRange, onOutOfRange: "skip" });
    expect(views.map((view) => [Buffer.from(view.data).toString(), view.subSequenceNumber])).toEqual([["in", 0]]);
    expect(userRecordHash({ partitionKey: "l" })).not.toBe(inside);
  });

  const bomb = compressors[algorithm](
    Buffer.concat([aggregateOf([{ partitionKey: "k", data: "x" }]).data, Buffer.alloc(30_000_000)]),
  );
  const sound = compressors[algorithm](aggregateOf([{ partitionKey: "k", data: "x".repeat(5_000) }]).data);
  const damaged = Buffer.from(sound);
  damaged.fill(0xff, 8, 20);
  const garbled = Buffer.from(aggregateOf([{ partitionKey: "k", data: "x" }]).data);
  garbled.fill(0xff, 6, 12);
  garbled.set(hash("md5", garbled.subarray(4, -16), "buffer"), garbled.length - 16);

  it.each<[string, Uint8Array, string]>([
    ["a bomb", bomb, algorithm],
    ["damaged bytes", damaged, algorithm],
    ["cut bytes", sound.subarray(0, sound.length - 9), algorithm],
    ["no bytes", new Uint8Array(), algorithm],
    ["bytes that are not compressed", Buffer.from("plain"), algorithm],
    [
      "what is no aggregate once opened",
      compressors[algorithm](Buffer.from("no aggregate at all, but some text")),
      algorithm,
    ],
    ["an aggregate that does not parse once opened", compressors[algorithm](garbled), algorithm],
    ["an unknown algorithm", sound, "brotli"],
    ["a name of Object's", sound, "constructor"],
  ])("treats %s as asked for, and counts it", (_, bytes, name) => {
    const record = marked(bytes, name);
    const counts = createCounts();
    const delivered = read(record, { counts });
    expect(delivered).toMatchObject([{ tags: { [COMPRESSION_TAG]: name }, subSequenceNumber: 0, aggregated: true }]);
    expect(Buffer.from(delivered[0]?.data ?? []).equals(bytes)).toBe(true);
    expect(read(record, { counts, onBadCompression: "skip" })).toEqual([]);
    expect(() => read(record, { counts, onBadCompression: "fail" })).toThrow(
      expect.objectContaining({ name: "DeaggregationError", reason: "bad-compression", sequenceNumber: "49" }),
    );
    expect(counts).toMatchObject({ badCompression: 3, compressed: 0 });
  });

  it("does not open what is compressed twice", () => {
    const inner = compressed([{ partitionKey: "k", data: "x" }], algorithm);
    const twice = marked(compressors[algorithm](inner.data), algorithm);
    expect(read(twice)).toMatchObject([{ tags: { [COMPRESSION_TAG]: algorithm } }]);
  });

  it("keeps its members in one slice", () => {
    const records = Array.from({ length: 500 }, (_, index) => ({ partitionKey: `k${index}`, data: "x" }));
    const { data, partitionKey } = compressed(records, algorithm);
    const source = { data, partitionKey, sequenceNumber: "1" };
    const slices = [...deaggregateLazily(source, { sliceRecords: 100 })].filter((slice) => slice.length > 0);
    expect(slices.map((slice) => slice.length)).toEqual([500]);
  });
});

it("a tag on one of several members is not taken for a mark", () => {
  const tagged = { partitionKey: "k", data: zlib.gzipSync("x"), tags: { [COMPRESSION_TAG]: "gzip" } };
  const counts = createCounts();
  expect(read(aggregateOf([tagged, { partitionKey: "k", data: "y" }]), { counts })).toHaveLength(2);
  expect(counts).toMatchObject({ badCompression: 0, compressed: 0 });
});

it("wraps nothing that its reader would refuse", () => {
  const aggregate = aggregateOf([{ partitionKey: "k", data: Buffer.alloc(3_000_000) }]);
  expect(wrapCompressed(aggregate, zlib.gzipSync(aggregate.data), "gzip")).toBeUndefined();
  expect(maxOpenedBytes(10)).toBe(2_097_152);
  expect(maxOpenedBytes(50_000)).toBe(5_000_000);
  expect(maxOpenedBytes(1_000_000)).toBe(10_551_296);
});

it("says in words what is wrong", () => {
  expect(new DeaggregationError("bad-compression", "49").message).toContain("cannot be opened here");
});
