/**
 * Adapter. Reads agent.json.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
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
 * The configuration in a file, and after its flows those of every file of `agent.d` beside it, by name.
 * @throws {ConfigError} when a file cannot be read, is no JSON, or has a key that is unknown, missing or of a wrong value.
 */
export function loadConfig(path: string): LoadedConfig {
  const value = withMoreFlows(parseJson(read(path), path), join(dirname(path), "agent.d"));
  // Checked here, it has the shape that the type says.
  return { ...parseConfig(value), value: value as AgentConfigInput };
}

/** Every file that the configuration at `path` is made of. */
export function configFiles(path: string): string[] {
  const directory = join(dirname(path), "agent.d");
  try {
    return [path, ...namesIn(directory).map((name) => join(directory, name))];
  } catch {
    // A directory that cannot be listed is for the loading to complain of.
    return [path];
  }
}

function withMoreFlows(value: unknown, directory: string): unknown {
  const names = namesIn(directory);
  if (names.length === 0 || typeof value !== "object" || value === null) return value;
  const { flows = [] } = value as { flows?: unknown };
  if (!Array.isArray(flows)) return value;
  return { ...value, flows: [...(flows as unknown[]), ...names.flatMap((name) => flowsOf(join(directory, name)))] };
}

/** The flows of a file of `agent.d`, which may hold nothing else. */
function flowsOf(path: string): readonly unknown[] {
  const value = parseJson(read(path), path);
  const { flows, ...rest } = (value ?? {}) as { flows?: unknown };
  if (Array.isArray(flows) && Object.keys(rest).length === 0) return flows;
  throw new ConfigError({
    path,
    got: Object.keys(value ?? {}),
    expected: 'an object with "flows", a list, and no other key',
    hint: "Keys of the whole agent belong into agent.json.",
  });
}

/** Regular files by name; editors' and packages' leftovers begin with a dot or end in `~`. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !/^\.|~$/.test(entry.name))
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(directory, error);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): ConfigError {
  return new ConfigError({
    path,
    got: (error as NodeJS.ErrnoException).code ?? String(error),
    expected: "a file that can be read",
    hint: "Give its path with --config.",
  });
}
