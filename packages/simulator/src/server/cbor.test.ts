import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readCbor } from "./cbor-read.ts";
import { writeCbor } from "./cbor-write.ts";
import { UnreadableInput } from "./read-input.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

const leaf = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 300 }),
  fc.date({ noInvalidDate: true }),
);
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(fc.string({ maxLength: 10 }), tie("value"), { maxKeys: 6 }),
  ),
})).value;

/** Views become plain bytes, maps plain objects and minus zero zero, so that only content is compared. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) return new Map(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return Object.is(value, -0) ? 0 : value;
}

test("what is written is read back", () => {
  fc.assert(
    fc.property(tree, (value) => {
      expect(plain(readCbor(writeCbor(value)))).toEqual(plain(value));
    }),
  );
});

// Source: RFC 8949, appendix A.
test.each([
  ["00", 0],
  ["17", 23],
  ["18 18", 24],
  ["19 03e8", 1000],
  ["1a 000f4240", 1_000_000],
  ["1b 000000e8d4a51000", 1_000_000_000_000],
  ["20", -1],
  ["39 03e7", -1000],
  ["f9 3c00", 1],
  ["f9 c400", -4],
  ["f9 0001", 5.960464477539063e-8],
  ["f9 7c00", Infinity],
  ["fa 47c35000", 100_000],
  ["fb 3ff199999999999a", 1.1],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["64 f0908591", "\u{10151}"],
  ["9f 01 82 02 03 9f 04 05 ff ff", [1, [2, 3], [4, 5]]],
  ["83 01 82 02 03 9f 04 05 ff", [1, [2, 3], [4, 5]]],
  ["7f 65 7374726561 64 6d696e67 ff", "streaming"],
])("reads %s", (bytes, value) => {
  expect(readCbor(hex(bytes))).toEqual(value);
});

test("reads maps and byte strings of indefinite length, as the AWS SDK for Java writes them", () => {
  const value = readCbor(hex("bf 61 61 5f 42 0102 41 03 ff 61 62 9f ff ff")) as Record<string, unknown>;
  expect(Buffer.from(value["a"] as Uint8Array)).toEqual(Buffer.from([1, 2, 3]));
  expect(value["b"]).toEqual([]);
});

test("a timestamp is whole milliseconds under tag 1", () => {
  const date = new Date(1_700_000_000_123);
  expect(Buffer.from(writeCbor(date))).toEqual(hex("c1 1b 0000018bcfe5687b"));
  expect(readCbor(hex("c1 1b 0000018bcfe5687b"))).toEqual(date);
});

test("a map key named __proto__ is a key like any other", () => {
  const value = readCbor(writeCbor(JSON.parse('{"__proto__":{"polluted":true}}'))) as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(["__proto__"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test.each([
  ["nothing", ""],
  ["a length past the end", "44 010203"],
  ["an array that claims 2^32 members", "9a ffffffff"],
  ["a map that claims 2^53 entries", "bb 001fffffffffffff"],
  ["bytes that claim 2^64", "5b ffffffffffffffff"],
  ["more than one value", "01 02"],
  ["a break alone", "ff"],
  ["a break in an array of known length", "82 01 ff"],
  ["a break in the place of a value", "bf 61 61 ff"],
  ["a key that is no text", "a1 01 02"],
  ["text that is not UTF-8", "62 c328"],
  ["a reserved head", "1c"],
  ["an indefinite integer", "1f"],
  ["a chunk of another type", "5f 61 61 ff"],
  ["a chunk of indefinite length", "5f 5f ff ff"],
  ["an unknown tag", "c2 41 01"],
  ["a timestamp that is text", "c1 61 61"],
  ["a timestamp that is not finite", "c1 f9 7e00"],
  ["an array without an end", "9f 01"],
  ["an unknown simple value", "e0"],
])("refuses %s", (_what, bytes) => {
  expect(() => readCbor(hex(bytes))).toThrow(UnreadableInput);
});

test("refuses deep nesting without exhausting the stack", () => {
  expect(() => readCbor(Buffer.alloc(1_000_000, 0x81))).toThrow(UnreadableInput);
  expect(() => readCbor(Buffer.alloc(1_000_000, 0x9f))).toThrow(UnreadableInput);
  expect(() => readCbor(Buffer.alloc(1_000_000, 0xc1))).toThrow(UnreadableInput);
});

test("arbitrary bytes are read or refused, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(failureOf(() => readCbor(bytes)) ?? new UnreadableInput()).toBeInstanceOf(UnreadableInput);
    }),
    { numRuns: 5000 },
  );
});

function failureOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
