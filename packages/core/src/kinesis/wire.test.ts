import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeCbor, encodePutRecordsCbor } from "./cbor-write.ts";
import { decodeCbor } from "./wire-cbor.ts";
import { encodePutRecordsJson } from "./put-records-json.ts";
import { decodeGetRecordsJson } from "./wire-json.ts";

const records = fc.array(
  fc.record(
    {
      Data: fc.uint8Array({ maxLength: 200 }),
      PartitionKey: fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
      ExplicitHashKey: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(String),
    },
    { requiredKeys: ["Data", "PartitionKey"] },
  ),
  { maxLength: 20 },
);
const inputs = fc.record({ StreamName: fc.constant("clicks"), Records: records });

describe("a PutRecords body", () => {
  it("in JSON says what the SDK would say", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const body = JSON.parse(encodePutRecordsJson(input).toString("utf8")) as unknown;
        expect(body).toEqual({
          ...input,
          Records: input.Records.map((record) => ({ ...record, Data: Buffer.from(record.Data).toString("base64") })),
        });
      }),
    );
  });

  it("in JSON keeps payloads apart, be they encoded together or alone", () => {
    const sizes = fc.array(fc.oneof(fc.nat(10), fc.nat(1_100), fc.integer({ min: 1_000, max: 60_000 })), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const Records = lengths.map((length, index) => ({
          Data: Uint8Array.from({ length }, (_, at) => (at * 31 + index) & 0xff),
          PartitionKey: `key "${index}"`,
          ExplicitHashKey: index % 2 === 0 ? undefined : String(index),
        }));
        const body = JSON.parse(encodePutRecordsJson({ StreamName: "s", Records }).toString("latin1")) as {
          Records: { Data: string; PartitionKey: string }[];
        };
        expect(body.Records.map(({ Data }) => Data)).toEqual(
          Records.map(({ Data }) => Buffer.from(Data).toString("base64")),
        );
        expect(body.Records.map(({ PartitionKey }) => PartitionKey)).toEqual(
          Records.map(({ PartitionKey }) => PartitionKey),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("in JSON leaves out what is undefined", () => {
    const body = encodePutRecordsJson({
      StreamARN: undefined,
      StreamName: "s",
      Records: [{ Data: new Uint8Array(), PartitionKey: '"\u{1F600}', ExplicitHashKey: undefined }],
    });
    expect(body.toString("utf8")).toBe('{"Records":[{"Data":"","PartitionKey":"\\"\u{1F600}"}],"StreamName":"s"}');
  });

  it("in CBOR comes back as it went", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        expect(decodeCbor(encodePutRecordsCbor(input))).toEqual({
          ...input,
          Records: input.Records.map((record) => ({ ...record, Data: Buffer.from(record.Data) })),
        });
      }),
    );
  });
});

describe("CBOR", () => {
  it.each([
    0,
    23,
    24,
    255,
    256,
    65_535,
    65_536,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    -1,
    -500,
    1.5,
    true,
    false,
    null,
    "",
  ])("%o comes back as it went", (value) => expect(decodeCbor(encodeCbor(value))).toBe(value));

  it("reads what other writers may write: indefinite lengths, times, small floats", () => {
    // Source of the bytes: RFC 8949, appendix A.
    expect(decodeCbor(Buffer.from("bf61610161629f0203ffff", "hex"))).toEqual({ a: 1, b: [2, 3] });
    expect(decodeCbor(Buffer.from("5f42010243030405ff", "hex"))).toEqual(Buffer.from([1, 2, 3, 4, 5]));
    expect(decodeCbor(Buffer.from("7f657374726561646d696e67ff", "hex"))).toBe("streaming");
    expect(decodeCbor(Buffer.from("c11b0000019a00000000", "hex"))).toEqual(new Date(0x19a_0000_0000));
    expect(decodeCbor(Buffer.from("fa47c35000", "hex"))).toBe(100_000);
  });

  it.each(["", "61", "9f01", "ff", "1c", "a10102", "f8ff", "0000", "bb0fffffffffffffff", "81".repeat(100)])(
    "refuses %o instead of guessing",
    (hex) => expect(() => decodeCbor(Buffer.from(hex, "hex"))).toThrow(SyntaxError),
  );

  it("never does anything but return or throw a SyntaxError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(outcomeOf(() => decodeCbor(Buffer.from(bytes)))).toMatch(/^(?:value|SyntaxError)$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a GetRecords answer in JSON", () => {
  it("has bytes and times where the SDK has them", () => {
    const body = JSON.stringify({
      Records: [
        { Data: "aGk=", PartitionKey: "k", SequenceNumber: "1", ApproximateArrivalTimestamp: 1_700_000_000.123 },
      ],
      MillisBehindLatest: 0,
    });
    expect(decodeGetRecordsJson(Buffer.from(body))).toEqual({
      Records: [
        {
          Data: Buffer.from("hi"),
          PartitionKey: "k",
          SequenceNumber: "1",
          ApproximateArrivalTimestamp: new Date(1_700_000_000_123),
        },
      ],
      MillisBehindLatest: 0,
    });
  });
});

function outcomeOf(run: () => unknown): string {
  try {
    run();
    return "value";
  } catch (error) {
    return (error as Error).name;
  }
}
