/**
 * Pure. From a parsed request body to an action's input: checks each field's type, turns blobs and timestamps into
 * `Uint8Array` and `Date`, and leaves out unknown fields and nulls.
 *
 * The service reads bodies with a typed reader: a wrong type anywhere is a SerializationException before any other
 * check looks at the request. The texts of the failures follow the service's, without repeating what the caller sent.
 * Source of the texts: mhart/kinesalite:validations/index.js, recorded from the service.
 */
import { isObject } from "../shapes/check-input.ts";
import type { BlobMemory } from "./blob-memory.ts";
import type { Shape, StructureShape } from "./shapes.ts";

/** A body or field that cannot be read as what the action takes. */
export class UnreadableInput extends Error {
  override readonly name = "UnreadableInput";
}

/** A list with a null in it, which the service names as a failed constraint, not as a wrong type. */
export class NullMember extends Error {
  override readonly name = "NullMember";
}

/** The two formats of the wire. */
export type WireFormat = "json" | "cbor";

/** What a body was written in, and where its blobs go. */
export interface InputSource {
  readonly format: WireFormat;
  readonly memory: BlobMemory;
}

/**
 * The action's input out of the parsed `body`.
 * @throws {UnreadableInput} when a type is wrong.
 * @throws {NullMember} when a list holds null.
 */
export function readInput(shape: StructureShape, body: unknown, source: InputSource): Record<string, unknown> {
  return readStructure(shape, body, source, "");
}

function readStructure(shape: StructureShape, value: unknown, source: InputSource, path: string) {
  if (!isObject(value)) throw new UnreadableInput(wrongContainer(value, "Expected null"));
  const input: Record<string, unknown> = {};
  for (const [name, fieldShape] of shape.fields) {
    const field = value[name];
    // Own fields only: a body without `toString` must not get Object's.
    if (field === undefined || field === null || !Object.hasOwn(value, name)) continue;
    input[name] = readValue(fieldShape, field, source, path === "" ? lowerFirst(name) : `${path}.${lowerFirst(name)}`);
  }
  return input;
}

function readValue(shape: Shape, value: unknown, source: InputSource, path: string): unknown {
  switch (shape.type) {
    case "string":
      if (typeof value === "string") return value;
      throw new UnreadableInput(wrongScalar(value, "an String"));
    case "integer":
      if (typeof value === "number") return readInteger(value);
      throw new UnreadableInput(wrongScalar(value, "an Integer"));
    case "boolean":
      if (typeof value === "boolean") return value;
      throw new UnreadableInput(wrongScalar(value, "an Boolean"));
    case "blob":
      return readBlob(value, source);
    case "timestamp":
      return readTimestamp(value, source);
    case "list":
      if (!Array.isArray(value)) throw new UnreadableInput(wrongContainer(value, "Expected list or null"));
      return value.map((member: unknown, index) => {
        const memberPath = `${path}.${index + 1}.member`;
        if (member === null || member === undefined) {
          throw new NullMember(`Value null at '${memberPath}' failed to satisfy constraint: Member must not be null`);
        }
        return readValue(shape.member, member, source, memberPath);
      });
    case "map":
      return readMap(shape.value, value, source, path);
    default:
      return readStructure(shape, value, source, path);
  }
}

function readMap(shape: Shape, value: unknown, source: InputSource, path: string): Record<string, unknown> {
  if (!isObject(value)) throw new UnreadableInput(wrongContainer(value, "Expected map or null"));
  // Without a prototype, a tag named `__proto__` is a tag like any other.
  const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of Object.entries(value)) {
    if (entry === null || entry === undefined) {
      throw new NullMember(`Value null at '${path}.member' failed to satisfy constraint: Member must not be null`);
    }
    map[key] = readValue(shape, entry, source, `${path}.member`);
  }
  return map;
}

/** The service truncates fractions and holds integers at 32 bits. */
function readInteger(value: number): number {
  return Math.max(-2_147_483_648, Math.min(2_147_483_647, Math.trunc(value)));
}

function readBlob(value: unknown, source: InputSource): Uint8Array {
  // A copy: a stored record that is a view would keep the whole request in memory.
  if (source.format === "cbor" && value instanceof Uint8Array) return source.memory.copy(value);
  if (typeof value !== "string") throw new UnreadableInput(wrongScalar(value, "a Blob"));
  if (source.format === "cbor") throw new UnreadableInput("class java.lang.String can not be converted to a Blob");
  return decodeBase64(value, source.memory);
}

/** Strict base64 with padding. Node's decoder skips what it does not know, so the length it gives is compared. */
export function decodeBase64(value: string, memory: BlobMemory): Uint8Array {
  const { length } = value;
  if (length % 4 !== 0) {
    throw new UnreadableInput(
      `Blob can not be read: Base64 encoded length is expected a multiple of 4 bytes but found: ${length}`,
    );
  }
  if (length === 0) return new Uint8Array(0);
  const padding = value.endsWith("==") ? 2 : value.endsWith("=") ? 1 : 0;
  const bytes = memory.decode(value, (length / 4) * 3 - padding);
  if (bytes === undefined || hasForeignAlphabet(value)) {
    throw new UnreadableInput("Blob can not be read: Invalid Base64 character");
  }
  if (padding > 0 && !endsInZeroBits(value, padding)) {
    throw new UnreadableInput("Blob can not be read: Invalid last non-pad Base64 character");
  }
  return bytes;
}

/** Node also reads the URL-safe alphabet, which the service does not. */
function hasForeignAlphabet(value: string): boolean {
  return value.includes("-") || value.includes("_");
}

/** True when the bits of the last character that lie past the last byte are zero. */
function endsInZeroBits(value: string, padding: number): boolean {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const last = alphabet.indexOf(value.charAt(value.length - padding - 1));
  return last >= 0 && (last & (padding === 2 ? 0b1111 : 0b11)) === 0;
}

/** JSON carries seconds with a fraction, CBOR whole milliseconds; CBOR's decoder has made a `Date` of a tagged one. */
function readTimestamp(value: unknown, source: InputSource): Date {
  if (value instanceof Date) return value;
  if (typeof value !== "number") {
    throw new UnreadableInput(wrongScalar(value, "milliseconds since epoch"));
  }
  const date = new Date(Math.round(source.format === "json" ? value * 1000 : value));
  if (Number.isNaN(date.getTime())) throw new UnreadableInput("Timestamp out of range");
  return date;
}

function wrongScalar(value: unknown, wanted: string): string {
  switch (typeof value) {
    case "boolean":
      return `class java.lang.Boolean can not be converted to ${wanted}`;
    case "number":
    case "bigint":
      return `class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to ${wanted}`;
    case "string":
      return `class java.lang.String can not be converted to ${wanted}`;
    default:
      return wrongContainer(value, `value can not be converted to ${wanted}`);
  }
}

function wrongContainer(value: unknown, otherwise: string): string {
  if (Array.isArray(value)) return "Start of list found where not expected";
  return isObject(value) ? "Start of structure or map found where not expected." : otherwise;
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
