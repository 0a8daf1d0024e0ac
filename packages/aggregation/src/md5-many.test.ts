import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { md5OfMany } from "./md5-many.ts";

function expected(messages: readonly Uint8Array[]): string[] {
  return messages.map((message) => createHash("md5").update(message).digest("hex"));
}

function actual(messages: readonly Uint8Array[]): string[] {
  const digests = md5OfMany(messages);
  return messages.map((_, index) => digests.toString("hex", 16 * index, 16 * index + 16));
}

test("digests equal the platform's, whatever company a message has", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
  fc.assert(
    fc.property(messages, (some) => {
      expect(actual(some)).toEqual(expected(some));
    }),
    { numRuns: 500 },
  );
});

test("digests are right at every length around the ends of blocks", () => {
  const messages = Array.from({ length: 260 }, (_, length) => Buffer.alloc(length, length));
  expect(actual(messages)).toEqual(expected(messages));
});

test("digests of long messages are right, beside short ones and past the bound of the module's memory", () => {
  const lengths = [50_000, 49_999, 50_000, 3, 49_000, 262_144, 262_144, 262_143, 262_145, 262_145, 262_145, 700_000];
  const messages = lengths.map((length, index) => Buffer.alloc(length, `message ${index} `));
  expect(actual(messages)).toEqual(expected(messages));
});

test("no messages have no digests", () => {
  expect(md5OfMany([])).toHaveLength(0);
});
