/** Adapter. Reads the sources of this workspace for the tidy rules. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { root } from "../../scripts/run-command.ts";
import { listPackages } from "../../scripts/workspace-packages.ts";
import { createWorkspace } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** Every TypeScript source that people write here; generated files are not judged. */
export function readWorkspace(): Workspace {
  const patterns = ["packages/*/src/**/*.ts", "test/**/*.ts", "examples/**/*.ts", "scripts/**/*.ts"];
  const paths = globSync(patterns, {
    cwd: root,
    exclude: (path) => /node_modules|\/generated$|\/dist$/.test(path),
  });
  const sources = Object.fromEntries(paths.toSorted().map((path) => [path, readText(path)]));
  const entries = listPackages().flatMap((one) =>
    one.entries.map(({ specifier, source }) => [specifier, posix.join("packages", one.folder, source)] as const),
  );
  return createWorkspace(sources, Object.fromEntries(entries));
}

/** The text of a file, by its path from the root; empty when there is no such file. */
export function readText(path: string): string {
  return existsSync(root + path) ? readFileSync(root + path, "utf8") : "";
}
