/**
 * Pure. Reads the `Records` of GetRecords answers and SubscribeToShard events straight from the bytes of their JSON.
 *
 *     body   = ... '"Records":[' [ record { ',' record } ] ']' ...
 *     record = '{' field { ',' field } '}'       fields in any order
 *     field  = '"Data":"' base64 '"' | '"PartitionKey":"' text '"' | '"SequenceNumber":"' digits '"'
 *            | '"ApproximateArrivalTimestamp":' number | '"EncryptionType":"' text '"'
 *
 * That is how the service writes them, without blanks. Of anything else this says so and leaves it to JSON.parse, which
 * needs the body as text, and every payload as text again. All payloads of an answer share one piece of memory.
 * Source: API reference of GetRecords; AWS JSON 1.1 protocol.
 */
import type { _Record as SdkRecord } from "@aws-sdk/client-kinesis";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;
const equals = 0x3d;
const dot = 0x2e;

/** Characters of base64 that are decoded at once; a multiple of four. */
const pieceCharacters = 131_072;

const recordsField = Buffer.from('"Records":[');
const dataField = Buffer.from('"Data":"');
const keyField = Buffer.from('"PartitionKey":"');
const sequenceNumberField = Buffer.from('"SequenceNumber":"');
const arrivalField = Buffer.from('"ApproximateArrivalTimestamp":');
const encryptionField = Buffer.from('"EncryptionType":"');

/** What was found: the records, and the rest of the body as JSON with an empty list in their place. */
export interface ScannedRecords {
  readonly records: SdkRecord[];
  readonly rest: string;
}

/** The records of `body`; undefined when it is not written as above. */
export function scanRecords(body: Buffer): ScannedRecords | undefined {
  const fieldAt = body.indexOf(recordsField);
  if (fieldAt < 0) return undefined;
  const scan = new RecordScan(body, fieldAt + recordsField.length);
  if (!scan.run()) return undefined;
  const before = body.toString("utf8", 0, fieldAt + recordsField.length);
  return { records: scan.records, rest: before + body.toString("utf8", scan.at) };
}

class RecordScan {
  readonly records: SdkRecord[] = [];
  /** Where the scan stands; at the end, on the list's closing bracket. */
  at: number;
  readonly #body: Buffer;
  /** Payloads one after another; base64 is a third longer than what it stands for. */
  readonly #payloads: Buffer;
  #payloadsEnd = 0;

  constructor(body: Buffer, at: number) {
    this.#body = body;
    this.at = at;
    this.#payloads = Buffer.allocUnsafeSlow(Math.ceil(((body.length - at) * 3) / 4));
  }

