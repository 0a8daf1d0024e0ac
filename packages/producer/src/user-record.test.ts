import { describe, expect, test } from "vitest";
import { RecordError, RecordTooLargeError } from "./errors.ts";
import { userRecordHash } from "@millrace/aggregation";
import { checkUserRecord } from "./user-record.ts";

const maxBytes = 1_048_576;
const tagged = (bytes: number) => ({ partitionKey: "k", data: new Uint8Array(bytes), tags: { trace: "00-1" } });
const check = (record: unknown) => checkUserRecord(record as never, maxBytes);

describe("a record that breaks a rule is refused by the name of its field", () => {
  test.each([
    ["record", undefined],
    ["record", "text"],
    ["partitionKey", { data: "x" }],
    ["partitionKey", { partitionKey: "", data: "x" }],
    ["partitionKey", { partitionKey: 7, data: "x" }],
    ["partitionKey", { partitionKey: "k".repeat(257), data: "x" }],
    ["partitionKey", { partitionKey: "\u{1F600}".repeat(257), data: "x" }],
    ["partitionKey", { partitionKey: "\ud800", data: "x" }],
    ["data", { partitionKey: "k" }],
    ["data", { partitionKey: "k", data: null }],
    ["data", { partitionKey: "k", data: 5 }],
    ["data", { partitionKey: "k", data: [1, 2] }],
    ["data", { partitionKey: "k", data: "\udfff" }],
    ["explicitHashKey", { partitionKey: "k", data: "x", explicitHashKey: -1n }],
    ["explicitHashKey", { partitionKey: "k", data: "x", explicitHashKey: 1n << 128n }],
    ["explicitHashKey", { partitionKey: "k", data: "x", explicitHashKey: "abc" }],
    ["explicitHashKey", { partitionKey: "k", data: "x", explicitHashKey: "1.5" }],
    ["explicitHashKey", { partitionKey: "k", data: "x", explicitHashKey: 12 }],
    ["tags", { partitionKey: "k", data: "x", tags: "t" }],
    ["tags", { partitionKey: "k", data: "x", tags: ["t"] }],
    [
      "tags",
      { partitionKey: "k", data: "x", tags: Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [i, ""])) },
    ],
    ['tags["a"]', { partitionKey: "k", data: "x", tags: { a: "\ud800" } }],
    ['tags["a"]', { partitionKey: "k", data: "x", tags: { a: 1 } }],
  ])("%s: %o", (path, record) => {
    expect(() => check(record)).toThrow(RecordError);
    expect(() => check(record)).toThrow(expect.objectContaining({ path, scope: "record", retryable: false }));
  });

  test("data and key together count towards the size", () => {
    expect(check({ partitionKey: "k", data: new Uint8Array(maxBytes - 1) }).sizeBytes).toBe(maxBytes);
    expect(() => check({ partitionKey: "k", data: new Uint8Array(maxBytes) })).toThrow(RecordTooLargeError);
    expect(() => check({ partitionKey: "\u00e9", data: new Uint8Array(maxBytes - 1) })).toThrow(
      expect.objectContaining({ code: "ERR_RECORD_TOO_LARGE", sizeBytes: maxBytes + 1, maxBytes }),
    );
  });
});

test("tags and the wrapping that they need count towards the size [C6]", () => {
  const wrappingBytes = check(tagged(maxBytes - 100)).sizeBytes - (maxBytes - 100);
  expect(check(tagged(maxBytes - wrappingBytes)).sizeBytes).toBe(maxBytes);
  expect(() => check(tagged(maxBytes - wrappingBytes + 1))).toThrow(RecordTooLargeError);
});

test("tags are those of the put, whatever becomes of the caller's object", () => {
  const tags: Record<string, string> = { a: "1" };
  const checked = check({ partitionKey: "k", data: "x", tags });
  tags["a"] = "2";
  expect(checked.tags).toEqual({ a: "1" });
  expect(check({ partitionKey: "k", data: "x", tags: {} }).tags).toBeUndefined();
});

describe("a record that keeps the rules is taken as it is", () => {
  test("keys are counted in characters, data may be empty, text becomes UTF-8", () => {
    expect(check({ partitionKey: "\u{1F600}".repeat(256), data: "" }).data).toHaveLength(0);
    expect(Buffer.from(check({ partitionKey: "k", data: "h\u00e9" }).data).toString()).toBe("h\u00e9");
    const data = new Uint8Array(3);
    expect(check({ partitionKey: "k", data }).data).toBe(data);
  });

  test("an explicit hash key decides in place of the key's hash", () => {
    expect(userRecordHash(check({ partitionKey: "a", data: "" }))).toBe(16955237001963240173058271559858726497n);
    expect(userRecordHash(check({ partitionKey: "a", data: "", explicitHashKey: " 007 " }))).toBe(7n);
  });
});
