/**
 * Pure. Reads the body of a PutRecords call straight from its bytes, where it is written as clients write it.
 *
 * The plain way makes one text of the whole body, a tree of it, and copies of every blob's base64: with 500 records of
 * 1 KB that is most of what a call costs. This way goes over the bytes once. It takes a subset and says undefined for all
 * else (white space, escapes, text beyond ASCII, other fields, anything malformed), which then goes the plain way:
 *
 *     body   = "{" member *("," member) "}"
 *     member = name ":" text / `"Records":[` [record *("," record)] "]"      name of StreamName, StreamARN, StreamId
 *     record = "{" name ":" text *("," name ":" text) "}"                    name of Data, PartitionKey, ExplicitHashKey
 */
import type { BlobMemory } from "./blob-memory.ts";
import { decodeBase64, UnreadableInput } from "./read-input.ts";

/** The input that the plain way would read from `bytes`, or undefined where only that way can tell. */
export function scanPutRecords(bytes: Buffer, memory: BlobMemory): Record<string, unknown> | undefined {
  const scan = new Scan(bytes, memory);
  try {
    return scan.body();
  } catch (error) {
    if (error === notPlain || error instanceof UnreadableInput) return undefined;
    throw error;
  }
}

/** Thrown where the subset ends; an object of its own, because a stack trace would cost more than the plain way. */
const notPlain = { reason: "not in the subset" };

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

const streamFields = new Set(["StreamName", "StreamARN", "StreamId"]);

class Scan {
  readonly #bytes: Buffer;
  readonly #memory: BlobMemory;
  #at = 0;

  constructor(bytes: Buffer, memory: BlobMemory) {
    this.#bytes = bytes;
    this.#memory = memory;
  }

  body(): Record<string, unknown> {
    const input: Record<string, unknown> = {};
    this.#expect(openBrace);
    do {
      const name = this.#text();
      this.#expect(colon);
      if (name === "Records") input[name] = this.#records();
      else if (streamFields.has(name)) input[name] = this.#text();
      else throw notPlain;
    } while (this.#follows(comma, closeBrace));
    if (this.#at !== this.#bytes.length) throw notPlain;
    return input;
  }

  #records(): Record<string, unknown>[] {
    const records: Record<string, unknown>[] = [];
    this.#expect(openBracket);
    if (this.#bytes[this.#at] === closeBracket) {
      this.#at++;
      return records;
    }
    do records.push(this.#record());
    while (this.#follows(comma, closeBracket));
    return records;
  }

  #record(): Record<string, unknown> {
    let data: Uint8Array | undefined;
    let partitionKey: string | undefined;
    let explicitHashKey: string | undefined;
    this.#expect(openBrace);
    do {
      const name = this.#text();
      this.#expect(colon);
      if (name === "Data") data = this.#blob();
      else if (name === "PartitionKey") partitionKey = this.#text();
      else if (name === "ExplicitHashKey") explicitHashKey = this.#text();
      else throw notPlain;
    } while (this.#follows(comma, closeBrace));
    // The fields stand in one order, so that all records have one shape in memory.
    const record: Record<string, unknown> = { Data: data, PartitionKey: partitionKey };
    if (explicitHashKey !== undefined) record["ExplicitHashKey"] = explicitHashKey;
    // An absent field is absent, not undefined: the plain way makes no such fields either.
    if (data === undefined || partitionKey === undefined) throw notPlain;
    return record;
  }

  /** Moves over `byte`, which must stand here. */
  #expect(byte: number): void {
    if (this.#bytes[this.#at] !== byte) throw notPlain;
    this.#at++;
  }

  /** Moves over one of two bytes: true for the one that goes on, false for the one that ends. */
  #follows(more: number, end: number): boolean {
    const byte = this.#bytes[this.#at++];
    if (byte === more) return true;
    if (byte === end) return false;
    throw notPlain;
  }

  /** Short text of printable ASCII without escapes. */
  #text(): string {
    this.#expect(quote);
    const bytes = this.#bytes;
    const start = this.#at;
    let end = start;
    for (let byte = bytes[end]; byte !== quote; byte = bytes[++end]) {
      if (byte === undefined || byte < 0x20 || byte > 0x7e || byte === backslash) throw notPlain;
    }
    this.#at = end + 1;
    return bytes.toString("latin1", start, end);
  }

  /** Base64 refuses by itself what text would have to be searched for: an escape is none of its letters. */
  #blob(): Uint8Array {
    this.#expect(quote);
    const start = this.#at;
    const end = this.#bytes.indexOf(quote, start);
    if (end < 0) throw notPlain;
    this.#at = end + 1;
    return decodeBase64(this.#bytes.toString("latin1", start, end), this.#memory);
  }
}
