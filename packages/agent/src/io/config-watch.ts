/**
 * Adapter. Sees that agent.json, or a file of agent.d, has changed.
 *
 * It looks every second at what the files are, and reports a change once two looks in a row agree: an editor or a
 * package may be half done at the first. Change events of the host are not asked for: they are missing on network and
 * overlay file systems, and where a directory is swapped by a link, as Kubernetes does with its volumes.
 */
import { statSync } from "node:fs";
import { type System, SerialLoop } from "@millrace/core/runtime";
import { configFiles } from "./load-config.ts";

const lookEveryMs = 1_000;

/** Calls `onChange` after each change of the configuration at `path` since it was `seen`, until it is stopped. */
export function watchConfig(options: {
  readonly path: string;
  readonly seen: string;
  readonly system: System;
  readonly onChange: () => void;
}): { stop(): Promise<void> } {
  const { onChange, path, system } = options;
  let reported = options.seen;
  let last = reported;
  return new SerialLoop({
    system,
    unref: true,
    step: () => {
      const seen = lookAtConfig(path);
      if (seen === last && seen !== reported) {
        reported = seen;
        onChange();
      }
      last = seen;
      return Promise.resolve(lookEveryMs);
    },
    onCrash: () => undefined,
  });
}

/** Text that differs when a file was changed, replaced, added or removed. */
export function lookAtConfig(path: string): string {
  return configFiles(path).map(lookAtFile).join("\n");
}

function lookAtFile(path: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${path} ${ino} ${mtimeNs} ${size}`;
  } catch (error) {
    return `${path} ${(error as NodeJS.ErrnoException).code}`;
  }
}
