/**
 * Driver. `millrace-agent check`: the effective configuration, the files it matches, and their positions. Touches nothing.
 */
import { flowSettings } from "../config/flow-settings.ts";
import { inodeKey } from "../flow/files.ts";
import type { SavedGeneration } from "../flow/positions.ts";
import { realFileSystem } from "../io/file-system.ts";
import { loadConfig } from "../io/load-config.ts";
import { readPositions } from "../io/position-store.ts";
import { exitCode } from "./exit-code.ts";

/** Prints one JSON document. Gives the exit code. */
export async function check(options: { readonly config: string }, print: (text: string) => void): Promise<number> {
  const { config, warnings } = loadConfig(options.config);
  const positions = readPositions(config.positionsFile);
  const flows = [];
  for (const [index, flow] of config.flows.entries()) {
    const settings = flowSettings(flow, config, `flows[${index}]`);
    const saved = positions.ok ? positions.load(settings.id).generations : [];
    const paths = await realFileSystem.find(settings.include, settings.exclude);
    const files = await Promise.all(paths.map((path) => describeFile(path, saved)));
    flows.push({ flow: settings.id, isKnown: positions.ok && positions.load(settings.id).isKnown, files });
  }
  const effective = { ...config, awsSecretAccessKey: config.awsSecretAccessKey === undefined ? undefined : "***" };
  print(
    JSON.stringify(
      { config: effective, warnings, positions: positions.ok ? config.positionsFile : positions.problem, flows },
      (_, value: unknown) => (value instanceof RegExp ? value.source : value),
      2,
    ),
  );
  if (positions.ok) positions.close();
  return exitCode.done;
}

async function describeFile(path: string, saved: readonly SavedGeneration[]) {
  const opened = await realFileSystem.open(path);
  if (!opened.ok) return { path, readable: false, code: opened.fault.code };
  const stat = opened.file.stat();
  await opened.file.close();
  const row = saved.find((generation) => inodeKey(generation) === inodeKey(stat));
  return { path, readable: true, sizeBytes: stat.sizeBytes, positionBytes: row?.positionBytes };
}
