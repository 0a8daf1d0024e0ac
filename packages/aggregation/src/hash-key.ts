/**
 * Pure. Hash keys: where in the range of 0 to 2^128 - 1 a record belongs, which decides its shard.
 *
 * Source: Kinesis API reference, PutRecords, PartitionKey and ExplicitHashKey.
 */
import { hash } from "node:crypto";
import { InvalidRecordError } from "./errors.ts";
import { md5OfShortAscii } from "./md5.ts";
import { checkRecord } from "./record.ts";
import type { UserRecord } from "./record.ts";

/** The largest hash key, 2^128 - 1. Source: Kinesis API reference, HashKeyRange. */
export const MAX_HASH_KEY = 2n ** 128n - 1n;

const decimal = /^\+?0*(\d{1,39})$/;

/**
 * The hash key that Kinesis gives a partition key: the MD5 digest of its UTF-8 bytes as a big-endian number. A lone
 * surrogate, which has no UTF-8 form, counts as U+FFFD.
 * @throws {InvalidRecordError} when it is no string.
 */
export function partitionKeyHash(partitionKey: string): bigint {
  checkText(partitionKey);
  const digest = md5OfShortAscii(partitionKey);
  if (digest === undefined) return BigInt(`0x${hash("md5", partitionKey, "hex")}`);
  halves[0] = highBits(digest[1]);
  halves[1] = highBits(digest[0]);
  halves[2] = highBits(digest[3]);
  halves[3] = highBits(digest[2]);
  return ((wide[0] ?? 0n) << 64n) | (wide[1] ?? 0n);
}

/** What is hashed need not be a key that Kinesis accepts: readers hash what others wrote. */
function checkText(partitionKey: unknown): asserts partitionKey is string {
  if (typeof partitionKey === "string") return;
  throw new InvalidRecordError({ path: "partitionKey", got: partitionKey, expected: "a string" });
}

// Two 64-bit numbers and their halves, low one first: making a BigInt of four words by shifts takes twice as long.
const wide = new BigUint64Array(2);
const halves = new Uint32Array(wide.buffer);

/** A little-endian word of a digest as the big-endian number that it stands for. */
function highBits(word: number | undefined): number {
  const value = word ?? 0;
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/**
 * The highest 32 of the 128 bits of a user record's hash key, as a number of 0 to 2^32 - 1.
 *
 * Meant for finding a shard without a BigInt per record: search the shards' ending hash keys by their own highest 32 bits,
 * and take `userRecordHash` only when they are equal to the record's.
 * @throws {InvalidRecordError} when the explicit hash key is no number of 0 to 2^128 - 1.
 */
export function hashKeyTop32(record: Pick<UserRecord, "partitionKey" | "explicitHashKey">): number {
  checkRecord(record);
  if (record.explicitHashKey === undefined) {
    checkText(record.partitionKey);
    const digest = md5OfShortAscii(record.partitionKey);
    if (digest !== undefined) return highBits(digest[0]);
    return Number.parseInt(hash("md5", record.partitionKey, "hex").slice(0, 8), 16);
  }
  return Number(parseExplicitHashKey(record.explicitHashKey) >> 96n);
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
  checkRecord(record);
  return record.explicitHashKey === undefined
    ? partitionKeyHash(record.partitionKey)
    : parseExplicitHashKey(record.explicitHashKey);
}
