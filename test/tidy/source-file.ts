/** Pure. One source file as the tidy rules see it: its syntax tree, what it imports, and what its header says. */
import { parseSync, visitorKeys } from "oxc-parser";
import type { Comment, EcmaScriptModule, Node, Program } from "oxc-parser";

/** The first word of a file's header: what kind of work the file does. */
export type FileKind = "Pure" | "Driver" | "Adapter";

/** One `import` or `export ... from`. */
export interface ImportLink {
  readonly specifier: string;
  /** `import type`: nothing is left of it at run time. */
  readonly isTypeOnly: boolean;
  /** The exported names it takes as values; undefined when it takes the whole module. */
  readonly names: readonly string[] | undefined;
  readonly line: number;
}

/** A parsed file. */
export interface SourceFile {
  /** From the root of the workspace. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
  readonly module: EcmaScriptModule;
  readonly links: readonly ImportLink[];
  /** Undefined when the header names none. */
  readonly kind: FileKind | undefined;
  /** Only gathers the exports of other files. */
  readonly isBarrel: boolean;
  readonly isTest: boolean;
  /** The folder of its package, `core`; undefined outside packages/. */
  readonly package: string | undefined;
}

/** Parses `text`. @throws {Error} when it is not TypeScript. */
export function parseSource(path: string, text: string): SourceFile {
  const { program, comments, module, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  return {
    path,
    text,
    program,
    comments,
    module,
    links: listLinks(text, module),
    kind: readKind(comments[0]),
    isBarrel: program.body.every((node) => node.type === "ExportNamedDeclaration" && node.declaration === null),
    isTest: /\.test\.ts$|\/testing-support\/|^test\/|^examples\//.test(path),
    package: /^packages\/([^/]+)\//.exec(path)?.[1],
  };
}

/** The line, counted from 1, on which the character at `index` stands. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < index; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

/** Calls `visit` with every node below `program`, and with the nodes above it: the parent is the last. */
export function walk(program: Program, visit: (node: Node, ancestors: readonly Node[]) => void): void {
  const above: Node[] = [];
  const step = (node: Node): void => {
    visit(node, above);
    above.push(node);
    for (const key of visitorKeys[node.type] ?? []) {
      const child = (node as unknown as Readonly<Record<string, Node | readonly (Node | null)[] | null | undefined>>)[
        key
      ];
      if (isList(child)) {
        for (const item of child) if (item !== null) step(item);
      } else if (child) step(child);
    }
    above.pop();
  };
  step(program);
}

function isList(child: unknown): child is readonly (Node | null)[] {
  return Array.isArray(child);
}

function listLinks(text: string, module: EcmaScriptModule): ImportLink[] {
  const links: ImportLink[] = [];
  for (const { start, end, moduleRequest, entries } of module.staticImports) {
    const values = entries.filter((entry) => !entry.isType);
    const isWhole = entries.length === 0 || /\*\s+as\s/.test(text.slice(start, end));
    links.push({
      specifier: moduleRequest.value,
      isTypeOnly: /^import\s+type\b/.test(text.slice(start, end)),
      names: isWhole ? undefined : values.map(({ importName }) => importName.name ?? "default"),
      line: lineAt(text, start),
    });
  }
  for (const { start, end, entries } of module.staticExports) {
    const [specifier] = entries.flatMap(({ moduleRequest }) => (moduleRequest === null ? [] : [moduleRequest.value]));
    if (specifier === undefined) continue;
    const values = entries.filter((entry) => !entry.isType);
    const isWhole = values.some(({ importName }) => importName.name === null);
    links.push({
      specifier,
      isTypeOnly: /^export\s+type\b/.test(text.slice(start, end)),
      names: isWhole ? undefined : values.map(({ importName }) => importName.name ?? "default"),
      line: lineAt(text, start),
    });
  }
  for (const { start, moduleRequest } of module.dynamicImports) {
    const specifier = /^["'](.*)["']$/.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[1];
    if (specifier !== undefined)
      links.push({ specifier, isTypeOnly: false, names: undefined, line: lineAt(text, start) });
  }
  return links;
}

function readKind(header: Comment | undefined): FileKind | undefined {
  if (header?.type !== "Block") return undefined;
  return /^\*\s+(?:\*\s+)?(Pure|Driver|Adapter)\. /.exec(header.value)?.[1] as FileKind | undefined;
}
