/**
 * Pure. What a world's user records hold: an id, filled up with blanks to a size, so that any byte that changes shows.
 */

/** A payload as it was read. */
export interface Payload {
  readonly id: string;
  readonly bytes: number;
  /** False when something else than blanks, and a newline at the end, follows the id. */
  readonly isIntact: boolean;
}

const blank = 0x20;
const newline = 0x0a;

/** The bytes of a record: `id`, filled up to `bytes`. */
export function writePayload(id: string, bytes: number): Uint8Array {
  return new TextEncoder().encode(id.padEnd(bytes, " "));
}

/** Reads what `writePayload` wrote, or a line of a file. */
export function readPayload(data: Uint8Array): Payload {
  const endsInNewline = data.at(-1) === newline;
  const text = endsInNewline ? data.subarray(0, -1) : data;
  const end = text.indexOf(blank);
  const idBytes = end === -1 ? text.byteLength : end;
  return {
    id: Buffer.from(text.buffer, text.byteOffset, idBytes).toString("latin1"),
    bytes: data.byteLength,
    isIntact: text.subarray(idBytes).every((byte) => byte === blank),
  };
}
