/**
 * Pure. The records on both sides: what a caller puts, what goes into a PutRecords entry, what is read back.
 *
 * Source of the limits: Kinesis API reference, PutRecords, read November 2026.
 */
import { InvalidRecordError } from "./errors.ts";

/** What a caller puts. */
export interface UserRecord {
  /** 1 to 256 Unicode characters, without lone surrogates. Decides the shard, unless `explicitHashKey` is given. */
  readonly partitionKey: string;
  /** The payload. Text is stored as UTF-8 and must not hold lone surrogates. May be empty. */
  readonly data: Uint8Array | string;
  /** 0 to 2^128 - 1, in decimal where it is text. Decides the shard in place of the partition key's hash. */
  readonly explicitHashKey?: bigint | string | undefined;
  /** Text that travels with the record in the KPL format's tag field, at most 1,000 of them; readers other than Millrace skip it. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** What goes into one PutRecords entry. */
export interface AggregatedRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  /** Decimal, always present: the hash key of the first user record. */
  readonly explicitHashKey: string;
  /** How many user records it holds. */
  readonly count: number;
  /** True while its digest is missing: built with `seal: false`, and not given to `sealAggregates` yet. */
  readonly isUnsealed?: boolean | undefined;
}

/** A Kinesis record as read. */
export interface KinesisRecord {
  readonly data: Uint8Array;
  /** Absent on streams with the AUTO record distribution strategy. */
  readonly partitionKey?: string | undefined;
  readonly sequenceNumber: string;
}

/** A Kinesis record in the shape of `@aws-sdk/client-kinesis`. */
export interface SdkRecord {
  readonly Data: Uint8Array | undefined;
  readonly PartitionKey?: string | undefined;
  readonly SequenceNumber: string | undefined;
}

/** A Kinesis record in the shape of a Lambda event, as one of its `Records` or as the `kinesis` part of one. */
export type LambdaRecord = { readonly kinesis: LambdaPayload } | LambdaPayload;

/** The `kinesis` part of a Lambda event's record. */
export interface LambdaPayload {
  /** Base64. */
  readonly data: string;
  readonly partitionKey?: string | undefined;
  readonly sequenceNumber: string;
}

/** A user record as read back. */
export interface UserRecordView {
  /** The payload. A view into the Kinesis record's bytes, not a copy: keeping it keeps the whole aggregate in memory. */
  readonly data: Uint8Array;
  /** Undefined where the stream has no keys, or where an aggregate names a key that it does not hold. */
  readonly partitionKey?: string | undefined;
  /** As its writer stored it; undefined where the writer gave none, and on plain records, whose readers cannot see it. */
  readonly explicitHashKey?: string | undefined;
  /** Sequence number of the Kinesis record. */
  readonly sequenceNumber: string;
  /** Place within the aggregate, from 0; 0 for a plain record. */
  readonly subSequenceNumber: number;
  /** True when it came out of an aggregate. */
  readonly aggregated: boolean;
  /** Undefined when there are none. A tag without a value reads as the empty string; of equal keys the last counts. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** Most tags of a record. A reader takes a record of many more for a hostile one and does not open its aggregate. */
export const MAX_TAGS = 1_000;

/** Longest partition key, in Unicode characters. */
const MAX_PARTITION_KEY_CHARACTERS = 256;

/** The largest Kinesis record that any stream accepts, data and partition key together, in bytes: 10 MiB. */
export const MAX_RECORD_BYTES = 10_485_760;

/** Throws unless `record` is an object, whatever it holds. */
export function checkRecord(record: unknown): asserts record is object {
  if (typeof record === "object" && record !== null) return;
  throw new InvalidRecordError({ path: "record", got: record, expected: "{ partitionKey, data }" });
}

/** Throws unless `key` is a partition key that Kinesis accepts. */
export function checkPartitionKey(key: unknown): asserts key is string {
  if (typeof key === "string" && key.length > 0 && key.isWellFormed()) {
    if (key.length <= MAX_PARTITION_KEY_CHARACTERS) return;
    // A character outside the basic plane takes two UTF-16 units.
    const surrogatePairs = key.match(/[\u{10000}-\u{10FFFF}]/gu)?.length ?? 0;
    if (key.length - surrogatePairs <= MAX_PARTITION_KEY_CHARACTERS) return;
  }
  throw new InvalidRecordError({
    path: "partitionKey",
    got: key,
    expected: `1 to ${MAX_PARTITION_KEY_CHARACTERS} Unicode characters without lone surrogates`,
  });
}

/** True for a Uint8Array, a Buffer included, and for one of another realm: test runners and vm contexts have their own. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/** Throws unless `data` is bytes or text that has a UTF-8 form. */
export function checkData(data: unknown): asserts data is Uint8Array | string {
  if (typeof data === "string") {
    if (data.isWellFormed()) return;
    throw new InvalidRecordError({ path: "data", got: {}, expected: "text without lone surrogates, or a Uint8Array" });
  }
  if (isBytes(data)) return;
  throw new InvalidRecordError({ path: "data", got: data, expected: "a Uint8Array or a string" });
}

/** The tags as pairs, checked; undefined where there are none. */
export function checkTags(tags: UserRecord["tags"]): [key: string, value: string][] | undefined {
  if (tags === undefined) return undefined;
  if (typeof tags !== "object" || tags === null || Array.isArray(tags)) {
    throw new InvalidRecordError({ path: "tags", got: tags, expected: "an object of strings" });
  }
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) {
    throw new InvalidRecordError({ path: "tags", got: entries.length, expected: `at most ${MAX_TAGS} tags` });
  }
  for (const [key, value] of entries) {
    if (typeof value === "string" && value.isWellFormed() && key.isWellFormed()) continue;
    const got: unknown = typeof value === "string" ? {} : value;
    throw new InvalidRecordError({
      path: `tags[${JSON.stringify(key)}]`,
      got,
      expected: "key and value to be strings without lone surrogates",
    });
  }
  return entries.length === 0 ? undefined : entries;
}
