/** Pure. The bytes that a user record takes, before it is packed. */
import { FRAME_BYTES, lengthDelimitedBytes } from "./format.ts";
import { parseExplicitHashKey } from "./hash-key.ts";
import { checkData, checkPartitionKey, checkRecord, checkTags } from "./record.ts";
import type { UserRecord } from "./record.ts";

/**
 * Bytes of a user record as a Kinesis record of its own, its partition key included: what the service holds against the
 * stream's record size. With tags it is wrapped, and the wrapping counts.
 * @throws {InvalidRecordError} naming the field that is bad.
 */
export function kinesisRecordBytes(record: UserRecord): number {
  checkRecord(record);
  const { partitionKey, data, explicitHashKey } = record;
  checkPartitionKey(partitionKey);
  checkData(data);
  const tags = checkTags(record.tags);
  const keyBytes = Buffer.byteLength(partitionKey);
  const dataBytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
  if (tags === undefined) return keyBytes + dataBytes;
  // The index of the only entry of a table takes a byte, as does its field's tag.
  let recordBytes = 2 + lengthDelimitedBytes(dataBytes) + tagsBytes(tags);
  let tableBytes = lengthDelimitedBytes(keyBytes);
  if (explicitHashKey !== undefined) {
    recordBytes += 2;
    tableBytes += lengthDelimitedBytes(parseExplicitHashKey(explicitHashKey).toString().length);
  }
  return keyBytes + FRAME_BYTES + tableBytes + lengthDelimitedBytes(recordBytes);
}

/** Bytes of one tag's content. */
export function tagContentBytes(key: string, value: string): number {
  return lengthDelimitedBytes(Buffer.byteLength(key)) + lengthDelimitedBytes(Buffer.byteLength(value));
}

/** Bytes of all tags of a record. */
export function tagsBytes(tags: readonly [key: string, value: string][] | undefined): number {
  if (tags === undefined) return 0;
  return tags.reduce((total, [key, value]) => total + lengthDelimitedBytes(tagContentBytes(key, value)), 0);
}
