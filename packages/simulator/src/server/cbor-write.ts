/**
 * Pure. Writes an action's output as CBOR (RFC 8949), for answers of `application/x-amz-cbor-1.1`.
 *
 * Definite lengths only; timestamps as tag 1 with whole milliseconds since 1970, as the service has them.
 */

/** The bytes of `value`: plain objects, arrays, text, numbers, booleans, null, `Date` and `Uint8Array`. */
export function writeCbor(value: unknown): Uint8Array {
  const writer = new Writer();
  writeItem(writer, value);
  return writer.finish();
}

class Writer {
  #bytes = Buffer.allocUnsafe(1024);
  #length = 0;

  /** Makes room for `count` more bytes and says where they go. */
  #reserve(count: number): number {
    const start = this.#length;
    const end = start + count;
    if (end > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(end, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, start);
      this.#bytes = grown;
    }
    this.#length = end;
    return start;
  }

  byte(value: number): void {
    const start = this.#reserve(1);
    this.#bytes[start] = value;
  }

  head(major: number, argument: number): void {
    const first = major << 5;
    if (argument < 24) this.byte(first | argument);
    else if (argument < 0x100) {
      this.byte(first | 24);
      this.byte(argument);
    } else if (argument < 0x10000) {
      this.byte(first | 25);
      const start = this.#reserve(2);
      this.#bytes.writeUInt16BE(argument, start);
    } else if (argument < 0x1_0000_0000) {
      this.byte(first | 26);
      const start = this.#reserve(4);
      this.#bytes.writeUInt32BE(argument, start);
    } else {
      this.byte(first | 27);
      const start = this.#reserve(8);
      this.#bytes.writeBigUInt64BE(BigInt(argument), start);
    }
  }

  float(value: number): void {
    this.byte(0xfb);
    const start = this.#reserve(8);
    this.#bytes.writeDoubleBE(value, start);
  }

  blob(value: Uint8Array): void {
    this.head(2, value.length);
    const start = this.#reserve(value.length);
    this.#bytes.set(value, start);
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.head(3, length);
    const start = this.#reserve(length);
    this.#bytes.write(value, start, length, "utf8");
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

function writeItem(writer: Writer, value: unknown): void {
  switch (typeof value) {
    case "string":
      writer.text(value);
      return;
    case "number":
      writeNumber(writer, value);
      return;
    case "boolean":
      writer.byte(value ? 0xf5 : 0xf4);
      return;
    case "object":
      writeObject(writer, value);
      return;
    default:
      throw new TypeError(`an output holds a ${typeof value}`);
  }
}

function writeNumber(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value)) writer.float(value);
  else if (value >= 0) writer.head(0, value);
  else writer.head(1, -1 - value);
}

function writeObject(writer: Writer, value: object | null): void {
  if (value === null) writer.byte(0xf6);
  else if (value instanceof Uint8Array) writer.blob(value);
  else if (value instanceof Date) {
    writer.head(6, 1);
    writeNumber(writer, value.getTime());
  } else if (Array.isArray(value)) {
    writer.head(4, value.length);
    for (const member of value) writeItem(writer, member);
  } else {
    // An absent field is left out, as in JSON.
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    writer.head(5, entries.length);
    for (const [name, field] of entries) {
      writer.text(name);
      writeItem(writer, field);
    }
  }
}
