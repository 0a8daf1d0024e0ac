/** Pure. All source files together: who imports whom, and where an imported name is declared. */
import { posix } from "node:path";
import { parseSource } from "./source-file.ts";
import type { ImportLink, SourceFile } from "./source-file.ts";

/** The files under judgement. */
export interface Workspace {
  readonly files: ReadonlyMap<string, SourceFile>;
  /** Public entries: `@millrace/core/runtime` to the path of its source. */
  readonly entries: ReadonlyMap<string, string>;
}

/** Parses the sources given by path. */
export function createWorkspace(
  sources: Readonly<Record<string, string>>,
  entries: Readonly<Record<string, string>> = {},
): Workspace {
  const parsed = Object.entries(sources).map(([path, text]) => [path, parseSource(path, text)] as const);
  return { files: new Map(parsed), entries: new Map(Object.entries(entries)) };
}

/** The path of the file that a link leads to, or undefined when it leads out of the workspace. */
export function resolveLink({ entries }: Workspace, from: SourceFile, { specifier }: ImportLink): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from.path), specifier);
  return entries.get(specifier);
}

/** The files in which the names that a link takes as values are declared, seen through barrels. */
export function resolveOrigins(workspace: Workspace, from: SourceFile, link: ImportLink): SourceFile[] {
  const path = resolveLink(workspace, from, link);
  const file = path === undefined ? undefined : workspace.files.get(path);
  if (file === undefined || link.isTypeOnly) return [];
  if (!file.isBarrel) return [file];
  const inner = file.links.filter(({ isTypeOnly }) => !isTypeOnly);
  if (link.names === undefined) return inner.flatMap((next) => resolveOrigins(workspace, file, next));
  return link.names.flatMap((name) => {
    const next = findReexport(file, name);
    return next === undefined ? [] : resolveOrigins(workspace, file, next);
  });
}

/** The link of a barrel through which it exports `name`. */
function findReexport(barrel: SourceFile, name: string): ImportLink | undefined {
  for (const { entries } of barrel.module.staticExports) {
    const entry = entries.find(({ exportName }) => exportName.name === name);
    if (entry === undefined || entry.moduleRequest === null) continue;
    const names = [entry.importName.name ?? name];
    return { specifier: entry.moduleRequest.value, isTypeOnly: entry.isType, names, line: 0 };
  }
  return undefined;
}

/** The sources of packages that are published: neither tests nor what only tests use. */
export function publishedFiles({ files }: Workspace): SourceFile[] {
  return [...files.values()].filter((file) => file.package !== undefined && !file.isTest);
}
