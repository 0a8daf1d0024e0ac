/**
 * Pure. Writes requests in `application/x-amz-cbor-1.1`, which the AWS SDK for Java speaks with Kinesis: no base64.
 *
 * Source: RFC 8949; the grammar stands in `wire-cbor.ts`, which reads what is written here.
 */
import type { PutRecordsInput } from "@aws-sdk/client-kinesis";

// Major types.
export const majorUnsigned = 0;
export const majorNegative = 1;
export const majorBytes = 2;
export const majorText = 3;
export const majorArray = 4;
export const majorMap = 5;

/** What this file writes. */
export type CborValue = string | number | boolean | null | Uint8Array | readonly CborValue[] | CborMap;
export interface CborMap {
  readonly [name: string]: CborValue | undefined;
}

/** Longest text that is written character by character. */
const shortCharacters = 64;

const recordsName = encodeCbor("Records");
const dataName = encodeCbor("Data");
const keyName = encodeCbor("PartitionKey");
const hashKeyName = encodeCbor("ExplicitHashKey");

/** The body of a PutRecords request: what `encodeCbor` would write, without looking at every record's fields twice. */
export function encodePutRecordsCbor(input: PutRecordsInput): Buffer {
  const { Records: records = [], ...stream } = input;
  const rest = fieldsOf(stream as CborMap).filter(([name]) => name !== "Records");
  let bytes = 16 + recordsName.length;
  for (const [name, field] of rest) bytes += encodedBytes(name) + encodedBytes(field);
  for (const { Data, PartitionKey = "", ExplicitHashKey = "" } of records) {
    // The heads of a map and three values take at most 1 and 9 bytes; a key's characters at most 3 each.
    bytes += 64 + (Data?.byteLength ?? 0) + 3 * PartitionKey.length + 3 * ExplicitHashKey.length;
  }
  const writer = { bytes: Buffer.allocUnsafe(bytes), at: 0 };
  writeHead(writer, majorMap, rest.length + 1);
  for (const [name, field] of rest) {
    write(writer, name);
    write(writer, field);
  }
  writeRaw(writer, recordsName);
  writeHead(writer, majorArray, records.length);
  for (const { Data, PartitionKey, ExplicitHashKey } of records) {
    writeHead(writer, majorMap, ExplicitHashKey === undefined ? 2 : 3);
    writeRaw(writer, dataName);
    write(writer, Data ?? new Uint8Array());
    writeRaw(writer, keyName);
    write(writer, PartitionKey ?? "");
    if (ExplicitHashKey === undefined) continue;
    writeRaw(writer, hashKeyName);
    write(writer, ExplicitHashKey);
  }
  return writer.bytes.subarray(0, writer.at);
}

function writeRaw(writer: Writer, raw: Buffer): void {
  writer.bytes.set(raw, writer.at);
  writer.at += raw.length;
}

/** Any value of the kinds that requests have; fields that are undefined are left out. */
export function encodeCbor(value: CborValue): Buffer {
  const writer = { bytes: Buffer.allocUnsafe(encodedBytes(value)), at: 0 };
  write(writer, value);
  return writer.bytes;
}

interface Writer {
  readonly bytes: Buffer;
  at: number;
}

export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value);
}

function fieldsOf(value: CborMap): [string, CborValue][] {
  return Object.entries(value).filter((field): field is [string, CborValue] => field[1] !== undefined);
}

function headBytes(argument: number): number {
  return argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x1_0000 ? 3 : argument < 0x1_0000_0000 ? 5 : 9;
}

function encodedBytes(value: CborValue): number {
  if (typeof value === "string") {
    const bytes = Buffer.byteLength(value);
    return headBytes(bytes) + bytes;
  }
  if (typeof value === "number") return Number.isSafeInteger(value) ? headBytes(value < 0 ? -1 - value : value) : 9;
  if (typeof value === "boolean" || value === null) return 1;
  if (isBytes(value)) return headBytes(value.byteLength) + value.byteLength;
  if (Array.isArray(value)) {
    return (value as readonly CborValue[]).reduce<number>(
      (sum, item) => sum + encodedBytes(item),
      headBytes(value.length),
    );
  }
  const fields = fieldsOf(value as CborMap);
  return fields.reduce(
    (sum, [name, field]) => sum + encodedBytes(name) + encodedBytes(field),
    headBytes(fields.length),
  );
}

function writeHead(writer: Writer, major: number, argument: number): void {
  const { bytes } = writer;
  const type = major << 5;
  if (argument < 24) {
    writer.at = bytes.writeUInt8(type | argument, writer.at);
  } else if (argument < 0x100) {
    writer.at = bytes.writeUInt8(argument, bytes.writeUInt8(type | 24, writer.at));
  } else if (argument < 0x1_0000) {
    writer.at = bytes.writeUInt16BE(argument, bytes.writeUInt8(type | 25, writer.at));
  } else if (argument < 0x1_0000_0000) {
    writer.at = bytes.writeUInt32BE(argument, bytes.writeUInt8(type | 26, writer.at));
  } else {
    writer.at = bytes.writeBigUInt64BE(BigInt(argument), bytes.writeUInt8(type | 27, writer.at));
  }
}

/** Writes a text whose length stands in its head, unless it is not ASCII: for a key, a quarter of what calls cost. */
function writeShortAscii(writer: Writer, text: string): boolean {
  const { bytes } = writer;
  let { at } = writer;
  if (text.length >= 24) bytes[at++] = (majorText << 5) | 24;
  bytes[at++] = text.length < 24 ? (majorText << 5) | text.length : text.length;
  let seen = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    seen |= code;
    bytes[at++] = code;
  }
  if (seen > 0x7f) return false;
  writer.at = at;
  return true;
}

function write(writer: Writer, value: CborValue): void {
  const { bytes } = writer;
  if (typeof value === "string") {
    if (value.length <= shortCharacters && writeShortAscii(writer, value)) return;
    writeHead(writer, majorText, Buffer.byteLength(value));
    writer.at += bytes.write(value, writer.at, "utf8");
  } else if (typeof value === "number") {
    if (Number.isSafeInteger(value)) {
      writeHead(writer, value < 0 ? majorNegative : majorUnsigned, value < 0 ? -1 - value : value);
    } else {
      writer.at = bytes.writeDoubleBE(value, bytes.writeUInt8(0xfb, writer.at));
    }
  } else if (typeof value === "boolean") {
    writer.at = bytes.writeUInt8(value ? 0xf5 : 0xf4, writer.at);
  } else if (value === null) {
    writer.at = bytes.writeUInt8(0xf6, writer.at);
  } else if (isBytes(value)) {
    writeHead(writer, majorBytes, value.byteLength);
    bytes.set(value, writer.at);
    writer.at += value.byteLength;
  } else if (Array.isArray(value)) {
    writeHead(writer, majorArray, value.length);
    for (const item of value as readonly CborValue[]) write(writer, item);
  } else {
    const fields = fieldsOf(value as CborMap);
    writeHead(writer, majorMap, fields.length);
    for (const [name, field] of fields) {
      write(writer, name);
      write(writer, field);
    }
  }
}
