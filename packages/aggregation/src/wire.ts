/**
 * Pure. Reads the protobuf message of an aggregate in place: counts and checks it first, then one user record at a time.
 *
 *     message = { 0x0A length key | 0x12 length hash-key | 0x1A length record | unknown field }
 *     record  = 0x08 key-index , [ 0x10 hash-key-index ] , 0x1A length data , { 0x22 length tag }
 *     tag     = 0x0A length key , [ 0x12 length value ]
 *
 * The layout above is what every known writer emits and is scanned by hand. Whatever departs from it (other orders,
 * repeated or unknown fields, long varints) goes to the module that protobufjs generated, which alone decides what it
 * means. No object is made per record, so a message of two million records costs little until it is read.
 * Source: `aggregated-record.proto`; protobuf encoding guide.
 */
import $protobuf from "protobufjs/minimal.js";
import { limitFields, skipUnknown } from "./field-limits.ts";
import { tagBytes } from "./format.ts";
import { Record as RecordMessage } from "./generated/aggregated-record.ts";
import { MAX_TAGS } from "./record.ts";
import { StringTable } from "./string-table.ts";

/** Where a user record's tags are to be found. */
export interface TagsPlace {
  /** The tags themselves, where their layout is an odd one. */
  readonly decoded: readonly [key: string, value: string][] | undefined;
  readonly start: number;
  readonly end: number;
}

/** Reads one message. First `check` until it is done, then `next` for each user record in turn. */
export class MessageReader {
  /** All of the message's bytes: what `dataStart` and `dataEnd` count in. */
  readonly bytes: Buffer;
  readonly #reader: $protobuf.Reader;
  readonly partitionKeys: StringTable;
  readonly explicitHashKeys: StringTable;
  /** Where the first user record begins, as seen by `check`. */
  #firstRecordAt = 0;
  /** User records counted by `check`. */
  recordCount = 0;
  /** True for an aggregate that came compressed: its members are read, and checkpointed, all or none. */
  isPacked = false;

  /** Fields of the user record that `next` has read. The hash key index is -1 where there is none. */
  partitionKeyIndex = 0;
  explicitHashKeyIndex = -1;
  dataStart = 0;
  dataEnd = 0;
  /** Where its tags stand when they were scanned by hand; both are equal when it has none. */
  #tagsStart = 0;
  #tagsEnd = 0;
  #decodedTags: readonly [key: string, value: string][] | undefined;

  constructor(message: Buffer) {
    this.bytes = message;
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
    const message = this.bytes;
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
    const dataStart = reader.pos;
    const dataEnd = dataStart + dataBytes;
    if (dataEnd > end || (dataEnd < end && !this.#scanTags(dataEnd, end))) return false;
    this.partitionKeyIndex = partitionKeyIndex;
    this.explicitHashKeyIndex = explicitHashKeyIndex;
    this.dataStart = dataStart;
    this.dataEnd = dataEnd;
    this.#tagsStart = dataEnd;
    this.#tagsEnd = end;
    this.#decodedTags = undefined;
    return true;
  }

  /** True when there is nothing but tags of the common layout from `start` to `end`. */
  #scanTags(start: number, end: number): boolean {
    const reader = this.#reader;
    const message = this.bytes;
    reader.pos = start;
    // A record of more tags than Millrace writes is judged by MAX_RECORD_FIELDS.
    for (let count = 0; reader.pos < end; count++) {
      if (count === MAX_TAGS || message[reader.pos++] !== tagBytes.recordTags) return false;
      const tagLength = reader.size();
      const tagEnd = reader.pos + tagLength;
      if (tagEnd > end || !this.#scanText(tagBytes.tagKey, tagEnd)) return false;
      if (reader.pos < tagEnd && !this.#scanText(tagBytes.tagValue, tagEnd)) return false;
      if (reader.pos !== tagEnd) return false;
    }
    return true;
  }

  /** Steps over a text field that ends at or before `end`. */
  #scanText(tag: number, end: number): boolean {
    const reader = this.#reader;
    if (reader.pos >= end || this.bytes[reader.pos++] !== tag) return false;
    const length = reader.size();
    reader.pos += length;
    return reader.pos <= end;
  }

  /** False when the user record that `next` has read names an entry which its table does not have. */
  get hasItsKeys(): boolean {
    return this.partitionKeyIndex < this.partitionKeys.count && this.explicitHashKeyIndex < this.explicitHashKeys.count;
  }

  /** Where the tags of the user record stand that `next` has read; undefined when it has none. Valid for ever. */
  get tags(): TagsPlace | undefined {
    const decoded = this.#decodedTags;
    if (decoded !== undefined) return decoded.length === 0 ? undefined : { decoded, start: 0, end: 0 };
    if (this.#tagsStart === this.#tagsEnd) return undefined;
    return { decoded: undefined, start: this.#tagsStart, end: this.#tagsEnd };
  }

  /** The tags at `place`. Does not move this reader. */
  readTags({ decoded, start, end }: TagsPlace): Readonly<Record<string, string>> {
    // A tag's own name may be "__proto__": fromEntries makes it a property like any other.
    return Object.fromEntries(decoded ?? this.#readScannedTags(start, end));
  }

  #readScannedTags(start: number, end: number): readonly [key: string, value: string][] {
    const reader = $protobuf.Reader.create(this.bytes);
    const pairs: [string, string][] = [];
    reader.pos = start;
    while (reader.pos < end) {
      reader.pos++;
      const tagLength = reader.size();
      const tagEnd = reader.pos + tagLength;
      pairs.push([readText(reader), reader.pos < tagEnd ? readText(reader) : ""]);
    }
    return pairs;
  }

  /** An index of up to four varint bytes, or -1 where it takes more. */
  #readIndex(): number {
    const message = this.bytes;
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
    const bytes = this.bytes.subarray(start, end);
    limitFields(bytes);
    const record = RecordMessage.decode(bytes);
    this.partitionKeyIndex = Number(record.partitionKeyIndex);
    this.explicitHashKeyIndex = Object.hasOwn(record, "explicitHashKeyIndex")
      ? Number(record.explicitHashKeyIndex)
      : -1;
    this.dataStart = record.data.length === 0 ? 0 : record.data.byteOffset - this.bytes.byteOffset;
    this.dataEnd = this.dataStart + record.data.length;
    this.#decodedTags = record.tags.map((tag) => [tag.key, tag.value ?? ""]);
  }
}

/** A text field, whose tag is not looked at. */
function readText(reader: $protobuf.Reader): string {
  reader.pos++;
  return reader.string();
}
