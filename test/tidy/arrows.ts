/** Pure. Which package may import which, and that no files import each other in a circle. */
import { publishedFiles, resolveLink } from "./workspace.ts";
import type { ImportLink, SourceFile } from "./source-file.ts";
import type { Workspace } from "./workspace.ts";

const arrows: Readonly<Record<string, readonly string[]>> = {
  aggregation: [],
  core: ["aggregation"],
  producer: ["aggregation", "core"],
  consumer: ["aggregation", "core"],
  agent: ["aggregation", "core", "producer"],
  simulator: ["aggregation", "core"],
  cli: ["aggregation", "core", "producer", "consumer", "agent", "simulator"],
};

/** Packages whose tests may stand on the simulator. The two it is built on must not: they would judge themselves. */
const testedOnSimulator = new Set(["producer", "consumer", "agent"]);

/**
 * What the simulator may take from core as a value: clock, timers, option checks and the error that its port answers
 * with. Codecs and limits are its own, so that one mistake cannot stand on both sides of the wire.
 */
const simulatorTakesFromCore: Readonly<Record<string, readonly string[] | "everything">> = {
  "@millrace/core/runtime": "everything",
  "@millrace/core/options": "everything",
  "@millrace/core/kinesis": ["KinesisError"],
};

/** Imports that go against the direction of the packages. `import type` is free. */
export function findWrongArrows(workspace: Workspace): string[] {
  return [...workspace.files.values()].flatMap((file) =>
    file.links.flatMap((link) => {
      const fault = judgeLink(workspace, file, link);
      return fault === undefined ? [] : [`${file.path}:${link.line}: ${fault}`];
    }),
  );
}

function judgeLink(workspace: Workspace, file: SourceFile, link: ImportLink): string | undefined {
  const { specifier } = link;
  if (specifier.startsWith("@millrace/") && !workspace.entries.has(specifier)) {
    return `${specifier} is not a public entry`;
  }
  const owner = file.package;
  if (owner === undefined) return undefined;
  const target = resolveLink(workspace, file, link);
  if (specifier.startsWith(".") && target?.startsWith(`packages/${owner}/`) !== true) {
    return `${specifier} leaves the package`;
  }
  if (link.isTypeOnly || !specifier.startsWith("@millrace/")) return undefined;
  const targetPackage = specifier.split("/")[1] ?? "";
  if (file.isTest && targetPackage === "simulator" && testedOnSimulator.has(owner)) return undefined;
  if (arrows[owner]?.includes(targetPackage) !== true) return `${owner} may not import ${targetPackage}`;
  if (owner === "simulator" && targetPackage === "core") return judgeSimulator(link);
  return undefined;
}

function judgeSimulator({ specifier, names }: ImportLink): string | undefined {
  const allowed = simulatorTakesFromCore[specifier] ?? [];
  if (allowed === "everything") return undefined;
  const taken = names ?? ["everything"];
  const wrong = taken.filter((name) => !allowed.includes(name));
  return wrong.length === 0 ? undefined : `the simulator may not take ${wrong.join(", ")} from ${specifier}`;
}

/** Circles of files that import each other, each told once, as the path that closes it. */
export function findCycles(workspace: Workspace): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const from = trail.indexOf(path);
    if (from !== -1) cycles.push([...trail.slice(from), path].join(" -> "));
    if (from !== -1 || done.has(path)) return;
    const file = workspace.files.get(path);
    for (const link of file?.links ?? []) {
      const target = link.isTypeOnly || file === undefined ? undefined : resolveLink(workspace, file, link);
      if (target !== undefined) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of publishedFiles(workspace)) visit(path, []);
  return cycles;
}
