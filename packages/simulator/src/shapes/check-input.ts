/**
 * Pure. Checks an input against its shape, and fails as the service does.
 *
 * A wrong type is a SerializationException, as nothing could be read; a broken constraint is a ValidationException
 * that lists up to ten of them. Members that the shape does not know are ignored.
 * Source of the texts' form: answers of AWS's JSON services ("1 validation error detected: Value ... at 'streamName'
 * failed to satisfy constraint: ...").
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceInput } from "../service-port.ts";
import type { ListShape, MapShape, Shape, StructureShape, TextShape } from "./shape.ts";

const maxViolations = 10;
const patterns = new Map<string, RegExp>();

/**
 * Returns the input when it fits: itself, or without its members that are null, which count as left out.
 * @throws {ServiceError} SerializationException or ValidationException.
 */
export function checkInput(shape: StructureShape, input: ServiceInput): ServiceInput {
  const walk: Walk = { path: [], violations: [], hasNull: false };
  checkStructure(walk, shape, input);
  const { violations } = walk;
  if (violations.length === 0) return walk.hasNull ? (withoutNulls(input) as ServiceInput) : input;
  const plural = violations.length === 1 ? "validation error" : "validation errors";
  throw new ServiceError("ValidationException", `${violations.length} ${plural} detected: ${violations.join("; ")}`);
}

/** A ValidationException about one member, for the rules that no shape can hold. */
export function validationError(member: string, constraint: string): ServiceError {
  return new ServiceError(
    "ValidationException",
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}

interface Walk {
  readonly path: string[];
  readonly violations: string[];
  hasNull: boolean;
}

function check(walk: Walk, shape: Shape, value: unknown): void {
  switch (shape.kind) {
    case "text":
      if (typeof value !== "string") throw wrongType(walk, value, "a string");
      checkText(walk, shape, value);
      break;
    case "integer":
      if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) > 2 ** 31) {
        throw wrongType(walk, value, "an integer");
      }
      checkRange(walk, value, shape, "have value", value);
      break;
    case "flag":
      if (typeof value !== "boolean") throw wrongType(walk, value, "a boolean");
      break;
    case "time":
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrongType(walk, value, "a timestamp");
      break;
    case "blob":
      if (!(value instanceof Uint8Array)) throw wrongType(walk, value, "a blob");
      checkRange(walk, value.byteLength, shape, "have length");
      break;
    case "list":
      checkList(walk, shape, value);
      break;
    case "map":
      checkMap(walk, shape, value);
      break;
    case "structure":
      checkStructure(walk, shape, value);
      break;
  }
}

function checkStructure(walk: Walk, shape: StructureShape, value: unknown): void {
  if (!isObject(value)) throw wrongType(walk, value, "a structure");
  for (const name in shape.fields) {
    const field = shape.fields[name];
    if (field === undefined) continue;
    const member = value[name];
    if (member === undefined || member === null) {
      if (member === null) walk.hasNull = true;
      if (field.required) violate(walk, name, "Value null", "Member must not be null");
      continue;
    }
    walk.path.push(name);
    check(walk, field.shape, member);
    walk.path.pop();
  }
}

function checkList(walk: Walk, shape: ListShape, value: unknown): void {
  if (!Array.isArray(value)) throw wrongType(walk, value, "a list");
  checkRange(walk, value.length, shape, "have length");
  if (shape.max !== undefined && value.length > shape.max) return;
  for (const [index, member] of value.entries()) {
    walk.path.push(`${index + 1}`, "member");
    check(walk, shape.member, member);
    walk.path.length -= 2;
  }
}

function checkMap(walk: Walk, shape: MapShape, value: unknown): void {
  if (!isObject(value)) throw wrongType(walk, value, "a map");
  const entries = Object.entries(value);
  checkRange(walk, entries.length, shape, "have length");
  for (const [key, member] of entries) {
    walk.path.push("key");
    checkText(walk, shape.key, key);
    walk.path[walk.path.length - 1] = "value";
    check(walk, shape.value, member);
    walk.path.pop();
  }
}

function checkText(walk: Walk, shape: TextShape, value: string): void {
  checkRange(walk, characterCount(value, shape.max), shape, "have length", value);
  if (shape.values !== undefined && !shape.values.includes(value)) {
    violate(walk, undefined, show(value), `Member must satisfy enum value set: [${shape.values.join(", ")}]`);
  }
  if (shape.pattern === undefined) return;
  let pattern = patterns.get(shape.pattern);
  if (pattern === undefined) {
    pattern = new RegExp(`^(?:${shape.pattern})$`);
    patterns.set(shape.pattern, pattern);
  }
  if (!pattern.test(value)) {
    violate(walk, undefined, show(value), `Member must satisfy regular expression pattern: ${shape.pattern}`);
  }
}

/** Length as Smithy counts it: in Unicode characters, of which one may take two units of a JavaScript string. */
function characterCount(value: string, max: number | undefined): number {
  if (max === undefined || value.length <= max) return value.length;
  let count = 0;
  for (const _ of value) count++;
  return count;
}

function checkRange(
  walk: Walk,
  size: number,
  bounds: { readonly min?: number; readonly max?: number },
  verb: string,
  shown?: string | number,
): void {
  if (bounds.min !== undefined && size < bounds.min) {
    violate(walk, undefined, show(shown), `Member must ${verb} greater than or equal to ${bounds.min}`);
  }
  if (bounds.max !== undefined && size > bounds.max) {
    violate(walk, undefined, show(shown), `Member must ${verb} less than or equal to ${bounds.max}`);
  }
}

/** Long values are left out: they may be payload, and they make an error nobody reads. */
function show(value: string | number | undefined): string {
  return value === undefined || String(value).length > 128 ? "Value" : `Value '${value}'`;
}

function violate(walk: Walk, member: string | undefined, value: string, constraint: string): void {
  if (walk.violations.length >= maxViolations) return;
  walk.violations.push(`${value} at '${where(walk, member)}' failed to satisfy constraint: ${constraint}`);
}

function where(walk: Walk, member?: string): string {
  const parts = member === undefined ? walk.path : [...walk.path, member];
  return parts.map((part) => part.charAt(0).toLowerCase() + part.slice(1)).join(".");
}

function wrongType(walk: Walk, value: unknown, expected: string): ServiceError {
  const got = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  const at = walk.path.length === 0 ? "the input" : `'${where(walk)}'`;
  return new ServiceError("SerializationException", `${got} at ${at} can not be converted to ${expected}`);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutNulls(member)]));
}

/** True for what stands for a structure on the wire: no list, no blob, no timestamp. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Date)
  );
}
