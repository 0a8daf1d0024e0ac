/**
 * Pure. Which place on the ring of 2^128 hash keys a record has, as 32 hexadecimal digits, whose text order is their
 * order as numbers.
 *
 * Source: PutRecord, "MD5 hash function is used to map partition keys to 128-bit integer values". Written apart from
 * the aggregation package on purpose: one mistake must not stand on both sides.
 */
import { hash } from "node:crypto";
import { ServiceError } from "./service-error.ts";

export const maxHashKey = 2n ** 128n - 1n;

/** The place of a partition key: MD5 of its UTF-8 bytes, big-endian. */
export function hashPartitionKey(partitionKey: string): string {
  return hash("md5", partitionKey, "hex");
}

/**
 * The place that an explicit hash key names.
 * @throws {ServiceError} InvalidArgumentException past 2^128 - 1.
 */
export function parseHashKey(text: string, member: string): string {
  const value = BigInt(text);
  if (value > maxHashKey) {
    throw new ServiceError(
      "InvalidArgumentException",
      `Invalid ${member} ${text}: it is not within the range of 0 to 2^128 - 1.`,
    );
  }
  return toHex(value);
}

export function toHex(hashKey: bigint): string {
  return hashKey.toString(16).padStart(32, "0");
}

/**
 * The ranges of a new stream's shards: equal parts, the last one taking the rest.
 * Source: what CreateStream gives; for two shards the first one ends at 2^127 - 1.
 */
export function equalRanges(shardCount: number): { readonly start: bigint; readonly end: bigint }[] {
  const width = (maxHashKey + 1n) / BigInt(shardCount);
  return Array.from({ length: shardCount }, (_, index) => ({
    start: BigInt(index) * width,
    end: index === shardCount - 1 ? maxHashKey : BigInt(index + 1) * width - 1n,
  }));
}
