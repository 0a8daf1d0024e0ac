/** Pure. The key tables of an aggregate that is being read: each entry is decoded when first asked for. */
import $protobuf from "protobufjs/minimal.js";

/** Tables up to this many entries keep every string they have read; larger ones keep only the long strings. */
const FULLY_CACHED_ENTRIES = 65_536;
const LONG_STRING_BYTES = 64;
const minEntries = 16;
const noPositions = new Uint32Array(0);

/** The entries of one key table, read when first asked for. */
export class StringTable {
  readonly #message: Buffer;
  #positions = noPositions;
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
      // Memory outside the heap costs more to get than to fill: usually once is enough.
      const grown = new Uint32Array(Math.max(minEntries, this.#message.length >>> 7, 2 * this.#count));
      grown.set(this.#positions);
      this.#positions = grown;
    }
    this.#positions[this.#count++] = position;
  }

  /** The entry at `index`; undefined where there is none. Bytes that are no UTF-8 read as U+FFFD. */
  at(index: number): string | undefined {
    if (index < 0 || index >= this.#count) return undefined;
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
