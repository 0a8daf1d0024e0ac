/**
 * Pure. The numbered invariants of docs/SPEC.md and the tests that enforce them: each names the other.
 *
 * In SPEC.md an invariant is a heading `### [C4] ...`, closed by a line `Enforced by:` with the paths of its test files,
 * or by `Planned.` as long as no test cites it. A test cites it by the number in its title.
 */
import { walk } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";
import type { Workspace } from "./workspace.ts";

/** An invariant as the specification states it. */
export interface Invariant {
  readonly number: string;
  /** Paths of the files with its tests; empty when they are planned. */
  readonly tests: readonly string[];
  readonly isPlanned: boolean;
}

/** The invariants of a specification, in its order. */
export function readInvariants(spec: string): Invariant[] {
  return spec
    .split(/^(?=### \[)/m)
    .slice(1)
    .map((section) => {
      const number = /^### \[([A-Z]\d+)\]/.exec(section)?.[1] ?? "?";
      // The list of files may go on over several lines, up to an empty one.
      const enforced = /^Enforced by:([^]*?)(?:\n\n|\n?$(?![^]))/m.exec(section)?.[1] ?? "";
      const tests = [...enforced.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, path]) => path ?? "");
      return { number, tests, isPlanned: /^Planned\./m.test(section) };
    });
}

/** By invariant, the test files with a title that cites it. */
export function readCitations({ files }: Workspace): Map<string, string[]> {
  const citations = new Map<string, string[]>();
  for (const file of files.values()) {
    for (const number of citedIn(file)) citations.set(number, [...(citations.get(number) ?? []), file.path]);
  }
  return citations;
}

/** Numbers in the titles of a file's tests. */
function citedIn(file: SourceFile): Set<string> {
  const numbers = new Set<string>();
  if (!file.path.endsWith(".test.ts")) return numbers;
  walk(file.program, (node) => {
    if (node.type !== "CallExpression" || !/^(?:test|it|describe|suite)\b/.test(file.text.slice(node.start, node.end)))
      return;
    const [title] = node.arguments;
    if (title?.type !== "Literal" && title?.type !== "TemplateLiteral") return;
    const text = file.text.slice(title.start, title.end);
    for (const [, number] of text.matchAll(/\[([CA]\d+)\]/g)) numbers.add(number ?? "");
  });
  return numbers;
}

/** Where the specification and the tests do not name each other. */
export function findUnprovenInvariants(spec: string, workspace: Workspace): string[] {
  const invariants = readInvariants(spec);
  const citations = readCitations(workspace);
  const faults: string[] = [];
  for (const { number, tests, isPlanned } of invariants) {
    const citing = citations.get(number) ?? [];
    if (isPlanned && citing.length > 0) faults.push(`[${number}] is not planned any more: ${citing.join(", ")}`);
    if (!isPlanned && tests.length === 0) faults.push(`[${number}] names no test`);
    for (const path of tests)
      if (!citing.includes(path)) faults.push(`[${number}] names ${path}, where no title cites it`);
    if (isPlanned) continue;
    for (const path of citing)
      if (!tests.includes(path)) faults.push(`[${number}] does not name ${path}, which cites it`);
  }
  const known = new Set(invariants.map(({ number }) => number));
  for (const [number, paths] of citations) {
    if (!known.has(number)) faults.push(`[${number}] is not in the specification: ${paths.join(", ")}`);
  }
  const repeated = invariants.filter(
    ({ number }, index) => invariants.findIndex((one) => one.number === number) !== index,
  );
  return [...faults, ...repeated.map(({ number }) => `[${number}] is stated twice`)];
}

/** The specification with the lists of test files as the titles have them. */
export function updateTests(spec: string, workspace: Workspace): string {
  const citations = readCitations(workspace);
  return spec.replaceAll(/^### \[([A-Z]\d+)\][^]*?(?=^#{1,3} |$(?![^]))/gm, (section, number: string) => {
    const paths = citations.get(number)?.toSorted() ?? [];
    const list = paths.length === 0 ? "Planned." : `Enforced by: ${paths.map((path) => `\`${path}\``).join(",\n")}.`;
    const statement = section.replace(/^(?:Enforced by:|Planned\.)[^]*$/m, "").trimEnd();
    return `${statement}\n\n${list}\n\n`;
  });
}
