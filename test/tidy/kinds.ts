/**
 * Pure. The three kinds of source file, told by the first word of the header: Pure files decide and import only Pure
 * ones, Driver files loop over ports, and Adapter files alone touch the host and the network.
 */
import { publishedFiles, resolveOrigins } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** What only Adapter files import. */
const adapterOnly =
  /^(?:@aws-sdk\/|@smithy\/|dynalite$|(?:node:)?(?:fs|fs\/promises|http|https|http2|net|tls|dgram|dns|child_process|sqlite)$)/;

/** What Pure files import from outside: arithmetic on bytes and text, and nothing that waits. */
const openToPure =
  /^(?:node:(?:assert|assert\/strict|buffer|crypto|path|util|string_decoder|zlib)|protobufjs\/minimal\.js|zod|picomatch|jsonc-parser|csv-parse\/sync)$/;

/** Files whose header does not begin with Pure., Driver. or Adapter.; a file that only gathers exports needs none. */
export function findMissingKinds(workspace: Workspace): string[] {
  return publishedFiles(workspace)
    .filter((file) => !file.isBarrel && file.kind === undefined)
    .map(({ path }) => `${path}: the first comment must begin with "Pure.", "Driver." or "Adapter."`);
}

/** Imports that a file's kind does not allow. */
export function findWrongKinds(workspace: Workspace): string[] {
  return publishedFiles(workspace).flatMap((file) =>
    file.links.flatMap((link) => {
      if (link.isTypeOnly) return [];
      const at = `${file.path}:${link.line}`;
      if (file.kind !== "Adapter" && !file.isBarrel && adapterOnly.test(link.specifier)) {
        return [`${at}: only an Adapter may import ${link.specifier}`];
      }
      if (file.kind !== "Pure") return [];
      const isInside = link.specifier.startsWith(".") || link.specifier.startsWith("@millrace/");
      if (!isInside && !openToPure.test(link.specifier)) return [`${at}: a Pure file may not import ${link.specifier}`];
      return resolveOrigins(workspace, file, link)
        .filter((origin) => origin.kind !== undefined && origin.kind !== "Pure")
        .map((origin) => `${at}: a Pure file may not import the ${origin.kind} ${origin.path}`);
    }),
  );
}
