/**
 * Pure. The error for a bad option or configuration file, and the checks that throw it.
 *
 * A check takes what came and gives back what may be used, so that a caller cannot forget to look.
 */
import { isBranded } from "./brand.ts";

const brand = Symbol.for("millrace.ConfigError");

/** A bad option: `path` names it, `got` and `expected` say why, `hint` what to do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "ERR_CONFIG";
  /** Where it stands: `recordTtlMs`, `flows[0].filePattern`. */
  readonly path: string;
  /** What came, shortened. */
  readonly got: string;
  readonly expected: string;
  readonly hint: string | undefined;
  readonly [brand] = true;

  constructor(fields: { path: string; got: unknown; expected: string; hint?: string | undefined }) {
    const got = describe(fields.got);
    const hint = fields.hint === undefined ? "" : ` ${fields.hint}`;
    super(`${fields.path}: expected ${fields.expected}, got ${got}.${hint}`);
    this.path = fields.path;
    this.got = got;
    this.expected = fields.expected;
    this.hint = fields.hint;
  }

  /** Recognises a ConfigError of another copy of this package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, brand);
  }
}

/** Names a value in an error text: its type, and its content where that is short and cannot be a payload. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value);
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    default:
      if (value === null) return "null";
      if (Array.isArray(value)) return `an array of ${value.length}`;
      return `an object (${(value as object).constructor?.name ?? "without prototype"})`;
  }
}

/** An integer from `min` to `max`, or `fallback` where nothing came. */
export function integerOption(
  path: string,
  value: unknown,
  bounds: { readonly min: number; readonly max: number; readonly fallback: number; readonly hint?: string },
): number {
  if (value === undefined) return bounds.fallback;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < bounds.min || value > bounds.max) {
    throw new ConfigError({
      path,
      got: value,
      expected: `an integer from ${bounds.min} to ${bounds.max}`,
      hint: bounds.hint,
    });
  }
  return value;
}

/** True or false, or `fallback` where nothing came. */
export function booleanOption(path: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== "boolean") throw new ConfigError({ path, got: value, expected: "true or false" });
  return value;
}

/** One of `choices`, or `fallback` where nothing came. */
export function choiceOption<const T extends string>(
  path: string,
  value: unknown,
  choices: readonly T[],
  fallback: T,
): T {
  if (value === undefined) return fallback;
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) {
    throw new ConfigError({ path, got: value, expected: choices.map((name) => JSON.stringify(name)).join(" or ") });
  }
  return choice;
}

/** A function, or undefined where nothing came. */
export function functionOption<T extends (...args: never[]) => unknown>(
  path: string,
  value: T | undefined,
): T | undefined {
  if (value !== undefined && typeof value !== "function") {
    throw new ConfigError({ path, got: value, expected: "a function" });
  }
  return value;
}

/** An SDK client, known by its `send`; undefined where nothing came. A class check would refuse another copy's. */
export function clientOption<T extends object>(path: string, value: T | undefined, expected: string): T | undefined {
  if (value !== undefined && typeof (value as { send?: unknown } | null)?.send !== "function") {
    throw new ConfigError({ path, got: value, expected });
  }
  return value;
}

/** An AbortSignal, or undefined where nothing came. */
export function signalOption(path: string, value: unknown): AbortSignal | undefined {
  if (value !== undefined && !(value instanceof AbortSignal)) {
    throw new ConfigError({ path, got: value, expected: "an AbortSignal" });
  }
  return value;
}

/** A string with something in it; undefined where nothing came. */
export function textOption(path: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.trim() === "") {
    throw new ConfigError({ path, got: value, expected: "a string that is not empty" });
  }
  return value;
}

/**
 * An options object that has none but the known names: a misspelt option must not be ignored in silence.
 */
export function checkOptionNames(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ConfigError({ path: owner, got: options, expected: "an object with options" });
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    throw new ConfigError({
      path: `${owner}.${name}`,
      got: (options as Record<string, unknown>)[name],
      expected: "a known option",
      hint: near === undefined ? `Known: ${known.join(", ")}.` : `Did you mean ${near}?`,
    });
  }
}

/** The known name that a typing mistake most likely meant; undefined when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
