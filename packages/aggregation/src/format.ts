/**
 * Pure. The frame of an aggregate and the sizes of what stands in it.
 *
 *     aggregate = magic (4 bytes) , AggregatedRecord (protobuf) , MD5 of the protobuf bytes (16 bytes)
 *
 * Source: awslabs/amazon-kinesis-producer, aggregation-format.md; the message is `aggregated-record.proto`.
 */
import { hash } from "node:crypto";

/** The first four bytes of every aggregate. */
export const MAGIC = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2);
/** Bytes of the digest at the end. */
export const DIGEST_BYTES = 16;
/** Bytes that frame the protobuf message: magic and digest. */
export const FRAME_BYTES = MAGIC.length + DIGEST_BYTES;

/** Tag bytes, field number and wire type, of the messages in `aggregated-record.proto`. */
export const tagBytes = {
  partitionKeyTable: 0x0a,
  explicitHashKeyTable: 0x12,
  records: 0x1a,
  recordPartitionKeyIndex: 0x08,
  recordExplicitHashKeyIndex: 0x10,
  recordData: 0x1a,
  recordTags: 0x22,
  tagKey: 0x0a,
  tagValue: 0x12,
} as const;

/** Bytes that `value` takes as a protobuf varint. A whole number below 2^31. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Bytes that a field of `length` content bytes takes with its tag and its length. */
export function lengthDelimitedBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

/** Writes the MD5 of `bytes[start, end)` to `target` at `at`. */
export function writeDigest(bytes: Buffer, start: number, end: number, target: Buffer, at: number): void {
  // Text out of crypto.hash costs less than a Buffer out of it.
  target.write(hash("md5", bytes.subarray(start, end), "hex"), at, DIGEST_BYTES, "hex");
}

/** True when `bytes` begin like an aggregate and are long enough to hold one. Says nothing of the digest. */
export function isFramed(bytes: Uint8Array): boolean {
  return (
    bytes.length > FRAME_BYTES &&
    bytes[0] === MAGIC[0] &&
    bytes[1] === MAGIC[1] &&
    bytes[2] === MAGIC[2] &&
    bytes[3] === MAGIC[3]
  );
}

/** True when the last 16 of the framed `bytes` are the MD5 of what stands between them and the magic. */
export function isDigestRight(bytes: Buffer): boolean {
  const end = bytes.length - DIGEST_BYTES;
  return hash("md5", bytes.subarray(MAGIC.length, end), "hex") === bytes.toString("hex", end);
}
