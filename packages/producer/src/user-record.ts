/**
 * Pure. Checks what a caller puts, before anything of it is queued.
 *
 * Source of the rules: PutRecords (keys of 1 to 256 characters, hash keys below 2^128, data and key within the
 * stream's record size); KPL `KinesisProducer.java` for what it refuses.
 */
import { types } from "node:util";
import { kinesisRecordBytes, parseExplicitHashKey, type UserRecord } from "@millrace/aggregation";
import { RecordError, RecordTooLargeError } from "./errors.ts";

/** Longest partition key, in Unicode characters. */
const maxKeyCharacters = 256;
/** Most tags of a record. Source: `@millrace/aggregation`, what its reader takes. */
const maxTags = 1_000;
/** Tags by which Millrace marks what it has done to a record. */
const reservedTags = "millrace.";

/** A record that may be queued: its data is bytes, its explicit hash key a number. */
export interface CheckedRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly explicitHashKey: bigint | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** Data and partition key in UTF-8, tags and the wrapping that they need included: what the service counts. */
  readonly sizeBytes: number;
}

/**
 * The record, checked. Bytes are not copied: they must stay as they are until the put settles.
 * @throws {RecordError} naming the field, what came and what was expected.
 * @throws {RecordTooLargeError} when data, key and tags are more than `maxRecordBytes`.
 */
export function checkUserRecord(record: UserRecord, maxRecordBytes: number): CheckedRecord {
  if (typeof record !== "object" || record === null) {
    throw new RecordError({ path: "record", got: record, expected: "an object with partitionKey and data" });
  }
  const { partitionKey } = record;
  checkPartitionKey(partitionKey);
  const data = bytesOf(record.data);
  const explicitHashKey = record.explicitHashKey === undefined ? undefined : checkHashKey(record.explicitHashKey);
  const tags = record.tags === undefined ? undefined : checkTags(record.tags);
  const sizeBytes =
    tags === undefined
      ? data.byteLength + Buffer.byteLength(partitionKey)
      : kinesisRecordBytes({ partitionKey, data, explicitHashKey, tags });
  if (sizeBytes > maxRecordBytes) throw new RecordTooLargeError(sizeBytes, maxRecordBytes);
  return { partitionKey, data, explicitHashKey, tags, sizeBytes };
}

function checkPartitionKey(key: unknown): asserts key is string {
  if (typeof key === "string" && key.length > 0 && key.isWellFormed()) {
    // Characters beyond the basic plane take two UTF-16 units; only long keys need to be counted.
    if (key.length <= maxKeyCharacters) return;
    if (key.length <= 2 * maxKeyCharacters && Array.from(key).length <= maxKeyCharacters) return;
  }
  throw new RecordError({
    path: "partitionKey",
    got: key,
    expected: `a string of 1 to ${maxKeyCharacters} characters without lone surrogates`,
  });
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === "string") {
    if (data.isWellFormed()) return Buffer.from(data, "utf8");
    throw new RecordError({ path: "data", got: {}, expected: "text without lone surrogates, or a Uint8Array" });
  }
  if (types.isUint8Array(data)) return data;
  throw new RecordError({ path: "data", got: data, expected: "a Uint8Array or a string" });
}

function checkHashKey(value: unknown): bigint {
  try {
    return parseExplicitHashKey(value as bigint | string);
  } catch {
    throw new RecordError({
      path: "explicitHashKey",
      got: value,
      expected: "a whole number from 0 to 2^128 - 1, as a bigint or in decimal digits",
    });
  }
}

/** The tags, copied: their size is counted now. Undefined where there are none. */
function checkTags(tags: unknown): Record<string, string> | undefined {
  if (typeof tags !== "object" || tags === null || Array.isArray(tags)) {
    throw new RecordError({ path: "tags", got: tags, expected: "an object of strings" });
  }
  const entries: [string, unknown][] = Object.entries(tags);
  if (entries.length > maxTags) {
    throw new RecordError({ path: "tags", got: entries.length, expected: `at most ${maxTags} tags` });
  }
  for (const [key, value] of entries) {
    if (key.startsWith(reservedTags)) {
      throw new RecordError({ path: "tags", got: key, expected: `names that do not begin with "${reservedTags}"` });
    }
    if (typeof value === "string" && value.isWellFormed() && key.isWellFormed()) continue;
    throw new RecordError({
      path: `tags[${JSON.stringify(key)}]`,
      got: typeof value === "string" ? {} : value,
      expected: "key and value to be strings without lone surrogates",
    });
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries as [string, string][]);
}
