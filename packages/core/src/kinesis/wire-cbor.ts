/**
 * Pure. Reads answers in `application/x-amz-cbor-1.1`, which the AWS SDK for Java speaks with Kinesis: no base64.
 *
 * Source: RFC 8949. Of it the service uses maps, arrays, text, byte strings, integers, floats, true, false, null and
 * tag 1 (a time, here in milliseconds, not in seconds as in JSON).
 *
 *     item   = head [payload]
 *     head   = major type (3 bits) | argument (5 bits: 0-23 itself, 24-27 in 1, 2, 4, 8 bytes, 31 indefinite)
 *     major  = 0 unsigned | 1 negative | 2 bytes | 3 text | 4 array | 5 map | 6 tag | 7 simple, float, break
 */
import { isBytes, majorArray, majorBytes, majorMap, majorNegative, majorText, majorUnsigned } from "./cbor-write.ts";

const indefinite = 31;
/** Answers are four levels deep; a hostile one must not exhaust the stack. */
const maxDepth = 64;

/** One value that fills `bytes`. @throws {SyntaxError} when it is cut off, too deep, or not what the service writes. */
export function decodeCbor(bytes: Buffer): unknown {
  const reader = new Reader(bytes);
  const value = reader.read(0);
  if (!reader.isAtEnd) throw new SyntaxError("CBOR: bytes follow the value.");
  return value;
}

const breakMark = Symbol("break");

/** Enough for every name in an answer. */
const maxNames = 16;

/** Whether ASCII `text` stands in `bytes` at `start`; behind their end nothing does. */
function isTextAt(text: string, bytes: Buffer, start: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

class Reader {
  readonly #bytes: Buffer;
  readonly #names: string[] = [];
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
    for (let index = 0; index < count; index++) setField(map, this.#name(depth), this.read(depth + 1));
    return map;
  }

  /** A field's name. Those of the last record's fields come again: comparing bytes costs less than making text of them. */
  #name(depth: number): unknown {
    const bytes = this.#bytes;
    const head = bytes[this.#at] ?? 0;
    const length = head & 0x1f;
    if (head >> 5 !== majorText || length >= 24) return this.read(depth + 1);
    const start = this.#at + 1;
    for (const known of this.#names) {
      if (known.length === length && isTextAt(known, bytes, start)) {
        this.#at = start + length;
        return known;
      }
    }
    const name = this.read(depth + 1);
    if (this.#names.length < maxNames && typeof name === "string" && name.length === length) this.#names.push(name);
    return name;
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
