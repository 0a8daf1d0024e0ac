/**
 * Driver. `millrace-agent positions list|reset`: the saved positions, while the agent is stopped.
 */
import { ConfigError } from "@millrace/core/options";
import { loadConfig } from "../io/load-config.ts";
import { openPositionStore } from "../io/position-store.ts";
import { exitCode } from "./exit-code.ts";

interface PositionsOptions {
  readonly config: string;
  /** Only this flow. */
  readonly flow?: string | undefined;
  /** Only the file at this path. */
  readonly path?: string | undefined;
}

/** Prints a JSON line per saved generation. */
export function listPositions(options: PositionsOptions, print: (text: string) => void): number {
  const store = openPositionStore(loadConfig(options.config).config.positionsFile);
  try {
    for (const flow of store.flows()) {
      if (options.flow !== undefined && options.flow !== flow) continue;
      for (const { id, path, positionBytes, sizeBytes, isMissing, updatedMs } of store.load(flow).generations) {
        if (options.path !== undefined && options.path !== path) continue;
        const updated = new Date(updatedMs).toISOString();
        print(JSON.stringify({ flow, path, positionBytes, sizeBytes, isMissing, generation: id, updated }));
      }
    }
  } finally {
    store.close();
  }
  return exitCode.done;
}

/**
 * Forgets positions: the files are read from their start again.
 * @throws {ConfigError} when neither a flow nor a path was given, or nothing fits.
 */
export function resetPositions(options: PositionsOptions, print: (text: string) => void): number {
  if (options.flow === undefined && options.path === undefined) {
    throw new ConfigError({
      path: "--flow",
      got: undefined,
      expected: "--flow, --path or both",
      hint: "`positions list` shows what there is.",
    });
  }
  const store = openPositionStore(loadConfig(options.config).config.positionsFile);
  try {
    let count = 0;
    for (const flow of store.flows()) {
      if (options.flow !== undefined && options.flow !== flow) continue;
      const { generations } = store.load(flow);
      const removed = generations.filter(({ path }) => options.path === undefined || options.path === path);
      store.save(
        flow,
        [],
        removed.map(({ id }) => id),
      );
      count += removed.length;
    }
    print(JSON.stringify({ removed: count }));
    if (count > 0) return exitCode.done;
    throw new ConfigError({ path: "--path", got: options.path ?? options.flow, expected: "a saved position" });
  } finally {
    store.close();
  }
}
