/** Pure. Where an aggregate is put together: bytes that grow, and the key tables made of them. */
import { lengthDelimitedBytes } from "./format.ts";

/** Bytes that grow as they are written to. */
export class ByteRegion {
  bytes: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafe(capacity);
  }

  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** Writes one field tag and a varint. Room must be reserved. */
  writeField(tag: number, value: number): void {
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = tag;
    let rest = value;
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.length = at;
  }

  /** Writes a field of content. `byteLength` is that of `content` in UTF-8. Room must be reserved. */
  writeContent(tag: number, content: Uint8Array | string, byteLength: number): void {
    this.writeField(tag, byteLength);
    if (typeof content === "string") this.bytes.write(content, this.length, byteLength, "utf8");
    else this.bytes.set(content, this.length);
    this.length += byteLength;
  }
}

/** One key table of the aggregate: its entries in first-seen order, once each. */
export class KeyTable {
  readonly region = new ByteRegion(256);
  readonly #indexes = new Map<string, number>();
  readonly #tag: number;

  constructor(tag: number) {
    this.#tag = tag;
  }

  /** The key's place: where it stands, or where it would be added. */
  indexOf(key: string): number {
    return this.#indexes.get(key) ?? this.#indexes.size;
  }

  /** Bytes that the table would grow by. */
  growthBytes(key: string): number {
    return this.#indexes.has(key) ? 0 : lengthDelimitedBytes(Buffer.byteLength(key));
  }

  add(key: string): void {
    if (this.#indexes.has(key)) return;
    this.#indexes.set(key, this.#indexes.size);
    const byteLength = Buffer.byteLength(key);
    this.region.reserve(lengthDelimitedBytes(byteLength));
    this.region.writeContent(this.#tag, key, byteLength);
  }
}
