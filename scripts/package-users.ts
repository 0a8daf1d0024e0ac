/**
 * Driver. Uses the packed packages as users do: loads them on the oldest supported Node, bundles a Lambda function, and
 * compiles a program against their types under each way that TypeScript resolves modules.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustSucceed, root, runCommand, runPnpm } from "./run-command.ts";
import type { CommandResult } from "./run-command.ts";
import type { WorkspacePackage } from "./workspace-packages.ts";

/** The oldest Node of `engines`; its programs come from the npm package `node`. */
const oldestNode = "22.13";

/** The last TypeScript that knows moduleResolution node10, which TypeScript 7 dropped and many projects still have. */
const olderTypeScript = "5.9.3";

/** A bundle of de-aggregation alone must not drag in the AWS SDK or a whole schema compiler. */
const lambdaBundleMaxBytes = 200_000;

interface UserInput {
  readonly tarballs: ReadonlyMap<WorkspacePackage, string>;
  /** Where the user's project is made. */
  readonly folder: string;
}

/** What does not work for a user; empty when everything does. */
export async function checkAsUser({ tarballs, folder }: UserInput): Promise<string[]> {
  const filled = [...tarballs.keys()].filter(({ isEmpty }) => !isEmpty);
  const specifiers = filled.flatMap(({ entries }) => entries.map((entry) => entry.specifier));
  const [node] = await Promise.all([installOldestNode(), installProject(tarballs, folder)]);
  const results = [
    ...(await loadEverything(node, folder, specifiers)),
    ...(filled.some(({ folder: name }) => name === "aggregation") ? await bundleLambda(node, folder) : []),
    ...(await compileProgram(folder, specifiers)),
  ];
  return results.flatMap(({ what, result }) => (result.ok ? [] : [`${what}\n${result.output}`]));
}

interface Finding {
  readonly what: string;
  readonly result: CommandResult;
}

async function installOldestNode(): Promise<string> {
  const folder = `${root}node_modules/.cache/node-${oldestNode}`;
  const program = join(folder, "node_modules/node/bin/node");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }));
    await mustSucceed(
      runCommand("npm", ["install", "--no-audit", "--no-fund", `node@${oldestNode}.x`], { cwd: folder }),
    );
  }
  const { stdout } = await mustSucceed(runCommand(program, ["--version"]));
  if (!stdout.startsWith(`v${oldestNode}.`)) throw new Error(`${program} is ${stdout.trim()}, not ${oldestNode}`);
  return program;
}

async function installProject(tarballs: UserInput["tarballs"], folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const ours = Object.fromEntries([...tarballs].map(([{ manifest }, tarball]) => [manifest.name, `file:${tarball}`]));
  const manifest = {
    name: "user",
    private: true,
    dependencies: {
      ...ours,
      "@aws-sdk/client-dynamodb": "^3.1143.0",
      "@aws-sdk/client-kinesis": "^3.1143.0",
      // The optional peer of the entries named opentelemetry.
      "@opentelemetry/api": "^1.9.0",
      "@types/node": "^22",
      esbuild: "^0.28.0",
      typescript: olderTypeScript,
    },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, undefined, 2));
  // The packages name each other by version; none of these versions is on a registry yet.
  // Install scripts of dependencies stay off: what we publish must work without them.
  const settings = { packages: ["."], overrides: ours, strictDepBuilds: false };
  writeFileSync(join(folder, "pnpm-workspace.yaml"), JSON.stringify(settings));
  await mustSucceed(runPnpm(["install", "--prefer-offline"], folder));
}

async function loadEverything(node: string, folder: string, specifiers: readonly string[]): Promise<Finding[]> {
  const list = JSON.stringify(specifiers);
  writeFileSync(
    join(folder, "load.mjs"),
    `import { createRequire } from "node:module";
     const require = createRequire(import.meta.url);
     for (const specifier of ${list}) {
       const imported = Object.keys(await import(specifier)).toSorted().join();
       const required = Object.keys(require(specifier)).filter((name) => name !== "__esModule").toSorted().join();
       if (imported !== required) throw new Error(specifier + ": import gives " + imported + ", require " + required);
     }`,
  );
  // A process that has imported a module gets the same one from require; this one has imported nothing.
  writeFileSync(join(folder, "load.cjs"), `for (const specifier of ${list}) require(specifier);`);
  return [
    { what: `import and require on Node ${oldestNode}`, result: await runCommand(node, ["load.mjs"], { cwd: folder }) },
    { what: `require alone on Node ${oldestNode}`, result: await runCommand(node, ["load.cjs"], { cwd: folder }) },
  ];
}

