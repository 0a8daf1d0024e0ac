import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BlobMemory } from "./blob-memory.ts";
import { readJson, writeJson } from "./json.ts";
import { decodeBase64, readInput, UnreadableInput } from "./read-input.ts";
import type { InputSource } from "./read-input.ts";
import { actionInputs } from "./shapes.ts";
import type { StructureShape } from "./shapes.ts";

test("JSON without blobs and timestamps is written as the platform writes it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // Field names of outputs are the service's own and need no escapes.
      const text = JSON.stringify(value, (_key, field: unknown) =>
        typeof field === "object" && field !== null && !Array.isArray(field)
          ? Object.fromEntries(
              Object.entries(field).map(([name, entry]) => [name.replaceAll(/[^ -!#-[\]-~]/g, ""), entry]),
            )
          : field,
      );
      expect(writeJson(JSON.parse(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("blobs are base64, timestamps are seconds with milliseconds, absent fields are left out", () => {
  const output = { Data: new Uint8Array([0, 255, 7]), At: new Date(1_700_000_000_123), Gone: undefined, Null: null };
  expect(writeJson(output)).toBe('{"Data":"AP8H","At":1700000000.123,"Null":null}');
});

test("base64 is read strictly", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      expect(Buffer.from(decodeBase64(text, new BlobMemory())).equals(bytes)).toBe(true);
    }),
  );
});

test.each(["A", "AA", "AAA", "A===", "====", "AA=A", "AAA*", "A A=", "AA-_", "AB==", "AAB=", "AAAA\n"])(
  "%j is no base64",
  (text) => {
    expect(() => decodeBase64(text, new BlobMemory())).toThrow(UnreadableInput);
  },
);

test.each([[Buffer.from([0xff, 0xfe])], [Buffer.from("{")], [Buffer.from("")], [Buffer.from("{'a':1}")]])(
  "refuses %s as JSON",
  (bytes) => {
    expect(() => readJson(bytes)).toThrow(UnreadableInput);
  },
);

const json: InputSource = { format: "json", memory: new BlobMemory() };
const cbor: InputSource = { format: "cbor", memory: new BlobMemory() };

function shapeOf(action: string): StructureShape {
  const shape = actionInputs.get(action);
  if (shape === undefined) throw new Error(`no shape for ${action}`);
  return shape;
}

test("an input keeps known fields, drops unknown ones and nulls", () => {
  const body = { StreamName: "s", Limit: null, Surprise: 1, toString: "x", constructor: {} };
  expect(readInput(shapeOf("DescribeStream"), body, json)).toEqual({ StreamName: "s" });
});

test("a timestamp is seconds in JSON and milliseconds in CBOR", () => {
  const shape = shapeOf("GetShardIterator");
  expect(readInput(shape, { Timestamp: 1.5 }, json)).toEqual({ Timestamp: new Date(1500) });
  expect(readInput(shape, { Timestamp: 1500 }, cbor)).toEqual({ Timestamp: new Date(1500) });
  expect(readInput(shape, { Timestamp: new Date(1500) }, cbor)).toEqual({ Timestamp: new Date(1500) });
  expect(() => readInput(shape, { Timestamp: 1e300 }, json)).toThrow("Timestamp out of range");
});

test("integers are truncated and held at 32 bits", () => {
  const shape = shapeOf("GetRecords");
  expect(readInput(shape, { Limit: 1.9 }, json)).toEqual({ Limit: 1 });
  expect(readInput(shape, { Limit: 1e12 }, json)).toEqual({ Limit: 2_147_483_647 });
});

test.each<[string, string, unknown, string]>([
  ["DescribeStream", "StreamName", 1, "TruncatingBigNumber can not be converted to an String"],
  ["DescribeStream", "StreamName", true, "java.lang.Boolean can not be converted to an String"],
  ["DescribeStream", "StreamName", [], "Start of list found where not expected"],
  ["DescribeStream", "StreamName", {}, "Start of structure or map found where not expected."],
  ["DescribeStream", "Limit", "1", "java.lang.String can not be converted to an Integer"],
  ["GetRecords", "DryRun", "true", "java.lang.String can not be converted to an Boolean"],
  ["GetShardIterator", "Timestamp", "now", "java.lang.String can not be converted to milliseconds since epoch"],
  ["PutRecord", "Data", 5, "TruncatingBigNumber can not be converted to a Blob"],
  ["PutRecords", "Records", "x", "Expected list or null"],
  ["PutRecords", "Records", {}, "Start of structure or map found where not expected."],
  ["PutRecords", "Records", ["x"], "Expected null"],
  ["PutRecords", "Records", [[]], "Start of list found where not expected"],
  ["AddTagsToStream", "Tags", "x", "Expected map or null"],
  ["AddTagsToStream", "Tags", { a: 1 }, "TruncatingBigNumber can not be converted to an String"],
])("%s with %s = %j is unreadable", (action, field, value, text) => {
  expect(() => readInput(shapeOf(action), { [field]: value }, json)).toThrow(text);
});

test("a null in a list fails as a constraint with its place", () => {
  expect(() => readInput(shapeOf("PutRecords"), { Records: [{}, null] }, json)).toThrow(
    "Value null at 'records.2.member' failed to satisfy constraint: Member must not be null",
  );
});

test("blobs of any size keep their bytes while others come", () => {
  const memory = new BlobMemory();
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 }), (sizes) => {
      const blobs = sizes.map((size, index) => {
        const bytes = Buffer.alloc(size, index + 1);
        const text = bytes.toString("base64");
        return { bytes, kept: index % 2 === 0 ? memory.copy(bytes) : decodeBase64(text, memory) };
      });
      expect(blobs.every(({ bytes, kept }) => bytes.equals(kept))).toBe(true);
    }),
  );
});
