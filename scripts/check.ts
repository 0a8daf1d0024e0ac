/**
 * Driver. `pnpm check`: everything about the workspace that can be judged without running the product.
 *
 * Every step runs even if an earlier one failed, so that one run shows all there is to repair. A step prints one line,
 * and its output only if it failed. `pnpm check types lint` runs the named steps alone.
 */
import { runCommand, runPnpm } from "./run-command.ts";
import type { CommandResult } from "./run-command.ts";

interface Step {
  readonly name: string;
  run(): Promise<CommandResult>;
}

const script = (path: string) => runCommand(process.execPath, [`scripts/${path}`]);

const steps: readonly Step[] = [
  // When a script installs by itself, pnpm only warns about a lockfile that does not fit the manifests.
  { name: "lockfile", run: () => runPnpm(["install", "--frozen-lockfile", "--prefer-offline"]) },
  { name: "types", run: () => runCommand("tsc", ["-b"]) },
  { name: "lint", run: () => runCommand("oxlint", ["--type-aware"]) },
  { name: "format", run: () => runCommand("oxfmt", ["--check", "."]) },
  { name: "unused", run: () => runCommand("knip", ["--no-progress", "--treat-config-hints-as-errors"]) },
  { name: "tidy", run: () => runCommand("vitest", ["run", "--reporter=dot", "test/tidy"]) },
  {
    name: "fuzz",
    run: () =>
      runCommand("vitest", ["run", "--reporter=dot", "packages/simulator/src/server/fuzz.test.ts"], {
        env: { MILLRACE_FUZZ_SECONDS: "60" },
      }),
  },
  { name: "docs", run: () => script("docs-code.ts") },
  { name: "api", run: () => script("api-snapshot.ts") },
  { name: "packages", run: () => script("package-shape.ts") },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`no step named ${unknown.join(", ")}; there are: ${steps.map((step) => step.name).join(", ")}`);
  process.exit(64);
}

const failed: string[] = [];
for (const step of steps) {
  if (wanted.length > 0 && !wanted.includes(step.name)) continue;
  const startedAt = Date.now();
  const result = await step.run();
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`${result.ok ? "ok    " : "FAILED"} ${step.name.padEnd(9)} ${seconds.padStart(6)} s`);
  if (!result.ok) {
    failed.push(step.name);
    console.log(result.output.trimEnd().replaceAll(/^/gm, "    "));
  }
}
if (failed.length > 0) {
  console.log(`failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
