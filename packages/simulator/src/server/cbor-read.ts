/**
 * Pure. Reads one CBOR value (RFC 8949), as bodies of `application/x-amz-cbor-1.1` hold it.
 *
 * Strict where a body could do harm: nothing is allocated on the word of a length that the body does not have, depth
 * is bounded, text must be UTF-8, nothing may follow the value.
 *
 *     head  = major(3 bits) info(5 bits) argument(0, 1, 2, 4 or 8 bytes by info 0-23, 24, 25, 26, 27)
 *     major = 0 unsigned, 1 negative, 2 bytes, 3 text, 4 array, 5 map, 6 tag, 7 simple and floats
 *     info 31 = indefinite length for majors 2 to 5, ended by 0xff: the AWS SDK for Java writes maps and arrays so
 *     tag 1 = a timestamp: here milliseconds since 1970, where RFC 8949 has seconds
 */
import { UnreadableInput } from "./read-input.ts";

/** Deeper than any action's input; stops a body of opening brackets from exhausting the stack. */
const maxDepth = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What ends an indefinite length: never a value of its own. */
const breakMark = Symbol("break");

interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
}

/**
 * The value in `bytes`. Blobs are views of `bytes`, not copies; maps have no prototype.
 * @throws {UnreadableInput} when the bytes are not exactly one well-formed value.
 */
export function readCbor(bytes: Uint8Array): unknown {
  const cursor: Cursor = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0 };
  const value = readItem(cursor, 0);
  if (value === breakMark) throw new UnreadableInput("CBOR break found where not expected");
  if (cursor.at !== bytes.length) throw new UnreadableInput("CBOR value is followed by more bytes");
  return value;
}

function readItem(cursor: Cursor, depth: number): unknown {
  if (depth > maxDepth) throw new UnreadableInput("CBOR value is nested too deep");
  const first = readByte(cursor);
  const major = first >> 5;
  const info = first & 0x1f;
  if (major === 7) return readSimple(cursor, info);
  if (info === 31) return readIndefinite(cursor, major, depth);
  const argument = readArgument(cursor, info);
  switch (major) {
    case 0:
      return argument;
    case 1:
      return -1 - argument;
    case 2:
      return take(cursor, argument);
    case 3:
      return decodeText(take(cursor, argument));
    case 4:
      return readArray(cursor, argument, depth);
    case 5:
      return readMap(cursor, argument, depth);
    default:
      return readTagged(cursor, argument, depth);
  }
}

function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw new UnreadableInput("CBOR value ends early");
  cursor.at++;
  return byte;
}

/** Moves over `length` bytes and says where they began. */
function advance(cursor: Cursor, length: number): number {
  const start = cursor.at;
  if (length > cursor.bytes.length - start) throw new UnreadableInput("CBOR value ends early");
  cursor.at = start + length;
  return start;
}

function take(cursor: Cursor, length: number): Uint8Array {
  const start = advance(cursor, length);
  return cursor.bytes.subarray(start, start + length);
}

function readArgument(cursor: Cursor, info: number): number {
  if (info < 24) return info;
  switch (info) {
    case 24:
      return readByte(cursor);
    case 25:
      return cursor.view.getUint16(advance(cursor, 2));
    case 26:
      return cursor.view.getUint32(advance(cursor, 4));
    case 27: {
      const wide = cursor.view.getBigUint64(advance(cursor, 8));
      if (wide > BigInt(Number.MAX_SAFE_INTEGER)) throw new UnreadableInput("CBOR integer is out of range");
      return Number(wide);
    }
    default:
      throw new UnreadableInput("CBOR head is reserved");
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new UnreadableInput("CBOR text is not UTF-8");
  }
}

function readArray(cursor: Cursor, count: number, depth: number): unknown[] {
  // Each member is at least a byte, so a count past the rest of the body is a lie told early.
  if (count > cursor.bytes.length - cursor.at) throw new UnreadableInput("CBOR value ends early");
  const members: unknown[] = [];
  for (let index = 0; index < count; index++) members.push(readValue(cursor, depth));
  return members;
}

function readMap(cursor: Cursor, count: number, depth: number): Record<string, unknown> {
  if (count > (cursor.bytes.length - cursor.at) / 2) throw new UnreadableInput("CBOR value ends early");
  const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (let index = 0; index < count; index++) map[readKey(readItem(cursor, depth + 1))] = readValue(cursor, depth);
  return map;
}

/** A value inside a container, where a break may not stand. */
function readValue(cursor: Cursor, depth: number): unknown {
  const value = readItem(cursor, depth + 1);
  if (value === breakMark) throw new UnreadableInput("CBOR break found where not expected");
  return value;
}

function readKey(key: unknown): string {
  if (typeof key !== "string") throw new UnreadableInput("CBOR map key is not text");
  return key;
}

function readIndefinite(cursor: Cursor, major: number, depth: number): unknown {
  switch (major) {
    case 2:
      return Buffer.concat(readChunks(cursor, 2));
    case 3:
      // Every chunk of a text is text of its own: a character may not be split over two.
      return readChunks(cursor, 3).map(decodeText).join("");
    case 4: {
      const members: unknown[] = [];
      for (;;) {
        const member = readItem(cursor, depth + 1);
        if (member === breakMark) return members;
        members.push(member);
      }
    }
    case 5: {
      const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
      for (;;) {
        const key = readItem(cursor, depth + 1);
        if (key === breakMark) return map;
        map[readKey(key)] = readValue(cursor, depth);
      }
    }
    default:
      throw new UnreadableInput("CBOR head is reserved");
  }
}

function readChunks(cursor: Cursor, major: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const first = readByte(cursor);
    if (first === 0xff) return chunks;
    if (first >> 5 !== major || (first & 0x1f) === 31) throw new UnreadableInput("CBOR chunk is of another type");
    chunks.push(take(cursor, readArgument(cursor, first & 0x1f)));
  }
}

function readTagged(cursor: Cursor, tag: number, depth: number): unknown {
  const value = readValue(cursor, depth);
  if (tag !== 1) throw new UnreadableInput("CBOR tag is not known");
  if (typeof value !== "number") throw new UnreadableInput("CBOR timestamp is not a number");
  const date = new Date(Math.round(value));
  if (Number.isNaN(date.getTime())) throw new UnreadableInput("Timestamp out of range");
  return date;
}

function readSimple(cursor: Cursor, info: number): unknown {
  switch (info) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
      return null;
    case 23:
      return undefined;
    case 25:
      return halfFloat(cursor.view.getUint16(advance(cursor, 2)));
    case 26:
      return cursor.view.getFloat32(advance(cursor, 4));
    case 27:
      return cursor.view.getFloat64(advance(cursor, 8));
    case 31:
      return breakMark;
    default:
      throw new UnreadableInput("CBOR simple value is not known");
  }
}

/** Node 22 has no `DataView.getFloat16`. Source of the formula: RFC 8949, appendix D. */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent < 31
        ? (fraction + 1024) * 2 ** (exponent - 25)
        : fraction === 0
          ? Infinity
          : NaN;
  return bits & 0x8000 ? -size : size;
}
