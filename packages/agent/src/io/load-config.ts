/**
 * Adapter. Reads agent.json.
 */
import { readFileSync } from "node:fs";
import { ConfigError } from "@millrace/core/options";
import { parseConfig, type ParsedConfig, parseJson } from "../config/parse.ts";
import type { AgentConfigInput } from "../config/schema.ts";

/** Where the Kinesis Agent has its configuration. */
export const defaultConfigPath = "/etc/aws-kinesis/agent.json";

/** A configuration, and the object it was made from. */
export interface LoadedConfig extends ParsedConfig {
  readonly value: AgentConfigInput;
}

/**
 * The configuration in a file.
 * @throws {ConfigError} when it cannot be read, is no JSON, or has a key that is unknown, missing or of a wrong value.
 */
export function loadConfig(path: string): LoadedConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError({
      path,
      got: (error as NodeJS.ErrnoException).code ?? String(error),
      expected: "a file that can be read",
      hint: "Give its path with --config.",
    });
  }
  const value = parseJson(text, path);
  // Checked here, it has the shape that the type says.
  return { ...parseConfig(value), value: value as AgentConfigInput };
}
