/**
 * Pure. The partition key of a record, which decides its shard.
 *
 * RANDOM spreads records evenly. DETERMINISTIC gives equal records the same key. A template keeps what belongs
 * together on one shard, and so in order: `{host}-{file}`, `{regex:user=(\w+)}`, `{json:/user/id}`.
 * Source of the limit of 256 characters: type docs of PutRecordsRequestEntry, `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { hash } from "node:crypto";

/** What a key can be made from. */
export interface KeySource {
  readonly data: Uint8Array;
  /** Path of the file. */
  readonly path: string;
  readonly host: string;
}

export type PartitionKeyRule =
  | { readonly type: "random" }
  | { readonly type: "deterministic" }
  | { readonly type: "template"; readonly parts: readonly TemplatePart[] };

export type TemplatePart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "file" | "path" | "host" | "random" }
  | { readonly type: "regex"; readonly pattern: RegExp }
  | { readonly type: "json"; readonly pointer: readonly string[] };

const maxKeyCharacters = 256;

/** Bytes of a record that a regex part looks at. */
const patternInputMaxBytes = 4096;

/** The key of one record: 1 to 256 characters. `random` is from [0, 1). */
export function partitionKeyOf(rule: PartitionKeyRule, source: KeySource, random: () => number): string {
  if (rule.type === "random") return randomKey(random);
  if (rule.type === "deterministic") return hash("md5", source.data, "hex");
  let key = "";
  for (const part of rule.parts) key += partText(part, source, random);
  // A record in which the template finds nothing still has to go somewhere: as if no template were given.
  if (key === "") return randomKey(random);
  return key.length > maxKeyCharacters ? hash("sha256", key, "hex") : key;
}

/** Six digits, as many as the Kinesis Agent's: short keys cost least in a request. */
function randomKey(random: () => number): string {
  return String(Math.floor(random() * 1e6));
}

function partText(part: TemplatePart, source: KeySource, random: () => number): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "path":
      return source.path;
    case "file":
      return source.path.slice(source.path.lastIndexOf("/") + 1);
    case "host":
      return source.host;
    case "random":
      return randomKey(random);
    case "regex": {
      const text = Buffer.from(source.data.buffer, source.data.byteOffset, source.data.byteLength);
      const match = part.pattern.exec(text.toString("utf8", 0, patternInputMaxBytes));
      return match?.[1] ?? match?.[0] ?? "";
    }
    default:
      return jsonText(source.data, part.pointer);
  }
}

function jsonText(data: Uint8Array, pointer: readonly string[]): string {
  try {
    let value: unknown = JSON.parse(new TextDecoder().decode(data));
    for (const name of pointer) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return "";
      value = (value as Record<string, unknown>)[name];
    }
    if (value === null || value === undefined) return "";
    return typeof value === "string" ? value : JSON.stringify(value);
  } catch {
    // A line that is no JSON has no value at the pointer.
    return "";
  }
}

/** A template's text in parts, or what is wrong with it. `{{` and `}}` stand for braces. */
export function parseKeyTemplate(
  template: string,
): { readonly ok: true; readonly parts: readonly TemplatePart[] } | { readonly ok: false; readonly problem: string } {
  const parts: TemplatePart[] = [];
  let text = "";
  for (let index = 0; index < template.length;) {
    const character = template[index] ?? "";
    const isDoubled = template[index + 1] === character;
    if ((character === "{" || character === "}") && isDoubled) {
      text += character;
      index += 2;
      continue;
    }
    if (character === "}") return { ok: false, problem: `a "}" without its "{" at character ${index + 1}` };
    if (character !== "{") {
      text += character;
      index += 1;
      continue;
    }
    const end = closingBrace(template, index);
    if (end < 0) return { ok: false, problem: `a "{" without its "}" at character ${index + 1}` };
    const part = parsePart(template.slice(index + 1, end));
    if (!part.ok) return part;
    if (text !== "") parts.push({ type: "text", text });
    text = "";
    parts.push(part.part);
    index = end + 1;
  }
  if (text !== "") parts.push({ type: "text", text });
  if (parts.length === 0) return { ok: false, problem: "an empty template" };
  return { ok: true, parts };
}

/** The brace that closes the one at `from`: a pattern may hold quantifiers like `{2,3}`. */
function closingBrace(template: string, from: number): number {
  let depth = 0;
  for (let index = from; index < template.length; index++) {
    if (template[index] === "\\") index += 1;
    else if (template[index] === "{") depth += 1;
    else if (template[index] === "}") {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return -1;
}

function parsePart(
  body: string,
): { readonly ok: true; readonly part: TemplatePart } | { readonly ok: false; readonly problem: string } {
  if (body === "file" || body === "path" || body === "host" || body === "random") {
    return { ok: true, part: { type: body } };
  }
  if (body.startsWith("regex:")) {
    try {
      return { ok: true, part: { type: "regex", pattern: new RegExp(body.slice("regex:".length), "u") } };
    } catch (error) {
      return { ok: false, problem: (error as Error).message };
    }
  }
  if (body.startsWith("json:/")) {
    const names = body.slice("json:/".length).split("/");
    return {
      ok: true,
      part: { type: "json", pointer: names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~")) },
    };
  }
  return { ok: false, problem: `an unknown part {${body}}` };
}
