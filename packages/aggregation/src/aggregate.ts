/**
 * Pure. Packs user records into one Kinesis record, in the KPL's format, and knows its size to the byte at every moment.
 *
 * Source: awslabs/amazon-kinesis-producer, aggregation-format.md. Bytes equal those of protobufjs with fields in order.
 */
import { ByteRegion } from "./byte-region.ts";
import { InvalidRecordError } from "./errors.ts";
import {
  DIGEST_BYTES,
  FRAME_BYTES,
  MAGIC,
  lengthDelimitedBytes,
  tagBytes,
  varintBytes,
  writeDigest,
} from "./format.ts";
import { parseExplicitHashKey, partitionKeyHash } from "./hash-key.ts";
import { KeyTable } from "./key-table.ts";
import { md5OfMany } from "./md5-many.ts";
import { tagContentBytes, tagsBytes } from "./record-bytes.ts";
import { MAX_RECORD_BYTES, checkData, checkPartitionKey, checkRecord, checkTags } from "./record.ts";
import type { AggregatedRecord, UserRecord } from "./record.ts";

/** Partition key of an aggregate of two or more. Source: KPL aws/kinesis/core/kinesis_record.cc. */
const AGGREGATE_PARTITION_KEY = "a";

/**
 * Largest blob by default. With its one-byte partition key it makes 49,900 bytes: under two PUT payload units whether a
 * unit is 25,000 or 25,600 bytes.
 */
const DEFAULT_MAX_BYTES = 49_899;

/** What is remembered of the first user record: it decides the outer hash key, and goes out unwrapped if it stays alone. */
interface FirstRecord {
  readonly partitionKey: string;
  readonly explicitHashKey: string | undefined;
  readonly dataBytes: number;
  readonly isTagged: boolean;
}

/**
 * Packs user records into one Kinesis record. Bytes are copied by `add`: what it was given may be reused at once.
 *
 *     const aggregator = new Aggregator();
 *     for (const record of records) {
 *       if (aggregator.add(record)) continue;
 *       send(aggregator.build());
 *       aggregator.reset();
 *       aggregator.add(record); // always fits into an empty one
 *     }
 */
export class Aggregator {
  #maxBytes: number;
  readonly #keys = new KeyTable(tagBytes.partitionKeyTable);
  #hashKeys: KeyTable | undefined;
  readonly #records = new ByteRegion(1024);
  #first: FirstRecord | undefined;
  #count = 0;
  #wrappedBytes = FRAME_BYTES;

  /**
   * `maxBytes` bounds the data of the built record, in bytes; its partition key comes on top (one byte from two user
   * records on). Integer, 1 to 10,485,759 (10 MiB less that byte).
   * @default 49_899
   * @throws {InvalidRecordError} when it is out of range.
   */
  constructor(options: { readonly maxBytes?: number | undefined } = {}) {
    this.#maxBytes = checkMaxBytes(options.maxBytes ?? DEFAULT_MAX_BYTES);
  }

  /**
   * Adds a user record, or returns false and changes nothing when the aggregate would grow past `maxBytes`.
   *
   * The first record is always accepted, however small `maxBytes` is, since it must be sent anyway; a record larger than
   * `maxBytes` thus leaves alone and unwrapped.
   * @throws {InvalidRecordError} when the record cannot be stored: a bad field, or as the first record more than
   * 10 MiB with its key, which no stream accepts. Most streams accept 1 MiB; the caller knows its own.
   */
  add(record: UserRecord): boolean {
    checkRecord(record);
    const { partitionKey, data } = record;
    checkPartitionKey(partitionKey);
    checkData(data);
    const tags = checkTags(record.tags);
    const explicitHashKey =
      record.explicitHashKey === undefined ? undefined : parseExplicitHashKey(record.explicitHashKey).toString();

    const dataBytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    const keys = this.#keys;
    keys.lookUp(partitionKey);
    let tableBytes = keys.growthBytes;
    let innerBytes = 1 + varintBytes(keys.index) + lengthDelimitedBytes(dataBytes) + tagsBytes(tags);
    let hashKeys: KeyTable | undefined;
    if (explicitHashKey !== undefined) {
      hashKeys = this.#hashKeys ??= new KeyTable(tagBytes.explicitHashKeyTable);
      hashKeys.lookUp(explicitHashKey);
      tableBytes += hashKeys.growthBytes;
      innerBytes += 1 + varintBytes(hashKeys.index);
    }
    const recordBytes = lengthDelimitedBytes(innerBytes);
    const wrappedBytes = this.#wrappedBytes + tableBytes + recordBytes;

    if (this.#first === undefined) {
      const soleBytes = (tags === undefined ? dataBytes : wrappedBytes) + Buffer.byteLength(partitionKey);
      if (soleBytes > MAX_RECORD_BYTES) {
        throw new InvalidRecordError({ path: "data", got: soleBytes, expected: tooLargeText });
      }
      this.#first = { partitionKey, explicitHashKey, dataBytes, isTagged: tags !== undefined };
    } else if (wrappedBytes > this.#maxBytes) {
      return false;
    }

    const records = this.#records;
    records.reserve(recordBytes);
    records.writeField(tagBytes.records, innerBytes);
    records.writeField(tagBytes.recordPartitionKeyIndex, keys.index);
    keys.keep();
    if (hashKeys !== undefined) {
      records.writeField(tagBytes.recordExplicitHashKeyIndex, hashKeys.index);
      hashKeys.keep();
    }
    records.writeContent(tagBytes.recordData, data, dataBytes);
    if (tags !== undefined) writeTags(records, tags);
    this.#wrappedBytes = wrappedBytes;
    this.#count++;
    return true;
  }

