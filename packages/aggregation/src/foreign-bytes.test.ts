import * as fc from "fast-check";
import $protobuf from "protobufjs/minimal.js";
import { describe, expect, it } from "vitest";
import { deaggregate, isAggregated } from "./deaggregate.ts";
import { AggregatedRecord } from "./generated/aggregated-record.ts";
import type { UserRecordView } from "./record.ts";
import { userRecords } from "./testing-support/arbitraries.ts";
import { encodeMessage, encodeWithProtobufjs, frame } from "./testing-support/protobuf.ts";

function open(data: Uint8Array): UserRecordView[] {
  return deaggregate({ data, sequenceNumber: "1" });
}

/** A reader that refuses groups, as ours does. */
function readerWithoutGroups(message: Uint8Array): $protobuf.Reader {
  const reader = $protobuf.Reader.create(message);
  const skipType = reader.skipType.bind(reader);
  reader.skipType = (wireType, depth, field) => {
    if (wireType === 3) throw new Error("group");
    return skipType(wireType, depth, field);
  };
  return reader;
}

/** The user records of a message according to the generated module alone; undefined where it refuses the message. */
function decodeWithProtobufjs(message: Uint8Array): unknown[] | undefined {
  // A frame around nothing is too short to be an aggregate.
  if (message.length === 0) return undefined;
  let decoded;
  try {
    decoded = AggregatedRecord.decode(readerWithoutGroups(message));
  } catch {
    return undefined;
  }
  return decoded.records.map((record) => ({
    data: Buffer.from(record.data).toString("hex"),
    partitionKey: decoded.partitionKeyTable[Number(record.partitionKeyIndex)],
    explicitHashKey: Object.hasOwn(record, "explicitHashKeyIndex")
      ? decoded.explicitHashKeyTable[Number(record.explicitHashKeyIndex)]
      : undefined,
    tags: Object.fromEntries((record.tags ?? []).map((tag) => [tag.key, tag.value ?? ""])),
  }));
}

/** The same according to `deaggregate`; undefined where it passes the record whole. */
function decodeWithMillrace(message: Uint8Array): unknown[] | undefined {
  const views = open(frame(message));
  if (views[0]?.aggregated === false) return undefined;
  return views.map((view) => ({
    data: Buffer.from(view.data).toString("hex"),
    partitionKey: view.partitionKey,
    explicitHashKey: view.explicitHashKey,
    tags: view.tags ?? {},
  }));
}

type Damage = readonly [place: number, kind: "set" | "insert" | "delete" | "cut", byte: number];

const damages: fc.Arbitrary<Damage[]> = fc.array(
  fc.tuple(
    fc.nat(),
    fc.constantFrom<Damage[1]>("set", "insert", "delete", "cut"),
    // Small bytes are lengths and tags: they hurt more than the others.
    fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 255 })),
  ),
  { maxLength: 4 },
);

/** The message after some changes within its first `reach` bytes. */
function damage(message: Uint8Array, changes: readonly Damage[], reach: number): Uint8Array {
  return changes.reduce((bytes, [place, kind, byte]) => {
    if (bytes.length === 0) return bytes;
    if (kind === "cut") return bytes.subarray(0, 1 + (place % bytes.length));
    const at = place % Math.min(bytes.length, reach);
    const middle = kind === "delete" ? Buffer.alloc(0) : Buffer.of(byte);
    return Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(kind === "insert" ? at : at + 1)]);
  }, message);
}

describe("foreign bytes", () => {
  it("pass unchanged, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, hasMagic) => {
        const data = Buffer.concat([Buffer.from(hasMagic ? "f3899ac2" : "", "hex"), bytes]);
        expect(open(data)).toEqual([{ data, sequenceNumber: "1", subSequenceNumber: 0, aggregated: false }]);
        expect(isAggregated(data)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it("mean what protobufjs says they mean, after any damage to a good message", () => {
    fc.assert(
      fc.property(fc.array(userRecords, { minLength: 1, maxLength: 4 }), damages, (records, changes) => {
        const blob = encodeWithProtobufjs(records);
        // Most of it is data, which any byte may be: aim at the tables and fields in front.
        const message = damage(blob.subarray(4, blob.length - 16), changes, 60);
        expect(decodeWithMillrace(message)).toEqual(decodeWithProtobufjs(message));
      }),
      { numRuns: 2000 },
    );
  });

  it("mean what protobufjs says they mean, after damage to the tags of a record", () => {
    const tags = fc.array(fc.record({ key: fc.string({ maxLength: 4 }), value: fc.string({ maxLength: 4 }) }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(tags, damages, (drawn, changes) => {
        const records = [{ partitionKeyIndex: 0, data: Buffer.alloc(0), tags: drawn }];
        const blob = encodeMessage({ partitionKeyTable: ["k"], records });
        const message = damage(blob.subarray(4, blob.length - 16), changes, blob.length);
        expect(decodeWithMillrace(message)).toEqual(decodeWithProtobufjs(message));
      }),
      { numRuns: 3000 },
    );
  });

  it("mean what protobufjs says they mean, built from the bytes that steer a parser", () => {
    // Field tags of the messages, groups, unknown fields, and lengths.
    const steering = [0x0a, 0x12, 0x1a, 0x08, 0x10, 0x22, 0x2a, 0x0b, 0x0c, 0x1b, 0, 1, 2, 3, 4, 6, 0x80, 0xff];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...steering), { minLength: 1, maxLength: 40 }), (bytes) => {
        const message = Buffer.from(bytes);
        expect(decodeWithMillrace(message)).toEqual(decodeWithProtobufjs(message));
      }),
      { numRuns: 5000 },
    );
  });
});