  /** False when something is not as expected. */
  run(): boolean {
    const body = this.#body;
    if (body[this.at] === closeBracket) return true;
    for (;;) {
      if (body[this.at] !== openBrace || !this.#record()) return false;
      const next = body[this.at];
      if (next === closeBracket) return true;
      if (next !== comma) return false;
      this.at++;
    }
  }

  #record(): boolean {
    const body = this.#body;
    const record: SdkRecord = {
      SequenceNumber: undefined,
      ApproximateArrivalTimestamp: undefined,
      Data: undefined,
      PartitionKey: undefined,
    };
    do {
      this.at++;
      // The first letter after the quote tells the fields apart.
      switch (body[this.at + 1]) {
        case 0x44:
          if (!this.#skip(dataField) || !this.#data(record)) return false;
          break;
        case 0x50:
          if (!this.#skip(keyField)) return false;
          record.PartitionKey = this.#text();
          if (record.PartitionKey === undefined) return false;
          break;
        case 0x53:
          if (!this.#skip(sequenceNumberField)) return false;
          record.SequenceNumber = this.#text();
          if (record.SequenceNumber === undefined) return false;
          break;
        case 0x41:
          if (!this.#skip(arrivalField)) return false;
          record.ApproximateArrivalTimestamp = this.#time();
          if (record.ApproximateArrivalTimestamp === undefined) return false;
          break;
        case 0x45:
          if (!this.#skip(encryptionField)) return false;
          record.EncryptionType = this.#text() as NonNullable<SdkRecord["EncryptionType"]>;
          if (record.EncryptionType === undefined) return false;
          break;
        default:
          return false;
      }
    } while (body[this.at] === comma);
    if (body[this.at] !== closeBrace) return false;
    this.at++;
    this.records.push(record);
    return true;
  }

  /** Moves past `expected`, or says that it does not stand here. */
  #skip(expected: Buffer): boolean {
    const body = this.#body;
    const { at } = this;
    for (let index = 0; index < expected.length; index++) {
      if (body[at + index] !== expected[index]) return false;
    }
    this.at = at + expected.length;
    return true;
  }

  /** Text up to its closing quote, which is passed. */
  #text(): string | undefined {
    const body = this.#body;
    const start = this.at;
    for (let end = start; ; end++) {
      const byte = body[end];
      if (byte === quote) {
        this.at = end + 1;
        return body.toString("latin1", start, end);
      }
      if (byte === undefined) return undefined;
      if (byte === backslash || byte < 0x20 || byte > 0x7f) return this.#textOfAnyKind();
    }
  }

  /** The same where there are escapes or characters beyond ASCII: JSON.parse says what they mean. */
  #textOfAnyKind(): string | undefined {
    const body = this.#body;
    let end = this.at;
    while (end < body.length && body[end] !== quote) end += body[end] === backslash ? 2 : 1;
    if (end >= body.length) return undefined;
    const text = body.toString("utf8", this.at - 1, end + 1);
    this.at = end + 1;
    return JSON.parse(text) as string;
  }

  #data(record: SdkRecord): boolean {
    const body = this.#body;
    const start = this.at;
    const end = body.indexOf(quote, start);
    const length = end - start;
    if (end < 0 || length % 4 !== 0) return false;
    const padding = body[end - 1] !== equals ? 0 : body[end - 2] !== equals ? 1 : 2;
    const bytes = length === 0 ? 0 : (length / 4) * 3 - padding;
    const at = this.#payloadsEnd;
    if (!this.#decode(start, end, at, bytes)) return false;
    record.Data = this.#payloads.subarray(at, at + bytes);
    this.#payloadsEnd = at + bytes;
    this.at = end + 1;
    return true;
  }

  /** Writes what base64 from `start` to `end` stands for to `at`; false when it is not `bytes` long. */
  #decode(start: number, end: number, at: number, bytes: number): boolean {
    let written = 0;
    // Piece by piece: the platform decodes text only, and that of a whole record may be 14 MB.
    for (let from = start; from < end; from += pieceCharacters) {
      const piece = this.#body.toString("latin1", from, Math.min(end, from + pieceCharacters));
      const isLast = from + pieceCharacters >= end;
      const expected = isLast ? bytes - written : (pieceCharacters / 4) * 3;
      // Characters that are not base64's, an escape among them, are passed over, which leaves bytes missing.
      if (this.#payloads.write(piece, at + written, expected, "base64") !== expected) return false;
      written += expected;
    }
    return true;
  }

  /** Seconds since 1970, with or without a fraction. */
  #time(): Date | undefined {
    const body = this.#body;
    let digits = 0;
    let divisor = 0;
    for (let end = this.at; ; end++) {
      const byte = body[end] ?? 0;
      if (byte >= 0x30 && byte <= 0x39) {
        digits = digits * 10 + byte - 0x30;
        divisor *= 10;
      } else if (byte === dot && divisor === 0) {
        divisor = 1;
      } else if (byte === comma || byte === closeBrace) {
        if (digits > Number.MAX_SAFE_INTEGER || end === this.at) return undefined;
        this.at = end;
        return dateOfSeconds(digits / (divisor || 1));
      } else {
        return this.#timeOfAnyKind();
      }
    }
  }

  /** The same with an exponent, as Java writes large numbers. */
  #timeOfAnyKind(): Date | undefined {
    const body = this.#body;
    let end = this.at;
    while (end < body.length && body[end] !== comma && body[end] !== closeBrace) end++;
    const seconds: unknown = JSON.parse(body.toString("latin1", this.at, end));
    if (typeof seconds !== "number") return undefined;
    this.at = end;
    return dateOfSeconds(seconds);
  }
}

/** The service counts in seconds and means milliseconds. */
export function dateOfSeconds(seconds: number): Date {
  return new Date(Math.round(seconds * 1000));
}
