/** Pure. Where an aggregate is put together: bytes that grow. */

/** Most room that a cleared region keeps: enough for the aggregates of two PUT payload units that are the default. */
const KEPT_BYTES = 65_536;

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

  /** Forgets the content, and room that one unusually large content took. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafe(KEPT_BYTES);
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
