/**
 * Pure. A key table of an aggregate: its entries in first-seen order, once each.
 *
 * Short ASCII keys, which nearly all are, are hashed while they are copied to where they will stand, and found by a table
 * of numbers. Others are found by a Map. For short keys a Map, `Buffer.byteLength` and `Buffer.write` cost three times as
 * much, 0.1 us a record.
 */
import { ByteRegion } from "./byte-region.ts";
import { lengthDelimitedBytes } from "./format.ts";

/** Longest key that is copied character by character. Its length takes one byte as a varint. */
const SHORT_CHARACTERS = 64;
const MAX_ASCII = 0x7f;
/** Places that are looked at for a key: whoever picks keys to collide gets the Map's cost, and no more. */
const MAX_PROBES = 8;
const LEAST_SLOTS = 256;
/** A cleared table keeps no more slots than this: spare tables are kept for as long as a producer lives. */
const KEPT_SLOTS = 4096;

/** One key table of an aggregate. First `lookUp`, then `keep` if the record is taken. */
export class KeyTable {
  readonly region = new ByteRegion(256);
  readonly #tag: number;
  /** Keys that are long, not ASCII, or found no slot. */
  readonly #others = new Map<string, number>();
  /** Of each key that has a slot: where it begins in the region, and its hash. */
  #starts = new Int32Array(LEAST_SLOTS / 2);
  #hashes = new Int32Array(LEAST_SLOTS / 2);
  /** Index of a key plus one; zero is free. Twice as many as keys at least. */
  #slots = new Int32Array(LEAST_SLOTS);
  #count = 0;
  /** Where `keep` puts the key that was looked up last: a slot, or the Map under a name. */
  #slot = -1;
  #hash = 0;
  #other = "";
  /** Place of the key that was looked up last: where it stands, or where `keep` would put it. */
  index = 0;
  /** Bytes that `keep` would add to the region. */
  growthBytes = 0;

  constructor(tag: number) {
    this.#tag = tag;
  }

  /** Finds a key's place, without adding it yet: the aggregate may turn out to have no room for its record. */
  lookUp(key: string): void {
    this.index = this.#count;
    this.#slot = -1;
    const hasSlot = key.length <= SHORT_CHARACTERS && this.#copyAscii(key) && this.#findSlot(key.length);
    if (hasSlot && (this.growthBytes === 0 || this.#others.size === 0)) return;
    const known = this.#others.get(key);
    if (known !== undefined) {
      this.index = known;
      this.growthBytes = 0;
      return;
    }
    if (hasSlot) return;
    this.#other = key;
    this.growthBytes = lengthDelimitedBytes(Buffer.byteLength(key));
  }

  /** Adds the key that was looked up last, unless it is there already. */
  keep(): void {
    const { growthBytes, region } = this;
    if (growthBytes === 0) return;
    this.#starts[this.#count] = region.length + 2;
    this.#hashes[this.#count] = this.#hash;
    this.#count += 1;
    if (this.#slot >= 0) {
      this.#slots[this.#slot] = this.#count;
      region.length += growthBytes;
    } else {
      this.#others.set(this.#other, this.index);
      region.reserve(growthBytes);
      region.writeContent(this.#tag, this.#other, Buffer.byteLength(this.#other));
    }
    this.growthBytes = 0;
    if (2 * this.#count === this.#slots.length) this.#grow();
  }

  clear(): void {
    if (this.#slots.length > KEPT_SLOTS) {
      this.#slots = new Int32Array(LEAST_SLOTS);
      this.#starts = new Int32Array(LEAST_SLOTS / 2);
      this.#hashes = new Int32Array(LEAST_SLOTS / 2);
    } else if (this.#count > 0) {
      this.#slots.fill(0);
    }
    if (this.#others.size > 0) this.#others.clear();
    this.#count = 0;
    this.region.clear();
  }

  /** Writes a key where `keep` would leave it, and hashes it. False when it is not ASCII. */
  #copyAscii(key: string): boolean {
    const { region } = this;
    const { length } = key;
    region.reserve(length + 2);
    const { bytes } = region;
    let at = region.length;
    bytes[at++] = this.#tag;
    bytes[at++] = length;
    let seen = 0;
    // FNV-1a. Source: draft-eastlake-fnv.
    let hash = 0x811c9dc5 | 0;
    for (let index = 0; index < length; index++) {
      const code = key.charCodeAt(index);
      seen |= code;
      bytes[at++] = code;
      hash = Math.imul(hash ^ code, 0x01000193);
    }
    this.#hash = hash ^ (hash >>> 15);
    return seen <= MAX_ASCII;
  }

  /** Finds the key that was just copied, or a free slot for it. False when there is neither. */
  #findSlot(length: number): boolean {
    const hash = this.#hash;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const slot = (hash + probe) & mask;
      const place = slots[slot] ?? 0;
      if (place === 0) {
        this.#slot = slot;
        this.growthBytes = length + 2;
        return true;
      }
      if (this.#hashes[place - 1] === hash && this.#isCopyOf(place - 1, length)) {
        this.index = place - 1;
        this.growthBytes = 0;
        return true;
      }
    }
    return false;
  }

  /** Whether the key that was just copied is the one at `index`. */
  #isCopyOf(index: number, length: number): boolean {
    const { bytes } = this.region;
    const start = this.#starts[index] ?? 0;
    if (bytes[start - 1] !== length) return false;
    const copy = this.region.length + 2;
    for (let at = 0; at < length; at++) if (bytes[start + at] !== bytes[copy + at]) return false;
    return true;
  }

  /** Doubles the slots; keys that find none near their place go to the Map. */
  #grow(): void {
    const before = this.#slots;
    const size = 2 * before.length;
    const slots = new Int32Array(size);
    this.#slots = slots;
    for (const place of before) {
      if (place === 0) continue;
      const hash = this.#hashes[place - 1] ?? 0;
      let probe = 0;
      while (probe < MAX_PROBES && slots[(hash + probe) & (size - 1)] !== 0) probe++;
      if (probe < MAX_PROBES) slots[(hash + probe) & (size - 1)] = place;
      else this.#others.set(this.#textAt(place - 1), place - 1);
    }
    const starts = this.#starts;
    const hashes = this.#hashes;
    this.#starts = new Int32Array(size / 2);
    this.#hashes = new Int32Array(size / 2);
    this.#starts.set(starts);
    this.#hashes.set(hashes);
  }

  #textAt(index: number): string {
    const { bytes } = this.region;
    const start = this.#starts[index] ?? 0;
    return bytes.toString("latin1", start, start + (bytes[start - 1] ?? 0));
  }
}
