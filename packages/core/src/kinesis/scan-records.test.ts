import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scanRecords } from "./scan-records.ts";
import { decodeGetRecordsJson } from "./wire-json.ts";

const fields = fc.record({
  Data: fc.uint8Array({ maxLength: 100 }),
  PartitionKey: fc.string({ unit: "binary", maxLength: 20 }),
  SequenceNumber: fc.bigInt({ min: 0n, max: 10n ** 56n }).map(String),
  arrivalMs: fc.integer({ min: 0, max: 4e12 }),
  EncryptionType: fc.constantFrom("KMS", "NONE"),
});
const order = fc.shuffledSubarray(["Data", "PartitionKey", "SequenceNumber", "arrivalMs", "EncryptionType"] as const, {
  minLength: 1,
});
type Fields = typeof fields extends fc.Arbitrary<infer T> ? T : never;
type Name = keyof Fields;

/** How a service may write a time: `1.7E9` is Java's way. */
function textOfTime(ms: number, style: number): string {
  if (style === 0) return String(ms / 1000);
  return style === 1 ? (ms / 1000).toExponential().replace("e+", "E") : (ms / 1000).toFixed(3);
}

function textOfRecord(record: Fields, names: readonly Name[], style: number): string {
  const parts = names.map((name) => {
    if (name === "arrivalMs") return `"ApproximateArrivalTimestamp":${textOfTime(record.arrivalMs, style)}`;
    const value = name === "Data" ? Buffer.from(record.Data).toString("base64") : record[name];
    return `"${name}":${JSON.stringify(value)}`;
  });
  return `{${parts.join(",")}}`;
}

function expected(record: Fields, names: readonly Name[]): object {
  return Object.fromEntries(
    names.map((name) => {
      if (name === "Data") return [name, Buffer.from(record.Data)];
      return name === "arrivalMs"
        ? ["ApproximateArrivalTimestamp", new Date(record.arrivalMs)]
        : [name, record[name].toWellFormed()];
    }),
  );
}

describe("the records of an answer", () => {
  it("are what JSON says, in any order of fields, with any key and however a time is written", () => {
    fc.assert(
      fc.property(
        fc.array(fields, { maxLength: 5 }),
        order,
        fc.nat(2),
        fc.boolean(),
        (records, names, style, isLast) => {
          const list = `"Records":[${records.map((record) => textOfRecord(record, names, style)).join(",")}]`;
          const other = `"NextShardIterator":"\u{1F600}]}","MillisBehindLatest":5`;
          const body = Buffer.from(isLast ? `{${other},${list}}` : `{${list},${other}}`);
          expect(scanRecords(body)).toBeDefined();
          expect(decodeGetRecordsJson(body)).toEqual({
            Records: records.map((record) => expected(record, names)),
            NextShardIterator: "\u{1F600}]}",
            MillisBehindLatest: 5,
          });
        },
      ),
    );
  });

  it.each([
    ["blanks", `{"Records": [ { "Data": "aGk=", "SequenceNumber": "1" } ] }`],
    ["a field of tomorrow", `{"Records":[{"Data":"aGk=","SequenceNumber":"1","Weight":{"a":[1]}}]}`],
    ["a field of tomorrow with a known first letter", `{"Records":[{"Data":"aGk=","SequenceNumber":"1","Dust":"a"}]}`],
    ["a null", `{"Records":[{"Data":"aGk=","SequenceNumber":"1","PartitionKey":null}]}`],
    ["an escape in base64", `{"Records":[{"Data":"aGk\\u003d","SequenceNumber":"1"}]}`],
    ["no list of records", `{"Records":null,"MillisBehindLatest":0}`],
  ])("are left to JSON.parse where there is %s", (_what, text) => {
    const body = Buffer.from(text);
    expect(scanRecords(body)).toBeUndefined();
    const parsed = JSON.parse(text) as { Records: { Data: string }[] | null };
    const Records = parsed.Records?.map((record) => ({ ...record, Data: Buffer.from(record.Data, "base64") })) ?? null;
    expect(decodeGetRecordsJson(body)).toEqual({ ...parsed, Records });
  });

  it("are refused when they are cut off or damaged anywhere, as JSON.parse refuses them", () => {
    const text = `{"MillisBehindLatest":0,"Records":[{"Data":"aGk=","PartitionKey":"a\\"b","SequenceNumber":"12","ApproximateArrivalTimestamp":1.5}]}`;
    for (let end = 0; end < text.length; end++) {
      expect(() => decodeGetRecordsJson(Buffer.from(text.slice(0, end)))).toThrow(SyntaxError);
    }
    for (let at = 0; at < text.length; at++) {
      const damaged = Buffer.from(text);
      damaged[at] = 0x01;
      expect(() => decodeGetRecordsJson(damaged), `at ${at}`).toThrow(SyntaxError);
    }
  });

  it("keep nothing of the body, which is used again", () => {
    const body = Buffer.from(`{"Records":[{"Data":"aGk=","PartitionKey":"key","SequenceNumber":"12"}]}`);
    const { Records } = decodeGetRecordsJson(body);
    body.fill(0x21);
    expect(Records).toEqual([{ Data: Buffer.from("hi"), PartitionKey: "key", SequenceNumber: "12" }]);
  });
});
