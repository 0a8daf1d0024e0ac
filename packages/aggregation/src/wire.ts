/**
 * Pure. Reads the protobuf message of an aggregate in place: counts and checks it first, then one user record at a time.
 *
 *     message = { 0x0A length key | 0x12 length hash-key | 0x1A length record | unknown field }
 *     record  = 0x08 key-index , [ 0x10 hash-key-index ] , 0x1A length data , { 0x22 length tag }
 *
 * The layout above is what every known writer emits and is scanned by hand. Whatever departs from it (other orders,
 * repeated or unknown fields, long varints, tags) goes to the module that protobufjs generated, which alone decides what
 * it means. No object is made per record, so a message of two million records costs little until it is read.
 * Source: `aggregated-record.proto`; protobuf encoding guide.
 */
import $protobuf from "protobufjs/minimal.js";
import { tagBytes } from "./format.ts";
import { Record as RecordMessage } from "./generated/aggregated-record.ts";

/**
 * Most fields that one user record may have, tags and unknown fields included. The format needs three; a record of more
 * than this would let one hostile record block the event loop.
 */
const MAX_RECORD_FIELDS = 4096;

/** Wire type of a field that ends with a field of its own. Source: protobuf encoding guide. */
const START_GROUP = 3;

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

/** Reads one message. First `check` until it is done, then `next` for each user record in turn. */
export class MessageReader {
  readonly #message: Buffer;
  readonly #reader: $protobuf.Reader;
  readonly partitionKeys: StringTable;
  readonly explicitHashKeys: StringTable;
  /** Where the first user record begins, as seen by `check`. */
  #firstRecordAt = 0;
  /** User records counted by `check`. */
  recordCount = 0;

  /** Fields of the user record that `next` has read. The hash key index is -1 where there is none. */
  partitionKeyIndex = 0;
  explicitHashKeyIndex = -1;
  dataStart = 0;
  dataEnd = 0;
  tags: Readonly<Record<string, string>> | undefined;

  constructor(message: Buffer) {
    this.#message = message;
    this.#reader = $protobuf.Reader.create(message);
    this.partitionKeys = new StringTable(message);
    this.explicitHashKeys = new StringTable(message);
  }

  /**
   * Checks and counts the fields that begin in the next `maxBytes` of the message. Returns true once all of it is checked;
   * then `next` may be called.
   * @throws when the message cannot be parsed.
   */
  check(maxBytes: number): boolean {
    const reader = this.#reader;
    const pauseAt = reader.pos + maxBytes;
    while (reader.pos < pauseAt) {
      if (reader.pos >= reader.len) {
        reader.pos = this.#firstRecordAt;
        return true;
      }
      const fieldAt = reader.pos;
      const tag = reader.tag();
      if (tag === tagBytes.records) {
        if (this.recordCount === 0) this.#firstRecordAt = fieldAt;
        this.#readRecord();
        this.recordCount++;
      } else if (tag === tagBytes.partitionKeyTable) {
        this.partitionKeys.add(reader.pos);
        reader.skip(reader.size());
      } else if (tag === tagBytes.explicitHashKeyTable) {
        this.explicitHashKeys.add(reader.pos);
        reader.skip(reader.size());
      } else {
        skipUnknown(reader, tag);
      }
    }
    return false;
  }

  /**
   * Looks through the next `maxBytes` for a user record and reads it into the fields of this reader: "record". "pause" when
   * there was none among them, "end" when there is none left.
   */
  next(maxBytes: number): "record" | "pause" | "end" {
    const reader = this.#reader;
    const pauseAt = reader.pos + maxBytes;
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === tagBytes.records) {
        this.#readRecord();
        return "record";
      }
      skipUnknown(reader, tag);
      if (reader.pos >= pauseAt) return "pause";
    }
    return "end";
  }

  #readRecord(): void {
    const reader = this.#reader;
    const length = reader.size();
    const start = reader.pos;
    const end = start + length;
    if (end > reader.len) throw new RangeError("A record ends behind its message.");
    if (!this.#scanRecord(start, end)) this.#decodeRecord(start, end);
    reader.pos = end;
  }

  /** Reads a record of the common layout; false when it is of another. Leaves the reader's position anywhere. */
  #scanRecord(start: number, end: number): boolean {
    const reader = this.#reader;
    const message = this.#message;
    // The shortest record there is: two bytes of index, two of empty data.
    if (end - start < 4 || message[start] !== tagBytes.recordPartitionKeyIndex) return false;
    reader.pos = start + 1;
    const partitionKeyIndex = this.#readIndex();
    if (partitionKeyIndex < 0) return false;
    let explicitHashKeyIndex = -1;
    if (message[reader.pos] === tagBytes.recordExplicitHashKeyIndex) {
      reader.pos++;
      explicitHashKeyIndex = this.#readIndex();
      if (explicitHashKeyIndex < 0) return false;
    }
    if (reader.pos >= end || message[reader.pos] !== tagBytes.recordData) return false;
    reader.pos++;
    const dataBytes = reader.size();
    if (reader.pos + dataBytes !== end) return false;
    this.partitionKeyIndex = partitionKeyIndex;
    this.explicitHashKeyIndex = explicitHashKeyIndex;
    this.dataStart = reader.pos;
    this.dataEnd = end;
    this.tags = undefined;
    return true;
  }

  /** An index of up to four varint bytes, or -1 where it takes more. */
  #readIndex(): number {
    const message = this.#message;
    const reader = this.#reader;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = message[reader.pos++];
      if (byte === undefined) return -1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /** Reads a record of any layout through the generated module. */
  #decodeRecord(start: number, end: number): void {
    const bytes = this.#message.subarray(start, end);
    limitFields(bytes);
    const record = RecordMessage.decode(bytes);
    this.partitionKeyIndex = Number(record.partitionKeyIndex);
    this.explicitHashKeyIndex = Object.hasOwn(record, "explicitHashKeyIndex")
      ? Number(record.explicitHashKeyIndex)
      : -1;
    this.dataStart = record.data.length === 0 ? 0 : record.data.byteOffset - this.#message.byteOffset;
    this.dataEnd = this.dataStart + record.data.length;
    // A tag's own name may be "__proto__": fromEntries makes it a property like any other.
    this.tags =
      record.tags.length === 0 ? undefined : Object.fromEntries(record.tags.map((tag) => [tag.key, tag.value ?? ""]));
  }
}

/**
 * Skips the content of a field that the schema does not know.
 * @throws for a group: no writer of this format makes one, and its length cannot be known without reading all of it.
 */
function skipUnknown(reader: $protobuf.Reader, tag: number): void {
  const wireType = tag & 7;
  if (wireType === START_GROUP) throw new Error("A message has a group.");
  reader.skipType(wireType, 0, tag >>> 3);
}

/** Throws when a record has more fields than any honest one, before an object is made for each of them. */
function limitFields(record: Buffer): void {
  const reader = $protobuf.Reader.create(record);
  let tagEnd = 0;
  for (let fields = 0; reader.pos < reader.len; fields++) {
    if (fields === MAX_RECORD_FIELDS) throw new RangeError(`A record has more than ${MAX_RECORD_FIELDS} fields.`);
    const tag = reader.tag();
    // The fields inside a tag count too: step into it instead of over it.
    if (tag === tagBytes.recordTags && reader.pos >= tagEnd) tagEnd = reader.size() + reader.pos;
    else skipUnknown(reader, tag);
  }
}
