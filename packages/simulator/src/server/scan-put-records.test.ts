import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BlobMemory } from "./blob-memory.ts";
import { readJson } from "./json.ts";
import { readInput } from "./read-input.ts";
import { scanPutRecords } from "./scan-put-records.ts";
import { actionInputs } from "./shapes.ts";

const shape = actionInputs.get("PutRecords");

/** What the plain way makes of `bytes`: the input, or the failure's text. */
function readPlainly(bytes: Uint8Array): unknown {
  if (shape === undefined) throw new Error("no shape for PutRecords");
  try {
    return readInput(shape, readJson(bytes), { format: "json", memory: new BlobMemory() });
  } catch (error) {
    return error;
  }
}

const scan = (text: string) => scanPutRecords(Buffer.from(text), new BlobMemory());

const record = fc.record(
  {
    Data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("base64")),
    PartitionKey: fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "binary", maxLength: 20 })),
    ExplicitHashKey: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(String),
  },
  { requiredKeys: ["Data", "PartitionKey"] },
);
const body = fc.record(
  {
    Records: fc.array(record, { maxLength: 10 }),
    StreamName: fc.string({ maxLength: 20 }),
    StreamARN: fc.string({ maxLength: 20 }),
    DryRun: fc.boolean(),
  },
  { requiredKeys: [] },
);

test("what is scanned is what the plain way reads", () => {
  fc.assert(
    fc.property(body, (value) => {
      const bytes = Buffer.from(JSON.stringify(value));
      const scanned = scanPutRecords(bytes, new BlobMemory());
      expect(scanned ?? readPlainly(bytes)).toEqual(readPlainly(bytes));
    }),
    { numRuns: 2000 },
  );
});

test("a bent body is scanned as the plain way reads it, or left to that way", () => {
  const bent = fc.tuple(body, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 3 }));
  fc.assert(
    fc.property(bent, ([value, bends]) => {
      const bytes = Buffer.from(JSON.stringify(value));
      for (const [at, byte] of bends) bytes[at % bytes.length] = byte;
      const scanned = scanPutRecords(bytes, new BlobMemory());
      expect(scanned ?? readPlainly(bytes)).toEqual(readPlainly(bytes));
    }),
    { numRuns: 10_000 },
  );
});

test("takes the body that the SDK writes", () => {
  const text = '{"Records":[{"Data":"AAEC","PartitionKey":"k"}],"StreamName":"clicks"}';
  expect(scan(text)).toEqual({
    Records: [{ Data: Buffer.from([0, 1, 2]), PartitionKey: "k" }],
    StreamName: "clicks",
  });
  expect(scan('{"StreamName":"clicks","Records":[]}')).toEqual({ StreamName: "clicks", Records: [] });
});

test.each([
  ["white space", '{ "StreamName":"a"}'],
  ["an escape", String.raw`{"StreamName":"a\n"}`],
  ["text beyond ASCII", '{"StreamName":"\u00e9"}'],
  ["another field", '{"DryRun":true}'],
  ["null", '{"StreamName":null}'],
  ["a record without a key", '{"Records":[{"Data":"AAEC"}]}'],
  ["an empty record", '{"Records":[{}]}'],
  ["a bad blob", '{"Records":[{"Data":"A","PartitionKey":"k"}]}'],
  ["an escape in a blob", String.raw`{"Records":[{"Data":"AA\/C","PartitionKey":"k"}]}`],
  ["an empty object", "{}"],
  ["something after it", '{"StreamName":"a"}}'],
  ["a missing end", '{"StreamName":"a"'],
  ["a text without an end", '{"StreamName":"a'],
  ["a blob without an end", '{"Records":[{"Data":"AA'],
  ["a trailing comma", '{"Records":[{"Data":"AAEC","PartitionKey":"k"},]}'],
  ["nothing", ""],
])("leaves %s to the plain way", (_what, text) => {
  expect(scan(text)).toBeUndefined();
});
