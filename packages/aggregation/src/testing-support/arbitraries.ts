/** Pure. What property tests of the format draw from: ordinary and awkward user records. */
import * as fc from "fast-check";
import type { UserRecord } from "../record.ts";

/** Keys from a small pool, so that they repeat, and of any script; some look like integers or like members of Object. */
export const partitionKeys: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("a", "b", "10", "9", "0", "constructor", "é", "鍵", "🔑", "k".repeat(256), "🔑".repeat(256)),
  fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
  fc.uuid(),
);

export const explicitHashKeys: fc.Arbitrary<bigint | string> = fc.oneof(
  fc.constantFrom<bigint | string>(0n, "0", 2n ** 128n - 1n, "+0007"),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
);

const payloads: fc.Arbitrary<Uint8Array | string> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  // Around the sizes where a length takes another varint byte.
  fc
    .constantFrom(0, 1, 110, 127, 128, 129, 16_370, 16_383, 16_384)
    .map((length) => new Uint8Array(length).fill(length)),
);

const tagSets: fc.Arbitrary<Record<string, string>> = fc.dictionary(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 12 }),
  { maxKeys: 3, noNullPrototype: true },
);

const fields = { partitionKey: partitionKeys, data: payloads, explicitHashKey: explicitHashKeys };

/** User records without what only Millrace writes. */
export const untaggedRecords: fc.Arbitrary<UserRecord> = fc.record(fields, {
  requiredKeys: ["partitionKey", "data"],
  noNullPrototype: true,
});

export const userRecords: fc.Arbitrary<UserRecord> = fc.record(
  { ...fields, tags: tagSets },
  { requiredKeys: ["partitionKey", "data"], noNullPrototype: true },
);