  /**
   * What goes into the PutRecords entry: a single record without tags as it is, with its own key; anything else wrapped,
   * from two records on under the partition key `a`. The hash key is that of the first record. Changes nothing: more may
   * be added and built afterwards.
   *
   * With `seal: false` an aggregate's digest is left out, for `sealAggregates` to put in together with those of others. With
   * `wrap` a single record without tags is wrapped too.
   * @throws {InvalidRecordError} when nothing was added.
   */
  build(options: { readonly seal?: boolean | undefined; readonly wrap?: boolean | undefined } = {}): AggregatedRecord {
    const first = this.#first;
    if (first === undefined) {
      throw new InvalidRecordError({ path: "count", got: 0, expected: "at least one record added before build()" });
    }
    const isWrapped = this.#isWrapped || options.wrap === true;
    const isUnsealed = options.seal === false && isWrapped;
    return {
      data: isWrapped ? this.#wrap(isUnsealed) : this.#soleData(first.dataBytes),
      partitionKey: this.#count === 1 ? first.partitionKey : AGGREGATE_PARTITION_KEY,
      explicitHashKey: first.explicitHashKey ?? partitionKeyHash(first.partitionKey).toString(),
      count: this.#count,
      ...(isUnsealed && { isUnsealed }),
    };
  }

  /**
   * Forgets all records, so that the next aggregate can be put together in the same memory. `maxBytes` is from then on
   * what the constructor's is.
   * @default the bound that it has
   * @throws {InvalidRecordError} when it is out of range; nothing is forgotten then.
   */
  reset(options: { readonly maxBytes?: number | undefined } = {}): void {
    if (options.maxBytes !== undefined) this.#maxBytes = checkMaxBytes(options.maxBytes);
    this.#keys.clear();
    this.#hashKeys?.clear();
    this.#records.clear();
    this.#first = undefined;
    this.#count = 0;
    this.#wrappedBytes = FRAME_BYTES;
  }

  /** Exact bytes of the data that `build` would return now; 0 while empty. */
  get sizeBytes(): number {
    return this.#isWrapped ? this.#wrappedBytes : (this.#first?.dataBytes ?? 0);
  }

  /** User records added. */
  get count(): number {
    return this.#count;
  }

  get #isWrapped(): boolean {
    return this.#count > 1 || this.#first?.isTagged === true;
  }

  /** The data of the only record, which has no tags and therefore stands last. */
  #soleData(dataBytes: number): Buffer {
    const { bytes, length } = this.#records;
    return Buffer.from(bytes.subarray(length - dataBytes, length));
  }

  #wrap(isUnsealed: boolean): Buffer {
    const blob = Buffer.allocUnsafe(this.#wrappedBytes);
    blob.set(MAGIC, 0);
    let at = MAGIC.length;
    for (const region of [this.#keys.region, this.#hashKeys?.region, this.#records]) {
      if (region !== undefined) at += region.bytes.copy(blob, at, 0, region.length);
    }
    if (!isUnsealed) writeDigest(blob, MAGIC.length, at, blob, at);
    if (at + DIGEST_BYTES !== blob.length) throw new Error("The size kept by Aggregator differs from what it wrote.");
    return blob;
  }
}

/**
 * Puts in the digests of aggregates that were built with `seal: false`; others are left as they are. Eight at a time cost a
 * third of what each costs alone.
 */
export function sealAggregates(records: readonly AggregatedRecord[]): void {
  const unsealed = records.filter((record) => record.isUnsealed === true);
  const digests = md5OfMany(unsealed.map(({ data }) => data.subarray(MAGIC.length, data.byteLength - DIGEST_BYTES)));
  for (const [index, record] of unsealed.entries()) {
    const { data } = record;
    data.set(digests.subarray(DIGEST_BYTES * index, DIGEST_BYTES * (index + 1)), data.byteLength - DIGEST_BYTES);
    (record as { isUnsealed?: boolean }).isUnsealed = false;
  }
}

function checkMaxBytes(maxBytes: number): number {
  if (Number.isInteger(maxBytes) && maxBytes >= 1 && maxBytes < MAX_RECORD_BYTES) return maxBytes;
  throw new InvalidRecordError({
    path: "maxBytes",
    got: maxBytes,
    expected: `an integer from 1 to ${MAX_RECORD_BYTES - 1}`,
  });
}

const tooLargeText = `at most ${MAX_RECORD_BYTES} bytes with the partition key`;

function writeTags(records: ByteRegion, tags: [key: string, value: string][]): void {
  for (const [key, value] of tags) {
    records.writeField(tagBytes.recordTags, tagContentBytes(key, value));
    records.writeContent(tagBytes.tagKey, key, Buffer.byteLength(key));
    records.writeContent(tagBytes.tagValue, value, Buffer.byteLength(value));
  }
}
