/**
 * Adapter. Generates `src/generated/` from `src/aggregated-record.proto` with protobufjs-cli.
 *
 * Run it after a change of the schema: `pnpm --filter @millrace/aggregation generate`. A test compares what it makes with
 * what is committed. The code is kept in a TypeScript file so that `tsc -b` carries it into the package.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pbjs from "protobufjs-cli/pbjs.js";
import pbts from "protobufjs-cli/pbts.js";

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const generatedFolder = join(packageFolder, "src", "generated");

const banner = "// Generated from aggregated-record.proto by scripts/generate.ts. Do not edit.\n";
const shared = ["-t", "static-module", "-w", "esm", "--no-delimited", "--no-convert", "--no-verify", "--no-typeurl"];

/** The generated files by name. */
export async function generate(): Promise<Map<string, string>> {
  const run = promisify<string[], string | undefined>(pbjs.main);
  const proto = join(packageFolder, "src", "aggregated-record.proto");
  const code = await run([...shared, "--no-create", "--no-service", "--no-comments", proto]);
  const documented = await run([...shared, "--no-create", "--no-service", proto]);
  if (code === undefined || documented === undefined) throw new Error("pbjs answered nothing.");
  const types = await declarationsOf(documented);
  return new Map([
    ["aggregated-record.ts", typeScript(code)],
    ["aggregated-record-types.ts", types],
  ]);
}

/** The generated code as a TypeScript module whose exports have the generated types. */
function typeScript(code: string): string {
  const typed = code
    .replaceAll(/^export const (\w+) = /gm, "export const $1: typeof types.$1 = ")
    .replace("export const Tag", "const Tag")
    .replace(/\nexport \{\n {2}\$root as default\n\};\n/, "")
    // The registry is shared by every copy of protobufjs users: a private root cannot meet a message of theirs.
    .replace(/^const \$root = .*$/m, "const $root = {};");
  return `${banner}// @ts-nocheck\nimport type * as types from "./aggregated-record-types.ts";\n${typed.trimEnd()}\n`;
}

async function declarationsOf(documented: string): Promise<string> {
  const folder = join(packageFolder, "node_modules", ".cache");
  mkdirSync(folder, { recursive: true });
  const source = join(folder, "aggregated-record.js");
  writeFileSync(source, documented);
  const declarations = await promisify<string[], string | undefined>(pbts.main)([source]);
  if (declarations === undefined) throw new Error("pbts answered nothing.");
  const ambient = declarations
    .replace(/^import \* as \$protobuf.*$/m, 'import type $protobuf from "protobufjs/minimal.js";')
    // A 64-bit number is read as a Long; only this method of it is used, and `long` is protobufjs's dependency, not ours.
    .replace(
      /^import Long = .*$/m,
      "\n/** What is used of the `long` package. */\nexport interface Long {\n  toNumber(): number;\n}",
    )
    // Names that pbts keeps for callers of older releases.
    .replaceAll(/^\/\*\*\n \* Properties of an? \w+\.\n \* @deprecated [^]*?\n\}\n\n/gm, "")
    .replaceAll(/^export (class|namespace) /gm, "export declare $1 ");
  return `${banner}${ambient.trimEnd()}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(generatedFolder, { recursive: true });
  for (const [name, content] of await generate()) writeFileSync(join(generatedFolder, name), content);
}
