/**
 * Pure. The same payloads in `application/x-amz-cbor-1.1`, which the AWS SDK for Java speaks with Kinesis: no base64.
 *
 * Source: RFC 8949. Of it the service uses maps, arrays, text, byte strings, integers, floats, true, false, null and
 * tag 1 (a time, here in milliseconds, not in seconds as in JSON).
 *
 *     item   = head [payload]
 *     head   = major type (3 bits) | argument (5 bits: 0-23 itself, 24-27 in 1, 2, 4, 8 bytes, 31 indefinite)
 *     major  = 0 unsigned | 1 negative | 2 bytes | 3 text | 4 array | 5 map | 6 tag | 7 simple, float, break
 */
import type { PutRecordsInput } from "@aws-sdk/client-kinesis";

const majorUnsigned = 0;
const majorNegative = 1;
const majorBytes = 2;
const majorText = 3;
const majorArray = 4;
const majorMap = 5;
const indefinite = 31;
/** Answers are four levels deep; a hostile one must not exhaust the stack. */
const maxDepth = 64;

/** What this file writes. */
export type CborValue = string | number | boolean | null | Uint8Array | readonly CborValue[] | CborMap;
export interface CborMap {
  readonly [name: string]: CborValue | undefined;
}

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

function isBytes(value: unknown): value is Uint8Array {
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

function write(writer: Writer, value: CborValue): void {
  const { bytes } = writer;
  if (typeof value === "string") {
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

/** One value that fills `bytes`. @throws {SyntaxError} when it is cut off, too deep, or not what the service writes. */
export function decodeCbor(bytes: Buffer): unknown {
  const reader = new Reader(bytes);
  const value = reader.read(0);
  if (!reader.isAtEnd) throw new SyntaxError("CBOR: bytes follow the value.");
  return value;
}

const breakMark = Symbol("break");

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  read(depth: number): unknown {
    const value = this.#item(depth);
    if (value === breakMark) throw new SyntaxError("CBOR: a break where a value should be.");
    return value;
  }

  #item(depth: number): unknown {
    if (depth > maxDepth) throw new SyntaxError("CBOR: nested too deeply.");
    const initial = this.#bytes.readUInt8(this.#skip(1));
    const major = initial >> 5;
    const low = initial & 0x1f;
    if (major === 7) return this.#simple(low);
    if (low === indefinite) return this.#indefinite(major, depth);
    const argument = this.#argument(low);
    switch (major) {
      case majorUnsigned:
        return argument;
      case majorNegative:
        return -1 - argument;
      case majorBytes:
        return this.#bytes.subarray(this.#skip(argument), this.#at);
      case majorText:
        return this.#bytes.toString("utf8", this.#skip(argument), this.#at);
      case majorArray:
        return this.#array(argument, depth);
      case majorMap:
        return this.#map(argument, depth);
      // Major type 6, a tag: only that of a time means anything here.
      default: {
        const value = this.read(depth + 1);
        return argument === 1 && typeof value === "number" ? new Date(value) : value;
      }
    }
  }

  /** Moves past `count` bytes and gives the place of the first. */
  #skip(count: number): number {
    if (count > this.#bytes.length - this.#at) throw new SyntaxError("CBOR: cut off.");
    const start = this.#at;
    this.#at += count;
    return start;
  }

  #argument(low: number): number {
    if (low < 24) return low;
    if (low === 24) return this.#bytes.readUInt8(this.#skip(1));
    if (low === 25) return this.#bytes.readUInt16BE(this.#skip(2));
    if (low === 26) return this.#bytes.readUInt32BE(this.#skip(4));
    if (low === 27) return Number(this.#bytes.readBigUInt64BE(this.#skip(8)));
    throw new SyntaxError("CBOR: a reserved argument.");
  }

  #simple(low: number): unknown {
    if (low === 20 || low === 21) return low === 21;
    if (low === 22) return null;
    if (low === 23) return undefined;
    if (low === 26) return this.#bytes.readFloatBE(this.#skip(4));
    if (low === 27) return this.#bytes.readDoubleBE(this.#skip(8));
    if (low === indefinite) return breakMark;
    throw new SyntaxError("CBOR: a simple value that the service does not write.");
  }

  #array(count: number, depth: number): unknown[] {
    const items: unknown[] = [];
    for (let index = 0; index < count; index++) items.push(this.read(depth + 1));
    return items;
  }

  #map(count: number, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) setField(map, this.read(depth + 1), this.read(depth + 1));
    return map;
  }

  #indefinite(major: number, depth: number): unknown {
    const items: unknown[] = [];
    for (let item = this.#item(depth + 1); item !== breakMark; item = this.#item(depth + 1)) items.push(item);
    if (major === majorArray) return items;
    if (major === majorBytes) return Buffer.concat(items.filter(isBytes));
    if (major === majorText) return items.join("");
    if (major !== majorMap) throw new SyntaxError("CBOR: an item that cannot be of indefinite length.");
    const map: Record<string, unknown> = {};
    for (let index = 0; index + 1 < items.length; index += 2) setField(map, items[index], items[index + 1]);
    return map;
  }
}

function setField(map: Record<string, unknown>, name: unknown, value: unknown): void {
  if (typeof name !== "string") throw new SyntaxError("CBOR: a field's name is not text.");
  // Assigning "__proto__" would change the map's prototype.
  if (name === "__proto__") return;
  map[name] = value;
}
