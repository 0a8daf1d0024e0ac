/**
 * Driver. Compares the packages' public types with docs/api; with `--update`, writes them there.
 *
 * The public types of an entry are the emitted declarations that it exports, and those of the same package that they
 * name, in alphabetical order and without comments: a difference is a change that a user's compiler can see.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describeEntry } from "./public-types.ts";
import { mustSucceed, root, runCommand } from "./run-command.ts";
import { listPackages } from "./workspace-packages.ts";

const update = process.argv.includes("--update");
await mustSucceed(runCommand("tsc", ["-b", ...listPackages().map(({ folder }) => `packages/${folder}`)]));
mkdirSync(`${root}docs/api`, { recursive: true });

const expected = new Map<string, string>();
for (const { folder, path, entries, isEmpty } of listPackages()) {
  if (isEmpty) continue;
  for (const { specifier, subpath, source } of entries) {
    const declarations = path + source.replace("./src/", "dist/").replace(/\.ts$/, ".d.ts");
    const name = [folder, ...subpath.split("/").slice(1)].join(".");
    expected.set(`docs/api/${name}.d.ts`, `// ${specifier}\n\n${describeEntry(declarations)}`);
  }
}

let differences = 0;
for (const [file, text] of expected) {
  const found = existsSync(root + file) ? readFileSync(root + file, "utf8") : "";
  if (found === text) continue;
  differences += 1;
  if (update) writeFileSync(root + file, text);
  else console.log(`${file} differs from the types of the sources:\n${firstDifference(found, text)}`);
}
for (const file of globSync("docs/api/*.d.ts", { cwd: root })) {
  if (expected.has(file)) continue;
  differences += 1;
  if (update) rmSync(root + file);
  else console.log(`${file} describes an entry that does not exist`);
}
if (update) console.log(`${differences} of ${expected.size} files written`);
else if (differences > 0) {
  console.log("An intended change of the public types is recorded with `pnpm docs:update`.");
  process.exitCode = 1;
}

function firstDifference(found: string, wanted: string): string {
  const before = found.split("\n");
  const after = wanted.split("\n");
  const line = after.findIndex((text, index) => text !== before[index]);
  const at = line === -1 ? after.length : line;
  return `  line ${at + 1}\n  docs/api: ${before[at] ?? "(end)"}\n  sources:  ${after[at] ?? "(end)"}`;
}
