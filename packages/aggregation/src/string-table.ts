/** Pure. The key tables of an aggregate that is being read: each entry is decoded when first asked for. */
import $protobuf from "protobufjs/minimal.js";

/** Tables up to this many entries keep every string they have read; larger ones keep only the long strings. */
const FULLY_CACHED_ENTRIES = 65_536;
const LONG_STRING_BYTES = 64;

/** The entries of one key table, read when first asked for. */
export class StringTable {
  readonly #message: Buffer;
  #positions = new Uint32Array(8);
  #count = 0;
  readonly #strings: (string | undefined)[] = [];

  constructor(message: Buffer) {
    this.#message = message;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds the entry whose length varint stands at `position`; its bytes follow. */
  add(position: number): void {
    if (this.#count === this.#positions.length) {
      const grown = new Uint32Array(2 * this.#count);
      grown.set(this.#positions);
      this.#positions = grown;
    }
    this.#positions[this.#count++] = position;
  }

  /** The entry at `index`, which must be below `count`. Bytes that are no UTF-8 read as U+FFFD. */
  at(index: number): string {
    const known = this.#strings[index];
    if (known !== undefined) return known;
    const reader = $protobuf.Reader.create(this.#message);
    reader.pos = this.#positions[index] ?? 0;
    const length = reader.uint32();
    const text = this.#message.toString("utf8", reader.pos, reader.pos + length);
    // Without this a hostile table of one huge key and a million uses of it would be read a million times over.
    if (this.#count <= FULLY_CACHED_ENTRIES || length > LONG_STRING_BYTES) this.#strings[index] = text;
    return text;
  }
}
