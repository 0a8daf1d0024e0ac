/**
 * Pure. From the text or object of agent.json to a configuration, or the first thing that is wrong with it.
 */
import { ConfigError, nearestName } from "@millrace/core/options";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import type { z } from "zod";
import {
  type AgentConfig,
  agentSchema,
  flowKeysWithoutEffect,
  flowSchema,
  identityKeys,
  keysWithoutEffect,
} from "./schema.ts";

/** Something that works, and that its author should know. */
export interface ConfigWarning {
  readonly path: string;
  readonly text: string;
}

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
  checkIdentity(value as Record<string, unknown>);
  for (const [index, flow] of config.flows.entries()) checkFlow(flow, `flows[${index}]`);
  checkFlowIds(config);
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

/** Refuses what would send as somebody else when it is passed over. */
function checkIdentity(value: Readonly<Record<string, unknown>>): void {
  for (const [key, hint] of identityKeys) {
    if (value[key] === undefined) continue;
    throw new ConfigError({ path: key, got: value[key], expected: "no such key: it is not supported yet", hint });
  }
  const { awsAccessKeyId, awsSecretAccessKey } = value;
  if ((awsAccessKeyId === undefined) === (awsSecretAccessKey === undefined)) return;
  throw new ConfigError({
    path: awsAccessKeyId === undefined ? "awsAccessKeyId" : "awsSecretAccessKey",
    got: undefined,
    expected: "both awsAccessKeyId and awsSecretAccessKey, or neither",
  });
}

function checkFlow(flow: AgentConfig["flows"][number], path: string): void {
  if (flow.deliveryStream !== undefined) {
    throw new ConfigError({
      path: `${path}.deliveryStream`,
      got: flow.deliveryStream,
      expected: "no such key: Data Firehose is not supported yet",
      hint: "Give kinesisStream, and let the delivery stream read from that stream.",
    });
  }
  if (flow.kinesisStream === undefined) {
    throw new ConfigError({
      path: `${path}.kinesisStream`,
      got: undefined,
      expected: "the name or ARN of a stream",
      hint: 'Add "kinesisStream": "...".',
    });
  }
  for (const [index, filePattern] of flow.filePattern.entries()) {
    if (!filePattern.startsWith("/") || filePattern.endsWith("/")) {
      throw new ConfigError({
        path: flow.filePattern.length === 1 ? `${path}.filePattern` : `${path}.filePattern[${index}]`,
        got: filePattern,
        expected: "an absolute path that ends in a file name or a glob, like /var/log/app/*.log",
      });
    }
  }
  if (flow.multiLineStartPattern !== undefined && flow.multiLineContinuePattern !== undefined) {
    throw new ConfigError({
      path: `${path}.multiLineContinuePattern`,
      got: flow.multiLineContinuePattern.source,
      expected: "only one of multiLineStartPattern and multiLineContinuePattern",
    });
  }
}

function checkFlowIds(config: AgentConfig): void {
  const seen = new Map<string, number>();
  for (const [index, flow] of config.flows.entries()) {
    const id = flowIdOf(flow);
    const other = seen.get(id);
    if (other !== undefined) {
      throw new ConfigError({
        path: `flows[${index}]`,
        got: id,
        expected: `another destination or pattern than flows[${other}]`,
        hint: "Two flows with both the same would send every line twice.",
      });
    }
    seen.set(id, index);
  }
}

/** The key of a flow's positions: its destination and patterns, as the Kinesis Agent names it. */
export function flowIdOf(flow: AgentConfig["flows"][number]): string {
  return `kinesis:${flow.kinesisStream}:${flow.filePattern.join(",")}`;
}

const noEffect = "has no effect in this agent";

function warningsOf(value: Readonly<Record<string, unknown>>, config: AgentConfig): ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  for (const key of keysWithoutEffect) {
    if (Object.hasOwn(value, key)) warnings.push({ path: key, text: noEffect });
  }
  for (const [index, flow] of config.flows.entries()) {
    for (const key of flowKeysWithoutEffect) {
      if (Object.hasOwn(flow, key)) warnings.push({ path: `flows[${index}].${key}`, text: noEffect });
    }
  }
  if (config.checkpointFile !== undefined) {
    warnings.push({
      path: "checkpointFile",
      text: "is not read: positions are in positionsFile, and the first start goes by initialPosition",
    });
  }
  for (const directory of ["/run/", "/var/run/", "/tmp/"]) {
    if (!config.positionsFile.startsWith(directory)) continue;
    warnings.push({
      path: "positionsFile",
      text: `${directory} is emptied when the host starts: positions would be lost`,
    });
  }
  return warnings;
}
