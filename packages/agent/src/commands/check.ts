/**
 * Driver. `millrace-agent check`: the effective configuration, the files it matches, and their positions. Touches nothing.
 */
import { flowSettings } from "../config/flow-settings.ts";
import { realSystem } from "@millrace/core/runtime";
import { inodeKey } from "../flow/files.ts";
import type { SavedGeneration } from "../flow/positions.ts";
import type { ForeignCheckpoint } from "../flow/takeover-plan.ts";
import { realFileSystem } from "../io/file-system.ts";
import { checkpointsOf } from "../io/kinesis-agent-checkpoints.ts";
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
    const isKnown = positions.ok && positions.load(settings.id).isKnown;
    const takenOver = isKnown ? [] : checkpointsOf(flow, config, realSystem.wallNow()).map(describeCheckpoint);
    flows.push({ flow: settings.id, isKnown, takenOver, files });
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

/** What the first start would take over from the Kinesis Agent. */
function describeCheckpoint({ path, positionBytes, savedMs }: ForeignCheckpoint) {
  return { path, positionBytes, saved: new Date(savedMs).toISOString() };
}

async function describeFile(path: string, saved: readonly SavedGeneration[]) {
  const opened = await realFileSystem.open(path);
  if (!opened.ok) return { path, readable: false, code: opened.fault.code };
  const stat = opened.file.stat();
  await opened.file.close();
  const row = saved.find((generation) => inodeKey(generation) === inodeKey(stat));
  return { path, readable: true, sizeBytes: stat.sizeBytes, positionBytes: row?.positionBytes };
}
