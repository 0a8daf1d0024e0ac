/**
 * Pure. From the text or object of agent.json to a configuration, or the first thing that is wrong with it.
 */
import { ConfigError, nearestName } from "@millrace/core/options";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import type { z } from "zod";
import { checkRules } from "./rules.ts";
import { type AgentConfig, agentSchema, flowSchema } from "./schema.ts";
import { type ConfigWarning, warningsOf } from "./warnings.ts";

export interface ParsedConfig {
  readonly config: AgentConfig;
  readonly warnings: readonly ConfigWarning[];
}

/**
 * The object in `text`, which may hold comments.
 * @throws {ConfigError} naming the line where it is no JSON.
 */
export function parseJson(text: string, file: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error === undefined) return value;
  const line = text.slice(0, error.offset).split("\n").length;
  const column = error.offset - text.lastIndexOf("\n", error.offset - 1);
  throw new ConfigError({
    path: file,
    got: `${printParseErrorCode(error.error)} at line ${line}, column ${column}`,
    expected: "one JSON object; // and /* */ comments are allowed",
  });
}

/**
 * Checks a configuration and fills its defaults in.
 * @throws {ConfigError} for the first key that is unknown, missing or of a wrong value.
 */
export function parseConfig(value: unknown): ParsedConfig {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError({ path: "agent.json", got: value, expected: "one JSON object" });
  }
  const result = agentSchema.safeParse(value);
  if (!result.success) throw toConfigError(result.error, value);
  const config = result.data;
  checkRules(value as Record<string, unknown>, config);
  return { config, warnings: warningsOf(value as Record<string, unknown>, config) };
}

function toConfigError(error: z.ZodError, value: unknown): ConfigError {
  // A misspelt key usually makes another one missing: it is the better thing to name.
  const issue = error.issues.find(({ code }) => code === "unrecognized_keys") ?? error.issues[0];
  if (issue === undefined) return new ConfigError({ path: "agent.json", got: value, expected: "a configuration" });
  const path = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const known = Object.keys(path.length === 0 ? agentSchema.shape : flowSchema.shape);
    const near = nearestName(key, known);
    return new ConfigError({
      path: pathText([...path, key]),
      got: valueAt(value, [...path, key]),
      expected: "a known key",
      hint: near === undefined ? "See the list of keys in the README of @millrace/agent." : `Did you mean ${near}?`,
    });
  }
  const got = valueAt(value, path);
  const key = path.at(-1);
  return new ConfigError({
    path: pathText(path),
    got,
    expected: issue.code === "invalid_type" && issue.expected === "object" ? "an object" : issue.message,
    hint:
      key === "flows" && got === undefined ? 'Add "flows": [{ "filePattern": ..., "kinesisStream": ... }].' : undefined,
  });
}

function pathText(path: readonly (string | number)[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text === "" ? "agent.json" : text;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const part of path) current = (current as Record<string | number, unknown> | undefined)?.[part];
  return current;
}
