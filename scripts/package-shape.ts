/**
 * Driver. Judges the packages as a user gets them: built from nothing, packed, and installed from the tarballs.
 *
 * What must hold: a tarball has the compiled code, its types, a README and the licence, and nothing else; its manifest
 * says the same as the workspace's; and the program of a user loads, bundles and compiles (`package-users.ts`).
 */
import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAsUser } from "./package-users.ts";
import { mustSucceed, root, runCommand, runPnpm } from "./run-command.ts";
import { listPackages } from "./workspace-packages.ts";
import type { WorkspacePackage } from "./workspace-packages.ts";

/** A folder for the tarballs and the user's project; outside the workspace, so that nothing resolves into it. */
const scratch = mkdtempSync(join(tmpdir(), "millrace-packages-"));
const problems: string[] = [];

async function buildFromNothing(packages: readonly WorkspacePackage[]): Promise<void> {
  for (const { path } of packages) rmSync(`${path}dist`, { recursive: true, force: true });
  // What TypeScript remembers of the last build would keep it from writing the removed files again.
  const projects = packages.map(({ folder }) => `packages/${folder}`);
  for (const file of globSync("node_modules/.cache/tsc/*.tsbuildinfo", { cwd: root })) {
    if (!file.endsWith("tests.tsbuildinfo")) rmSync(root + file);
  }
  await mustSucceed(runCommand("tsc", ["-b", ...projects]));
}

/** The compiled file of a source. */
function dist(source: string, ending: string): string {
  return source.replace("./src/", "./dist/").replace(/\.ts$/, ending);
}

/** `exports` runs the sources in the workspace, `publishConfig` the compiled files at the user's: they must agree. */
function compareManifests({ manifest, entries }: WorkspacePackage): void {
  const { publishConfig } = manifest;
  for (const { specifier, subpath, source } of entries) {
    const published = publishConfig.exports[subpath];
    const expected = { types: dist(source, ".d.ts"), default: dist(source, ".js") };
    if (JSON.stringify(published) !== JSON.stringify(expected)) {
      problems.push(`${specifier}: publishConfig.exports must have ${JSON.stringify(expected)}`);
    }
    if (subpath === ".") {
      if (publishConfig.main !== expected.default || publishConfig.types !== expected.types) {
        problems.push(`${specifier}: publishConfig needs main ${expected.default} and types ${expected.types}`);
      }
    } else if (publishConfig.typesVersions?.["*"]?.[subpath.slice(2)]?.[0] !== expected.types) {
      // TypeScript under moduleResolution node10 does not read `exports`.
      problems.push(
        `${specifier}: publishConfig.typesVersions["*"]["${subpath.slice(2)}"] must be ["${expected.types}"]`,
      );
    }
  }
  for (const subpath of Object.keys(publishConfig.exports)) {
    if (!(subpath in manifest.exports)) problems.push(`${manifest.name}: publishes ${subpath}, which exports lacks`);
  }
  for (const [name, source] of Object.entries(manifest.bin ?? {})) {
    const expected = dist(source, ".js");
    if (publishConfig.bin?.[name] !== expected)
      problems.push(`${manifest.name}: publishConfig.bin.${name} must be ${expected}`);
  }
}

async function pack({ folder, path }: WorkspacePackage): Promise<string> {
  const destination = join(scratch, folder);
  await mustSucceed(runPnpm(["pack", "--pack-destination", destination], path));
  const [tarball] = globSync("*.tgz", { cwd: destination });
  if (tarball === undefined) throw new Error(`pnpm pack wrote no tarball for ${folder}`);
  return join(destination, tarball);
}

/** `etc` holds samples for operators, such as a unit file. */
const allowedFile =
  /^package\/(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.*\.(?:js|d\.ts|json|wasm|proto)|etc\/[^/]+)$/;

async function inspectTarball({ manifest }: WorkspacePackage, tarball: string): Promise<void> {
  const files = (await mustSucceed(runCommand("tar", ["tf", tarball]))).stdout.trim().split("\n");
  for (const file of files) {
    if (!allowedFile.test(file) || /\.test\.|testing-support/.test(file)) {
      problems.push(`${manifest.name}: the tarball must not have ${file}`);
    }
  }
  for (const file of ["package/LICENSE", "package/README.md", "package/package.json"]) {
    if (!files.includes(file)) problems.push(`${manifest.name}: the tarball lacks ${file}`);
  }
}

async function lintTarball({ manifest, entries }: WorkspacePackage, tarball: string): Promise<void> {
  const publint = await runCommand("publint", ["run", tarball, "--strict"]);
  if (!publint.ok) problems.push(`${manifest.name}: publint\n${publint.output}`);
  if (entries.length === 0) return;
  // An ES module that `require` loads is what we publish on purpose: Node has done it since 22.12.
  const attw = await runCommand("attw", [tarball, "--format", "ascii", "--profile", "esm-only", "--no-emoji"]);
  if (!attw.ok) problems.push(`${manifest.name}: attw\n${attw.output}`);
}

/** Runs `work` for every item, two at a time: the tools below load a compiler each. */
async function forEachOfTwo<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all([worker(), worker()]);
}

try {
  const packages = listPackages();
  await buildFromNothing(packages);
  const tarballs = new Map<WorkspacePackage, string>();
  await forEachOfTwo(packages, async (one) => {
    const tarball = await pack(one);
    tarballs.set(one, tarball);
    if (one.isEmpty) return;
    compareManifests(one);
    for (const { specifier, source } of one.entries) {
      if (!existsSync(one.path + source)) problems.push(`${specifier}: ${source} does not exist`);
    }
    await inspectTarball(one, tarball);
    await lintTarball(one, tarball);
  });
  problems.push(...(await checkAsUser({ tarballs, folder: join(scratch, "user") })));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

for (const problem of problems) console.log(problem);
if (problems.length > 0) process.exitCode = 1;
