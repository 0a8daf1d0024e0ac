/**
 * Driver. `pnpm docs:update`: writes the parts of docs/ that the sources decide. They are the test files that SPEC.md
 * names, the map of files in DESIGN.md, and the public types in docs/api.
 */
import { writeFileSync } from "node:fs";
import { updateFileMap } from "../test/tidy/design.ts";
import { updateTests } from "../test/tidy/invariants.ts";
import { readText, readWorkspace } from "../test/tidy/read-workspace.ts";
import { mustSucceed, root, runCommand } from "./run-command.ts";

const workspace = readWorkspace();
writeFileSync(`${root}docs/SPEC.md`, updateTests(readText("docs/SPEC.md"), workspace));
writeFileSync(`${root}docs/DESIGN.md`, updateFileMap(readText("docs/DESIGN.md"), workspace));
const { stdout } = await mustSucceed(runCommand(process.execPath, ["scripts/api-snapshot.ts", "--update"]));
console.log(stdout.trimEnd());
await mustSucceed(runCommand("oxfmt", ["docs"]));
