import * as fc from "fast-check";
import { expect, test } from "vitest";
import { KeyTable } from "./key-table.ts";

/** The indexes that a table gives keys, and the bytes it makes of them. */
function put(table: KeyTable, keys: readonly string[]): { indexes: number[]; bytes: string } {
  const indexes = keys.map((key) => {
    table.lookUp(key);
    const { index } = table;
    table.keep();
    return index;
  });
  const { bytes, length } = table.region;
  return { indexes, bytes: bytes.toString("hex", 0, length) };
}

/** The same by a Map and protobuf's rules alone. */
function expected(keys: readonly string[]): { indexes: number[]; bytes: string } {
  const seen = new Map<string, number>();
  const parts: Buffer[] = [];
  const indexes = keys.map((key) => {
    const known = seen.get(key);
    if (known !== undefined) return known;
    const text = Buffer.from(key);
    const head = text.length < 128 ? [0x0a, text.length] : [0x0a, (text.length & 0x7f) | 0x80, text.length >> 7];
    parts.push(Buffer.from(head), text);
    seen.set(key, seen.size);
    return seen.size - 1;
  });
  return { indexes, bytes: Buffer.concat(parts).toString("hex") };
}

test("each key stands once, in first-seen order, short or long, ASCII or not, and again after a clear", () => {
  const key = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 }),
    fc.string({ unit: "grapheme", maxLength: 5 }),
    fc.string({ unit: "binary-ascii", minLength: 60, maxLength: 70 }),
    fc.string({ unit: "grapheme", maxLength: 100 }),
  );
  const table = new KeyTable(0x0a);
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
      table.clear();
      expect(put(table, keys)).toEqual(expected(keys));
    }),
    { numRuns: 300 },
  );
});

test("tens of thousands of keys are each found again, those whose hashes crowd together too", () => {
  const keys = Array.from({ length: 20_000 }, (_, index) => `user-${(index * 7) % 12_000}`);
  const table = new KeyTable(0x0a);
  expect(put(table, keys)).toEqual(expected(keys));
  table.clear();
  expect(put(table, keys.toReversed())).toEqual(expected(keys.toReversed()));
});

test("a key that was looked up and not kept leaves nothing behind", () => {
  const table = new KeyTable(0x0a);
  put(table, ["first"]);
  table.lookUp("refused");
  expect(put(table, ["second", "first"])).toEqual({ indexes: [1, 0], bytes: expected(["first", "second"]).bytes });
});
