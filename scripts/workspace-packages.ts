/** Adapter. The published packages of the workspace, as their package.json files tell. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { root } from "./run-command.ts";

/** What the scripts read from a package.json. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly publishConfig: {
    readonly main?: string;
    readonly types?: string;
    readonly bin?: Readonly<Record<string, string>>;
    readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
    readonly typesVersions?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  };
}

/** A way into a package: `@millrace/core/runtime` and the source file behind it. */
export interface PackageEntry {
  /** What a user writes after `from`. */
  readonly specifier: string;
  /** `.` or `./runtime`. */
  readonly subpath: string;
  /** From the package's folder, `./src/runtime/index.ts`. */
  readonly source: string;
}

/** A published package. */
export interface WorkspacePackage {
  /** `core`, the name of its folder. */
  readonly folder: string;
  /** Absolute, with a slash at its end. */
  readonly path: string;
  readonly manifest: PackageManifest;
  readonly entries: readonly PackageEntry[];
  /** Nothing stands in it yet: there is no more to judge than that it packs. */
  readonly isEmpty: boolean;
}

/** Every package of `packages/`, in alphabetical order. */
export function listPackages(): WorkspacePackage[] {
  return globSync("packages/*/package.json", { cwd: root })
    .toSorted()
    .map((file) => {
      const folder = file.split("/")[1] ?? "";
      const manifest = JSON.parse(readFileSync(root + file, "utf8")) as PackageManifest;
      const entries = Object.entries(manifest.exports)
        .filter(([, source]) => source.endsWith(".ts"))
        .map(([subpath, source]) => ({ specifier: manifest.name + subpath.slice(1), subpath, source }));
      const path = `${root}packages/${folder}/`;
      const sources = [...entries.map(({ source }) => source), ...Object.values(manifest.bin ?? {})];
      return { folder, path, manifest, entries, isEmpty: sources.every((source) => isPlaceholder(path + source)) };
    });
}

function isPlaceholder(file: string): boolean {
  return !existsSync(file) || readFileSync(file, "utf8").trim() === "export {};";
}
