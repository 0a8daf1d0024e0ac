/**
 * Pure. How long files and functions are. A longer one needs a reason in `long-code.json`, where a number may only
 * fall: what has shrunk is held at its new length.
 */
import { lineAt, walk } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";
import type { Workspace } from "./workspace.ts";

/** Lines that a source file, a test file and a function may have. */
export const limits = { file: 250, test: 600, function: 70 } as const;

/** How far a number in the list may lie above the length it allows. */
const slackLines = 10;

/** By `path` for a file, by `path#name` for a function: the length that is accepted, and why. */
export type LongCode = Readonly<Record<string, { readonly lines: number; readonly reason: string }>>;

interface Length {
  readonly lines: number;
  readonly limit: number;
}

/** Code that is too long, and entries of the list that the code no longer needs. */
export function findLongCode({ files }: Workspace, allowed: LongCode): string[] {
  const lengths = new Map<string, Length>();
  for (const file of files.values()) measure(file, lengths);
  const tooLong = [...lengths].flatMap(([name, { lines, limit }]) =>
    lines > Math.max(limit, allowed[name]?.lines ?? 0)
      ? [`${name}: ${lines} lines, at most ${allowed[name]?.lines ?? limit}`]
      : [],
  );
  const stale = Object.entries(allowed).flatMap(([name, { lines, reason }]) => {
    const found = lengths.get(name);
    if (found === undefined || found.lines <= found.limit) return [`${name}: take it off the list, it is not too long`];
    if (found.lines < lines - slackLines) return [`${name}: has ${found.lines} lines now, lower its ${lines}`];
    return reason.length < 20 ? [`${name}: its reason says too little`] : [];
  });
  return [...tooLong, ...stale];
}

function measure(file: SourceFile, lengths: Map<string, Length>): void {
  const isTestFile = file.path.endsWith(".test.ts");
  const count = file.text.split("\n").length - 1;
  lengths.set(file.path, { lines: count, limit: isTestFile ? limits.test : limits.file });
  // The function of a describe block is as long as its tests.
  if (isTestFile) return;
  walk(file.program, (node, ancestors) => {
    const parent = ancestors.at(-1);
    if (
      node.type !== "FunctionDeclaration" &&
      node.type !== "FunctionExpression" &&
      node.type !== "ArrowFunctionExpression"
    )
      return;
    const lines = lineAt(file.text, node.end) - lineAt(file.text, node.start) + 1;
    if (lines <= limits.function) return;
    const named = node.type !== "FunctionDeclaration" && parent !== undefined ? parent : node;
    const name = /^(?:static |async |get |set |\*)*#?([\w$]+)/.exec(nameText(file.text, named))?.[1] ?? "function";
    lengths.set(`${file.path}#${name}`, { lines, limit: limits.function });
  });
}

function nameText(text: string, node: { readonly type: string; readonly start: number; readonly end: number }): string {
  return text.slice(node.start, node.end).replace(/^(?:export )?(?:async )?function\*? ?/, "");
}
