/**
 * Pure. Hash keys: where in the range of 0 to 2^128 - 1 a record belongs, which decides its shard.
 *
 * Source: Kinesis API reference, PutRecords, PartitionKey and ExplicitHashKey.
 */
import { hash } from "node:crypto";
import { InvalidRecordError } from "./errors.ts";
import type { UserRecord } from "./record.ts";

/** The largest hash key, 2^128 - 1. Source: Kinesis API reference, HashKeyRange. */
export const MAX_HASH_KEY = 2n ** 128n - 1n;

const decimal = /^\+?0*(\d{1,39})$/;

/** The hash key that Kinesis gives a partition key: the MD5 digest of its UTF-8 bytes as a big-endian number. */
export function partitionKeyHash(partitionKey: string): bigint {
  return BigInt(`0x${hash("md5", partitionKey, "hex")}`);
}

/**
 * An explicit hash key as a number. Text must be a decimal number; blanks around it, a plus sign and leading zeros vanish.
 * @throws {InvalidRecordError} when it is no such number or not of 0 to 2^128 - 1.
 */
export function parseExplicitHashKey(value: bigint | string): bigint {
  const parsed = hashKeyOrUndefined(value);
  if (parsed !== undefined) return parsed;
  throw new InvalidRecordError({
    path: "explicitHashKey",
    got: value,
    expected: "a whole number from 0 to 2^128 - 1, as a bigint or in decimal digits",
  });
}

/** Like `parseExplicitHashKey`, for text of others: undefined where it is no hash key. */
export function hashKeyOrUndefined(value: unknown): bigint | undefined {
  let parsed: bigint | undefined;
  if (typeof value === "bigint") parsed = value;
  // The digits are limited before they are converted: converting a megabyte of digits takes seconds.
  else if (typeof value === "string") {
    const digits = decimal.exec(value.trim())?.[1];
    if (digits !== undefined) parsed = BigInt(digits);
  }
  return parsed !== undefined && parsed >= 0n && parsed <= MAX_HASH_KEY ? parsed : undefined;
}

/**
 * The hash key of a user record: its explicit hash key where it has one, else the hash of its partition key.
 * @throws {InvalidRecordError} when the explicit hash key is no number of 0 to 2^128 - 1.
 */
export function userRecordHash(record: Pick<UserRecord, "partitionKey" | "explicitHashKey">): bigint {
  return record.explicitHashKey === undefined
    ? partitionKeyHash(record.partitionKey)
    : parseExplicitHashKey(record.explicitHashKey);
}
