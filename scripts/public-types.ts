/** Adapter. Reads emitted declarations, and tells the types that an entry shows to its users. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseSync } from "oxc-parser";
import type { Comment, Directive, EcmaScriptModule, Node, Statement } from "oxc-parser";

interface DeclarationFile {
  readonly path: string;
  readonly text: string;
  readonly body: readonly (Directive | Statement)[];
  readonly module: EcmaScriptModule;
  /** By name, the text of each declaration without its comments. */
  readonly declarations: ReadonlyMap<string, string>;
}

/** A name in a file; the same declaration is reached under several names. */
interface Place {
  readonly path: string;
  readonly name: string;
}

const files = new Map<string, DeclarationFile>();

/** The declarations behind the entry `path`, as one text. */
export function describeEntry(path: string): string {
  const file = read(path);
  const exported: string[] = [];
  const reached = new Map<string, string>();
  for (const { exportedAs, place } of listExports(file).toSorted((a, b) => (a.exportedAs < b.exportedAs ? -1 : 1))) {
    const found = locate(place);
    if (found === undefined) {
      exported.push(`export { ${exportedAs} } from ${JSON.stringify(place.path)};`);
      continue;
    }
    const text = read(found.path).declarations.get(found.name) ?? "";
    exported.push(found.name === exportedAs ? text : `// exported as ${exportedAs}\n${text}`);
    collect(found, reached);
    reached.set(`${found.path}#${found.name}`, "");
  }
  const inner = [...reached.values()].filter((text) => text !== "").toSorted();
  const parts = inner.length === 0 ? exported : [...exported, "// Named above, not exported:", ...inner];
  return `${parts.join("\n\n")}\n`;
}

function read(path: string): DeclarationFile {
  const known = files.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(path, "utf8");
  const { program, module, comments } = parseSync(path, text);
  const hidden = program.body.flatMap((statement) => listInternalMembers(text, comments, statement));
  let bare = text;
  for (const { start, end } of [...comments, ...hidden])
    bare = bare.slice(0, start) + " ".repeat(end - start) + bare.slice(end);
  const declarations = new Map<string, string>();
  for (const statement of program.body) {
    for (const name of declaredNames(statement)) {
      const snippet = bare.slice(statement.start, statement.end).replaceAll(/^\s*\n/gm, "");
      // The overloads of a function are one declaration.
      declarations.set(name, [declarations.get(name), snippet].filter((part) => part !== undefined).join("\n"));
    }
  }
  const file = { path, text, body: program.body, module, declarations };
  files.set(path, file);
  return file;
}

/** Members marked `@internal`: they are emitted for the workspace's own packages, and promise nothing to users. */
function listInternalMembers(text: string, comments: readonly Comment[], statement: Directive | Statement): Node[] {
  const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
  if (declared?.type !== "ClassDeclaration" && declared?.type !== "TSInterfaceDeclaration") return [];
  return declared.body.body.filter((member) => {
    const comment = comments.findLast(({ end }) => end <= member.start);
    return comment?.value.includes("@internal") === true && text.slice(comment.end, member.start).trim() === "";
  });
}

function declaredNames(statement: Directive | Statement): string[] {
  const node =
    statement.type === "ExportNamedDeclaration" && statement.declaration !== null ? statement.declaration : statement;
  switch (node.type) {
    case "VariableDeclaration":
      return node.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
    case "ClassDeclaration":
    case "FunctionDeclaration":
    case "TSDeclareFunction":
      return node.id === null ? [] : [node.id.name];
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return [node.id.name];
    default:
      return [];
  }
}

function listExports({ path, module }: DeclarationFile): { exportedAs: string; place: Place }[] {
  return module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ exportName, importName, localName, moduleRequest }) => {
      const exportedAs = exportName.name;
      if (exportedAs === null) return [];
      const from = moduleRequest === null ? path : target(path, moduleRequest.value);
      return [{ exportedAs, place: { path: from, name: importName.name ?? localName.name ?? exportedAs } }];
    }),
  );
}

/** Where `specifier` leads: a declaration file of the same package, or a package's name as it stands. */
function target(path: string, specifier: string): string {
  return specifier.startsWith(".") ? resolve(dirname(path), specifier.replace(/\.[jt]s$/, ".d.ts")) : specifier;
}

/** Follows imports and exports to the declaration; undefined when it stands in another package. */
function locate({ path, name }: Place): Place | undefined {
  if (!existsSync(path)) return undefined;
  const file = read(path);
  if (file.declarations.has(name)) return { path, name };
  for (const { moduleRequest, entries } of file.module.staticImports) {
    const entry = entries.find(({ localName }) => localName.value === name);
    if (entry) return locate({ path: target(path, moduleRequest.value), name: entry.importName.name ?? name });
  }
  const reexport = listExports(file).find(({ exportedAs, place }) => exportedAs === name && place.path !== path);
  return reexport === undefined ? undefined : locate(reexport.place);
}

/** Adds to `reached` what the declaration at `place` names, and what that names in turn. */
function collect(place: Place, reached: Map<string, string>): void {
  const text = read(place.path).declarations.get(place.name) ?? "";
  for (const [name] of text.matchAll(/\b[A-Za-z_$][\w$]*/g)) {
    const found = locate({ path: place.path, name });
    if (found === undefined) continue;
    const key = `${found.path}#${found.name}`;
    if (reached.has(key)) continue;
    reached.set(key, read(found.path).declarations.get(found.name) ?? "");
    collect(found, reached);
  }
}
