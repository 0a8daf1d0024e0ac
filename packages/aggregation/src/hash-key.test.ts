import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidRecordError } from "./errors.ts";
import { MAX_HASH_KEY, hashKeyTop32, parseExplicitHashKey, partitionKeyHash, userRecordHash } from "./hash-key.ts";
import { md5OfShortAscii } from "./md5.ts";
import { untaggedRecords } from "./testing-support/arbitraries.ts";

describe("partitionKeyHash", () => {
  // Source: KPL aws/kinesis/core/test/user_record_test.cc for "abcd"; the others computed with Python's hashlib.
  it.each([
    ["a", 16955237001963240173058271559858726497n],
    ["b", 195289424170611159128911017612795795343n],
    ["abcd", 301716283811389038011477436469853762335n],
    ["é", 136732923097551493579404309126273812335n],
    ["", 0xd41d8cd98f00b204e9800998ecf8427en],
  ])("of %j is %i", (key, expected) => {
    expect(partitionKeyHash(key)).toBe(expected);
  });

  it("is the big-endian MD5 of the UTF-8 bytes, whatever the key", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (key) => {
        const digest = createHash("md5").update(Buffer.from(key, "utf8")).digest();
        const expected = (digest.readBigUInt64BE(0) << 64n) | digest.readBigUInt64BE(8);
        expect(partitionKeyHash(key)).toBe(expected);
      }),
    );
  });
});

describe("hashKeyTop32", () => {
  it("is the top of the hash key, whatever the record", () => {
    fc.assert(
      fc.property(untaggedRecords, (record) => {
        expect(hashKeyTop32(record)).toBe(Number(userRecordHash(record) >> 96n));
      }),
    );
  });

  it("refuses what userRecordHash refuses", () => {
    expect(() => hashKeyTop32({ partitionKey: "a", explicitHashKey: "x" })).toThrow(InvalidRecordError);
  });
});

describe("every hash", () => {
  it.each<[unknown, string]>([
    [undefined, "record: expected { partitionKey, data }, got undefined"],
    ["key", 'record: expected { partitionKey, data }, got "key"'],
    [{}, "partitionKey: expected a string, got undefined"],
    [{ partitionKey: 7 }, "partitionKey: expected a string, got 7"],
  ])("of %j is refused by name", (record, text) => {
    const given = record as { partitionKey: string };
    expect(() => userRecordHash(given)).toThrow(text);
    expect(() => hashKeyTop32(given)).toThrow(text);
    expect(() => partitionKeyHash(undefined as unknown as string)).toThrow("partitionKey: expected a string");
  });
});

describe("md5OfShortAscii", () => {
  it("is MD5 for every length of one block, and leaves the others alone", () => {
    for (let length = 0; length <= 70; length++) {
      const text = "0123456789".repeat(7).slice(0, length);
      const expected = length <= 55 ? createHash("md5").update(text).digest("hex") : undefined;
      const digest = md5OfShortAscii(text);
      expect(digest && Buffer.from(digest.buffer).toString("hex")).toBe(expected);
    }
    expect(md5OfShortAscii("caf\u00e9")).toBeUndefined();
    expect(md5OfShortAscii("key\u00e9")).toBeUndefined();
    expect(md5OfShortAscii("\u{1f511}")).toBeUndefined();
  });
});

describe("parseExplicitHashKey", () => {
  it.each<[bigint | string, bigint]>([
    [0n, 0n],
    ["0", 0n],
    ["+0", 0n],
    ["007", 7n],
    ["+007", 7n],
    [" 7 ", 7n],
    [MAX_HASH_KEY, MAX_HASH_KEY],
    ["340282366920938463463374607431768211455", MAX_HASH_KEY],
    [`${"0".repeat(1000)}1`, 1n],
  ])("reads %s", (value, expected) => {
    expect(parseExplicitHashKey(value)).toBe(expected);
  });

  it.each<[unknown]>([
    [-1n],
    [MAX_HASH_KEY + 1n],
    ["340282366920938463463374607431768211456"],
    ["-0"],
    ["-1"],
    ["1.0"],
    ["0x10"],
    ["1e3"],
    ["1 2"],
    ["++1"],
    [""],
    ["one"],
    ["٣"],
    ["9".repeat(1_000_000)],
    [7],
    [undefined],
    [null],
  ])("refuses %s and names the field", (value) => {
    const read = () => parseExplicitHashKey(value as string);
    expect(read).toThrow(InvalidRecordError);
    expect(read).toThrow(/^explicitHashKey: expected a whole number from 0 to 2\^128 - 1/);
  });
});

describe("userRecordHash", () => {
  it("prefers the explicit hash key, 0 included", () => {
    expect(userRecordHash({ partitionKey: "a", explicitHashKey: "0" })).toBe(0n);
    expect(userRecordHash({ partitionKey: "a", explicitHashKey: 5n })).toBe(5n);
    expect(userRecordHash({ partitionKey: "a" })).toBe(partitionKeyHash("a"));
  });
});