const lambdaHandler = `
import { Aggregator, deaggregate } from "@millrace/aggregation";

export async function handler(event) {
  return event.Records.flatMap((record) => deaggregate(record)).map((record) => Buffer.from(record.data).toString());
}

const aggregator = new Aggregator();
for (const data of ["one", "two"]) aggregator.add({ partitionKey: "key", data });
const { data, partitionKey } = aggregator.build();
const record = (sequenceNumber, bytes) =>
  ({ kinesis: { data: Buffer.from(bytes).toString("base64"), partitionKey, sequenceNumber, approximateArrivalTimestamp: 1 } });
handler({ Records: [record("1", data), record("2", Buffer.from("three"))] }).then((texts) => {
  if (texts.join() !== "one,two,three") throw new Error("the handler saw " + texts.join());
});
`;

async function bundleLambda(node: string, folder: string): Promise<Finding[]> {
  writeFileSync(join(folder, "handler.mjs"), lambdaHandler);
  const findings: Finding[] = [];
  for (const [format, outfile] of [
    ["cjs", "bundle.cjs"],
    ["esm", "bundle.mjs"],
  ] as const) {
    const settings = ["--bundle", "--platform=node", "--target=node22", "--minify", `--format=${format}`];
    const bundled = await runCommand(
      "node_modules/.bin/esbuild",
      ["handler.mjs", ...settings, `--outfile=${outfile}`],
      {
        cwd: folder,
      },
    );
    findings.push({ what: `a Lambda bundled as ${format}`, result: bundled });
    if (!bundled.ok) continue;
    const check = `const size = fs.statSync("${outfile}").size;
      if (size > ${lambdaBundleMaxBytes}) throw new Error("the bundle has " + size + " bytes");
      import("./${outfile}");`;
    const ran = await runCommand(node, ["-e", check], { cwd: folder });
    findings.push({ what: `the ${format} bundle on Node ${oldestNode}`, result: ran });
  }
  return findings;
}

async function compileProgram(folder: string, specifiers: readonly string[]): Promise<Finding[]> {
  // A module whose types were not found is \`any\`, which would accept everything.
  const program = [
    "type IsAny<T> = 0 extends 1 & T ? true : false;",
    "const known = (isAny: false): boolean => isAny;",
    ...specifiers.map((specifier, index) => `import * as m${index} from "${specifier}";`),
    ...specifiers.map((_, index) => `known(false as IsAny<typeof m${index}>);`),
    "",
  ].join("\n");
  for (const file of ["program.ts", "program.mts", "program.cts"]) writeFileSync(join(folder, file), program);
  const older = "node_modules/.bin/tsc";
  const common = ["--noEmit", "--strict", "--target", "es2022", "--types", "node"];
  const both = ["program.mts", "program.cts"];
  const ways: readonly [string, string, readonly string[]][] = [
    ["node10", older, ["--module", "commonjs", "--moduleResolution", "node10", "program.ts"]],
    ["node20", older, ["--module", "node20", ...both]],
    ["nodenext", "tsc", ["--module", "nodenext", ...both]],
  ];
  const findings: Finding[] = [];
  for (const [name, compiler, args] of ways) {
    const result = await runCommand(compiler, [...common, ...args], { cwd: folder });
    // Types of other packages are checked too, because only so do ours show what they could not find.
    const ours = result.output.split("\n").filter((line) => /^(?:program\.|.*@millrace)/.test(line));
    findings.push({
      what: `types under ${name}`,
      result: { ...result, ok: ours.length === 0, output: ours.join("\n") },
    });
  }
  return findings;
}
