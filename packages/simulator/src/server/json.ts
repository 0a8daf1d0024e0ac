/**
 * Pure. The JSON format of the wire, `application/x-amz-json-1.1`: blobs as base64, timestamps as seconds since 1970.
 */
import { isAscii } from "node:buffer";
import { UnreadableInput } from "./read-input.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value in `bytes`.
 * @throws {UnreadableInput} when the bytes are not UTF-8 or not JSON.
 */
export function readJson(bytes: Uint8Array): unknown {
  try {
    // ASCII, as nearly every body is, becomes text without a decoder: twice as fast, measured with 667 KB.
    return JSON.parse(isAscii(bytes) ? asBuffer(bytes).toString("latin1") : utf8.decode(bytes));
  } catch {
    throw new UnreadableInput("Body is not JSON");
  }
}

/** An action's output as JSON. Absent fields are left out. */
export function writeJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return writeObject(value);
    default:
      throw new TypeError(`an output holds a ${typeof value}`);
  }
}

function writeObject(value: object | null): string {
  if (value === null) return "null";
  if (value instanceof Uint8Array) return `"${base64(value)}"`;
  if (value instanceof Date) return String(value.getTime() / 1000);
  let text = "";
  if (Array.isArray(value)) {
    for (const member of value) text += (text === "" ? "" : ",") + writeJson(member);
    return `[${text}]`;
  }
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue;
    text += `${text === "" ? "" : ","}"${name}":${writeJson(field)}`;
  }
  return `{${text}}`;
}

function base64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("base64");
}

/** The same bytes as a Buffer, not a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
