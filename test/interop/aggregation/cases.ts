/** Pure. User records at awkward sizes and with awkward keys, for peers to read and to write. */
import { createHash } from "node:crypto";
import { Aggregator, MAX_HASH_KEY } from "@millrace/aggregation";
import type { UserRecord } from "@millrace/aggregation";

/** A record whose data is bytes and whose hash key is decimal text, as peers want it. */
export interface InteropRecord extends UserRecord {
  readonly data: Uint8Array;
  readonly explicitHashKey?: string;
}

export interface InteropCase {
  readonly name: string;
  readonly records: readonly InteropRecord[];
}

/** The largest Kinesis record of an ordinary stream: 1 MiB, data and partition key together. */
export const recordMaxBytes = 1_048_576;

/** Pseudo-random bytes, the same in every run. */
function bytesOf(seed: string, length: number): Buffer {
  const block = createHash("sha256").update(seed).digest();
  return Buffer.alloc(length, block);
}

function plain(count: number, keyOf: (index: number) => string = (index) => `key-${index}`): InteropRecord[] {
  return Array.from({ length: count }, (_, index) => ({ partitionKey: keyOf(index), data: bytesOf(`${index}`, 32) }));
}

function withData(...lengths: readonly number[]): InteropRecord[] {
  return lengths.map((length, index) => ({ partitionKey: `key-${index}`, data: bytesOf(`${index}`, length) }));
}

function withKeys(...keys: readonly string[]): InteropRecord[] {
  return keys.map((partitionKey, index) => ({ partitionKey, data: Buffer.from(`data ${index}`) }));
}

function withHashKeys(...hashKeys: readonly (string | undefined)[]): InteropRecord[] {
  return hashKeys.map((explicitHashKey, index) => {
    const record = { partitionKey: "key", data: Buffer.from(`data ${index}`) };
    return explicitHashKey === undefined ? record : Object.assign(record, { explicitHashKey });
  });
}

/** Two records whose aggregate is of exactly `bytes`, with one key in common. */
function filling(bytes: number): InteropRecord[] {
  const first = { partitionKey: "k", data: bytesOf("first", bytes >> 1) };
  const aggregator = new Aggregator({ maxBytes: bytes });
  for (let rest = bytes - first.data.length; rest > 0; rest--) {
    aggregator.reset();
    const second = { partitionKey: "k", data: bytesOf("second", rest) };
    aggregator.add(first);
    if (aggregator.add(second) && aggregator.sizeBytes === bytes) return [first, second];
  }
  throw new Error(`No two records fill ${bytes} bytes.`);
}

const max = MAX_HASH_KEY.toString();

/** The cases, each with at least one record. */
export const cases: readonly InteropCase[] = [
  { name: "one record", records: plain(1) },
  { name: "two records", records: plain(2) },
  { name: "129 records: an index of two bytes", records: plain(129) },
  { name: "16,385 records: an index of three bytes", records: plain(16_385) },
  { name: "129 records of one key", records: plain(129, () => "key") },
  { name: "empty data", records: withData(0, 0, 1) },
  { name: "one record of empty data", records: withData(0) },
  { name: "data lengths around a varint's steps", records: withData(126, 127, 128, 129, 16_383, 16_384, 200_000) },
  {
    name: "record lengths around a varint's steps",
    records: withData(121, 122, 123, 124, 125, 16_375, 16_379, 16_380),
  },
  { name: "keys of one and of 256 characters", records: withKeys("a", "k".repeat(256), "b".repeat(128)) },
  { name: "keys that look like integers", records: withKeys("10", "9", "1", "0", "-1", "007", "4294967295") },
  {
    name: "keys that are names of Object",
    records: withKeys("constructor", "toString", "hasOwnProperty", "__proto__"),
  },
  { name: "CJK and accented keys", records: withKeys("漢字", "かな", "한글", "é", "鍵".repeat(80)) },
  { name: "emoji keys", records: withKeys("🔑", "👩‍👩‍👧", "🔑".repeat(60)) },
  { name: "256 characters of four bytes as a key", records: withKeys("🔑".repeat(256), "a") },
  { name: "keys with blanks and control characters", records: withKeys(" ", "\t", "\u0000", "a b", "a\nb") },
  { name: "text as data", records: [{ partitionKey: "k", data: Buffer.from("漢字 🔑") }, ...plain(1)] },
  { name: "explicit hash keys on all", records: withHashKeys("0", max, "1", "0", "42") },
  { name: "explicit hash keys on some, the first included", records: withHashKeys("7", undefined, "8", undefined) },
  { name: "explicit hash keys on some, the first not", records: withHashKeys(undefined, "7", undefined) },
  { name: "the default size, to the byte", records: filling(49_899) },
  { name: "1 MiB with its key, to the byte", records: filling(recordMaxBytes - 1) },
  // Nothing of it is an aggregate, however it begins.
  {
    name: "one record that begins with the magic bytes",
    records: [{ partitionKey: "k", data: Buffer.from("f3899ac200", "hex") }],
  },
];
