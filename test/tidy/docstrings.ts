/**
 * Pure. Documentation of what users see: every symbol that a public entry exports, the public methods of its classes,
 * and every option, with its default where it has one.
 */
import type { Class, Node } from "oxc-parser";
import { lineAt } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";
import { resolveLink } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** Public symbols, members and options without a docstring, or without what it must say. */
export function findUndocumented(workspace: Workspace): string[] {
  const faults = new Set<string>();
  for (const path of workspace.entries.values()) {
    const entry = workspace.files.get(path);
    if (entry === undefined) continue;
    for (const { file, name } of listExports(workspace, entry))
      for (const fault of judge(file, name)) faults.add(fault);
  }
  return [...faults];
}

interface Export {
  readonly file: SourceFile;
  readonly name: string;
}

/** The declarations behind the exports of `file`, types included, seen through barrels. */
function listExports(workspace: Workspace, file: SourceFile): Export[] {
  return file.module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, importName, exportName, localName }): Export[] => {
      if (moduleRequest === null) return [{ file, name: localName.name ?? exportName.name ?? "default" }];
      const link = { specifier: moduleRequest.value, isTypeOnly: false, names: undefined, line: 0 };
      const target = workspace.files.get(resolveLink(workspace, file, link) ?? "");
      const name = importName.name ?? "";
      return target === undefined ? [] : locate(workspace, target, name);
    }),
  );
}

function locate(workspace: Workspace, file: SourceFile, name: string): Export[] {
  for (const { entries } of file.module.staticExports) {
    const entry = entries.find(({ exportName }) => exportName.name === name);
    if (entry === undefined) continue;
    if (entry.moduleRequest === null) return [{ file, name: entry.localName.name ?? name }];
    const link = { specifier: entry.moduleRequest.value, isTypeOnly: false, names: undefined, line: 0 };
    const target = workspace.files.get(resolveLink(workspace, file, link) ?? "");
    return target === undefined ? [] : locate(workspace, target, entry.importName.name ?? name);
  }
  return [];
}

function judge(file: SourceFile, name: string): string[] {
  for (const statement of file.program.body) {
    const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declared === null || !declares(declared, name)) continue;
    const faults =
      documentation(file, statement) === undefined ? [`${at(file, statement)}: ${name} has no docstring`] : [];
    if (declared.type === "ClassDeclaration") return [...faults, ...judgeClass(file, name, declared)];
    const isOptions = declared.type === "TSInterfaceDeclaration" && name.endsWith("Options");
    return isOptions ? [...faults, ...judgeOptions(file, name, declared)] : faults;
  }
  return [];
}

function declares(node: Node, name: string): boolean {
  if (node.type === "VariableDeclaration") {
    return node.declarations.some(({ id }) => id.type === "Identifier" && id.name === name);
  }
  return "id" in node && node.id?.type === "Identifier" && node.id.name === name;
}

function judgeClass(file: SourceFile, name: string, declared: Class): string[] {
  return declared.body.body.flatMap((member) => {
    // A field tells itself by its name and type; a method does something.
    if (member.type !== "MethodDefinition") return [];
    if (member.accessibility === "private" || member.override || member.computed) return [];
    if (member.key.type !== "Identifier" || member.key.name === "constructor") return [];
    const text = documentation(file, member);
    // What an overload says holds for the body that follows it.
    if (text !== undefined || isOverloaded(declared, member)) return [];
    return [`${at(file, member)}: ${name}.${member.key.name} has no docstring`];
  });
}

function isOverloaded(declared: Class, member: Node): boolean {
  if (member.type !== "MethodDefinition" || member.key.type !== "Identifier") return false;
  const { name } = member.key;
  return declared.body.body.some(
    (other) =>
      other.type === "MethodDefinition" &&
      other.value.type === "TSEmptyBodyFunctionExpression" &&
      other.key.type === "Identifier" &&
      other.key.name === name,
  );
}

function judgeOptions(
  file: SourceFile,
  name: string,
  declared: Extract<Node, { type: "TSInterfaceDeclaration" }>,
): string[] {
  return declared.body.body.flatMap((member) => {
    if (member.type !== "TSPropertySignature" || member.key.type !== "Identifier") return [];
    const option = `${at(file, member)}: ${name}.${member.key.name}`;
    const text = documentation(file, member);
    if (text === undefined) return [`${option} has no docstring`];
    const type = file.text.slice(member.typeAnnotation?.start, member.typeAnnotation?.end);
    const faults: string[] = [];
    // Callers with exactOptionalPropertyTypes pass on options that they may not have.
    if (member.optional && !/\bundefined$/.test(type.trim())) faults.push(`${option} must end in "| undefined"`);
    const needsDefault = member.optional && /^:\s*\(?\s*(?:number|boolean|"[^"]*")/.test(type);
    if (needsDefault && !text.includes("@default")) faults.push(`${option} does not tell its @default`);
    return faults;
  });
}

/** The `/** ... *\/` comment right before a node, or undefined. */
function documentation(file: SourceFile, node: Node): string | undefined {
  const comment = file.comments.findLast(({ type, end }) => type === "Block" && end <= node.start);
  if (comment?.value.startsWith("*") !== true) return undefined;
  // Remarks to the linter may stand between.
  const between = file.text.slice(comment.end, node.start).replaceAll(/^\s*\/\/.*$/gm, "");
  return between.trim() === "" ? comment.value : undefined;
}

function at(file: SourceFile, node: Node): string {
  return `${file.path}:${lineAt(file.text, node.start)}`;
}
