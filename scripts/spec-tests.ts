/** Driver. `pnpm spec:update`: writes the test files that cite each invariant into docs/SPEC.md. */
import { writeFileSync } from "node:fs";
import { updateTests } from "../test/tidy/invariants.ts";
import { readText, readWorkspace } from "../test/tidy/read-workspace.ts";
import { root } from "./run-command.ts";

writeFileSync(`${root}docs/SPEC.md`, updateTests(readText("docs/SPEC.md"), readWorkspace()));
