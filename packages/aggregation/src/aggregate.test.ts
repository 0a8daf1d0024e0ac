import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Aggregator, sealAggregates } from "./aggregate.ts";
import { InvalidRecordError } from "./errors.ts";
import { userRecordHash } from "./hash-key.ts";
import type { UserRecord } from "./record.ts";
import { userRecords } from "./testing-support/arbitraries.ts";
import { encodeWithProtobufjs } from "./testing-support/protobuf.ts";
import { vectors } from "./testing-support/vectors.ts";

function aggregate(records: readonly UserRecord[], maxBytes = 10_000_000): Aggregator {
  const aggregator = new Aggregator({ maxBytes });
  for (const record of records) expect(aggregator.add(record)).toBe(true);
  return aggregator;
}

/** Whether these are built unwrapped. */
function isPlain(records: readonly UserRecord[]): boolean {
  return records.length === 1 && Object.keys(records[0]?.tags ?? {}).length === 0;
}

/** Whether adding these left the size at nothing. */
function isEmptyFirst(records: readonly UserRecord[]): boolean {
  return isPlain(records) && records[0]?.data.length === 0;
}

describe("Aggregator", () => {
  it.each(vectors)("writes vector $name byte for byte", ({ records, bytes, sha256 }) => {
    const aggregator = aggregate(records);
    expect(aggregator.sizeBytes).toBe(bytes);
    const built = aggregator.build();
    expect(built.data.length).toBe(bytes);
    expect(createHash("sha256").update(built.data).digest("hex")).toBe(sha256);
    const [first] = records;
    expect(built).toMatchObject({
      partitionKey: "a",
      explicitHashKey: first && userRecordHash(first).toString(),
      count: records.length,
    });
  });

  it("builds a single record as its raw bytes, with its own key and hash key", () => {
    const built = aggregate([{ partitionKey: "abcd", data: "payload" }]).build();
    expect(built).toEqual({
      data: Buffer.from("payload"),
      partitionKey: "abcd",
      explicitHashKey: "301716283811389038011477436469853762335",
      count: 1,
    });
    expect(aggregate([{ partitionKey: "k", data: "", explicitHashKey: "+0042" }]).build()).toEqual({
      data: Buffer.alloc(0),
      partitionKey: "k",
      explicitHashKey: "42",
      count: 1,
    });
  });

  it("builds the same bytes when digests are put in later, many at a time", () => {
    fc.assert(
      fc.property(fc.array(fc.array(userRecords, { minLength: 1, maxLength: 5 }), { maxLength: 20 }), (groups) => {
        const aggregators = groups.map((records) => aggregate(records));
        const later = aggregators.map((aggregator) => aggregator.build({ seal: false }));
        sealAggregates(later);
        expect(later.map(({ data }) => data)).toEqual(aggregators.map((aggregator) => aggregator.build().data));
        expect(later.every(({ isUnsealed }) => isUnsealed !== true)).toBe(true);
      }),
    );
  });

  it("leaves bytes that are sealed, or no aggregate, as they are", () => {
    const lone = { partitionKey: "k", data: Buffer.concat([Buffer.from("f3899ac2", "hex"), Buffer.alloc(40)]) };
    const built = aggregate([lone]).build({ seal: false });
    sealAggregates([built]);
    expect(built.data).toEqual(lone.data);
  });

  it("wraps a single record that has tags, under its own key", () => {
    const record = { partitionKey: "abcd", data: "payload", tags: { trace: "00-1" } };
    const built = aggregate([record]).build();
    expect(Buffer.from(built.data)).toEqual(encodeWithProtobufjs([record]));
    expect(built.partitionKey).toBe("abcd");
    expect(built.count).toBe(1);
  });

  it("treats a record with an empty set of tags as untagged", () => {
    expect(aggregate([{ partitionKey: "k", data: "d", tags: {} }]).build().data).toEqual(Buffer.from("d"));
  });

  it("writes what protobufjs writes and knows its size before every build", () => {
    fc.assert(
      fc.property(fc.array(userRecords, { minLength: 1, maxLength: 12 }), (records) => {
        const aggregator = new Aggregator({ maxBytes: 10_000_000 });
        for (const [index, record] of records.entries()) {
          expect(aggregator.add(record)).toBe(true);
          const built = aggregator.build();
          expect(aggregator.sizeBytes).toBe(built.data.length);
          expect(aggregator.count).toBe(index + 1);
          const added = records.slice(0, index + 1);
          const expected = isPlain(added) ? Buffer.from(record.data as string) : encodeWithProtobufjs(added);
          expect(expected.equals(built.data)).toBe(true);
        }
      }),
    );
  });

  it("indexes past 127 and 16383 distinct keys like protobufjs", () => {
    const records = Array.from({ length: 16_500 }, (_, index) => ({
      partitionKey: `k${index % 16_450}`,
      explicitHashKey: BigInt(index % 200),
      data: "d",
    }));
    const aggregator = aggregate(records);
    const built = aggregator.build();
    expect(built.data.length).toBe(aggregator.sizeBytes);
    expect(encodeWithProtobufjs(records).equals(built.data)).toBe(true);
  });

  it("refuses exactly the record that would pass maxBytes, and is unchanged by it", () => {
    fc.assert(
      fc.property(
        fc.array(userRecords, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 2000 }),
        (records, maxBytes) => {
          const aggregator = new Aggregator({ maxBytes });
          const accepted: UserRecord[] = [];
          for (const record of records) {
            const before = aggregator.sizeBytes;
            const fits = accepted.length === 0 || encodeWithProtobufjs([...accepted, record]).length <= maxBytes;
            expect(aggregator.add(record)).toBe(fits);
            if (fits) accepted.push(record);
            expect(aggregator.sizeBytes === before).toBe(!fits || isEmptyFirst(accepted));
          }
          const { data, count } = aggregator.build();
          expect(count).toBe(accepted.length);
          const expected = isPlain(accepted)
            ? Buffer.from(accepted[0]?.data as string)
            : encodeWithProtobufjs(accepted);
          expect(expected.equals(data)).toBe(true);
        },
      ),
    );
  });

  it("stays within 49,900 bytes with its key by default, and reaches that", () => {
    // Two records: 20 of frame, 3 of key, 2 x (1 + 3 + 2 + 1 + 3) of fields leave 49,856 for data.
    const half = new Uint8Array(24_928);
    const full = new Aggregator();
    expect(full.add({ partitionKey: "k", data: half })).toBe(true);
    expect(full.add({ partitionKey: "k", data: half })).toBe(true);
    const { data, partitionKey } = full.build();
    expect(data.length + partitionKey.length).toBe(49_900);
    expect(full.add({ partitionKey: "k", data: "" })).toBe(false);

    const over = new Aggregator();
    over.add({ partitionKey: "k", data: half });
    expect(over.add({ partitionKey: "k", data: new Uint8Array(24_929) })).toBe(false);
  });

  it("takes a first record of any size up to 10 MiB with its key", () => {
    const aggregator = new Aggregator({ maxBytes: 100 });
    expect(aggregator.add({ partitionKey: "k", data: new Uint8Array(10_485_759) })).toBe(true);
    expect(aggregator.add({ partitionKey: "k", data: "" })).toBe(false);
    expect(aggregator.build().data.length).toBe(10_485_759);

    const refused = new Aggregator();
    const add = () => refused.add({ partitionKey: "k", data: new Uint8Array(10_485_760) });
    expect(add).toThrow("data: expected at most 10485760 bytes with the partition key, got 10485761");
    expect(refused.count).toBe(0);
  });

  it("copies what it is given", () => {
    const data = Buffer.from("before");
    const aggregator = aggregate([{ partitionKey: "k", data }]);
    data.write("AFTER!");
    expect(aggregator.build().data).toEqual(Buffer.from("before"));
  });

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "record: expected { partitionKey, data }, got undefined"],
    ["text alone", "d", 'record: expected { partitionKey, data }, got "d"'],
    ["an empty key", { partitionKey: "", data: "d" }, "partitionKey: expected 1 to 256 Unicode characters"],
    ["a key of 257 characters", { partitionKey: "k".repeat(257), data: "d" }, "got a string of 257 characters"],
    ["a key of 257 emoji", { partitionKey: "🔑".repeat(257), data: "d" }, "partitionKey: expected"],
    ["a key with a lone surrogate", { partitionKey: "\ud800", data: "d" }, "without lone surrogates"],
    ["a key that is no string", { partitionKey: 7, data: "d" }, "got 7"],
    ["no key", { data: "d" }, "got undefined"],
    ["no data", { partitionKey: "k" }, "data: expected a Uint8Array or a string, got undefined"],
    ["data of another kind", { partitionKey: "k", data: [1] }, "got an array of 1"],
    [
      "text with a lone surrogate",
      { partitionKey: "k", data: "a\udc00" },
      "data: expected text without lone surrogates",
    ],
    ["a hash key of text", { partitionKey: "k", data: "d", explicitHashKey: "x" }, "explicitHashKey: expected"],
    ["a tag that is no string", { partitionKey: "k", data: "d", tags: { t: 1 } }, 'tags["t"]: expected'],
    ["tags that are no object", { partitionKey: "k", data: "d", tags: "t" }, "tags: expected an object of strings"],
  ])("refuses %s by name, and is unchanged by it", (_, record, text) => {
    const aggregator = new Aggregator();
    const add = () => aggregator.add(record as UserRecord);
    expect(add).toThrow(InvalidRecordError);
    expect(add).toThrow(text);
    expect(aggregator.count).toBe(0);
  });

  it("accepts keys of 256 characters, emoji included", () => {
    expect(new Aggregator().add({ partitionKey: "🔑".repeat(256), data: "d" })).toBe(true);
  });

  it.each([0, -1, 1.5, 10_485_760, Number.NaN])("refuses maxBytes %d", (maxBytes) => {
    expect(() => new Aggregator({ maxBytes })).toThrow("maxBytes: expected an integer from 1 to 10485759");
  });

  it("builds the same after a reset as a new one, and leaves what it built before alone", () => {
    const batches = fc.array(fc.array(userRecords, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(batches, (drawn) => {
        const reused = new Aggregator({ maxBytes: 10_000_000 });
        const built = drawn.map((records) => {
          for (const record of records) reused.add(record);
          const answer = reused.build();
          reused.reset();
          expect([reused.count, reused.sizeBytes]).toEqual([0, 0]);
          return answer;
        });
        expect(built).toEqual(drawn.map((records) => aggregate(records).build()));
      }),
    );
  });

  it("refuses to build nothing", () => {
    const empty = new Aggregator();
    expect(empty.sizeBytes).toBe(0);
    expect(() => empty.build()).toThrow("count: expected at least one record");
  });
});
