/**
 * Pure. What no source may contain: the platform's clocks, timers and random numbers outside the one file that owns
 * them, what cannot be loaded by `require` or an older Node, `any`, `export *`, and tests that do not run.
 */
import type { Node } from "oxc-parser";
import { lineAt, walk } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";
import { publishedFiles } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** The one file that reads clocks, starts timers and draws random numbers; everything else takes its `System`. */
export const systemFile = "packages/core/src/runtime/system.ts";

const bannedMembers: Readonly<Record<string, RegExp>> = {
  Date: /^now$/,
  performance: /^(?:now|timeOrigin)$/,
  process: /^hrtime$/,
  AbortSignal: /^timeout$/,
  Math: /^random$/,
  crypto: /^(?:random|getRandom)/,
  webcrypto: /^(?:random|getRandom)/,
};
const bannedGlobals = new Set(["setTimeout", "setInterval", "setImmediate"]);
const bannedModules = /^(?:node:)?(?:timers|timers\/promises|perf_hooks)$/;
const globalObjects = new Set(["globalThis", "global", "window"]);

/** Uses of the host's time and chance, which would make a run depend on more than its seed. */
export function findClocks(workspace: Workspace): string[] {
  return publishedFiles(workspace)
    .filter(({ path }) => path !== systemFile)
    .flatMap((file) => report(file, (node, ancestors) => nameClock(node, ancestors.at(-1))));
}

function nameClock(node: Node, parent: Node | undefined): string | undefined {
  switch (node.type) {
    case "MemberExpression": {
      const property = propertyName(node);
      const object = objectName(node.object);
      if (property === undefined || object === undefined) return undefined;
      if (globalObjects.has(object) && bannedGlobals.has(property)) return property;
      return bannedMembers[object]?.test(property) === true ? `${object}.${property}` : undefined;
    }
    case "Identifier":
      return bannedGlobals.has(node.name) && !isPropertyName(node, parent) ? node.name : undefined;
    case "NewExpression":
      return objectName(node.callee) === "Date" && node.arguments.length === 0 ? "new Date()" : undefined;
    case "CallExpression":
      return objectName(node.callee) === "Date" ? "Date()" : undefined;
    case "ImportDeclaration":
      return nameClockImport(node);
    default:
      return undefined;
  }
}

function nameClockImport({ source, specifiers }: Extract<Node, { type: "ImportDeclaration" }>): string | undefined {
  if (bannedModules.test(source.value)) return source.value;
  if (!/^(?:node:)?crypto$/.test(source.value)) return undefined;
  return specifiers
    .map((one) =>
      one.type === "ImportSpecifier" && one.imported.type === "Identifier" ? one.imported.name : one.local.name,
    )
    .find((name) => /^(?:random|getRandom|webcrypto)/.test(name));
}

function propertyName({ computed, property }: Extract<Node, { type: "MemberExpression" }>): string | undefined {
  if (computed) return property.type === "Literal" && typeof property.value === "string" ? property.value : undefined;
  return property.type === "Identifier" ? property.name : undefined;
}

/** `Date` for `Date` and for `globalThis.Date`. */
function objectName(node: Node): string | undefined {
  if (node.type === "Identifier") return node.name;
  if (node.type !== "MemberExpression") return undefined;
  const object = objectName(node.object);
  return object !== undefined && globalObjects.has(object) ? propertyName(node) : undefined;
}

function isPropertyName(node: Node, parent: Node | undefined): boolean {
  if (parent?.type === "MemberExpression") return parent.property === node && !parent.computed;
  if (parent?.type === "Property") return parent.key === node && !parent.shorthand;
  return (
    parent?.type === "TSPropertySignature" ||
    parent?.type === "MethodDefinition" ||
    parent?.type === "TSMethodSignature"
  );
}

/**
 * What keeps a published module from loading where it must: a top-level await (`require` refuses the module) and `using`
 * (Node 22 cannot parse it, and compiled it drags in code of its own).
 */
export function findUnloadable(workspace: Workspace): string[] {
  return publishedFiles(workspace).flatMap((file) =>
    report(file, (node, ancestors) => {
      if (node.type === "VariableDeclaration" && node.kind.endsWith("using")) return node.kind;
      const isAwait = node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node.await);
      return isAwait && !ancestors.some(isFunction) ? "top-level await" : undefined;
    }),
  );
}

function isFunction({ type }: Node): boolean {
  return type === "FunctionDeclaration" || type === "FunctionExpression" || type === "ArrowFunctionExpression";
}

/** `any` and `export *`, in tests too. */
export function findLooseCode(workspace: Workspace): string[] {
  return [...workspace.files.values()].flatMap((file) =>
    report(file, (node) => {
      if (node.type === "TSAnyKeyword") return "any";
      return node.type === "ExportAllDeclaration" && node.exported === null ? "export *" : undefined;
    }),
  );
}

const testFunctions = new Set(["test", "it", "describe", "suite"]);
const bannedModifiers = new Set(["skip", "only", "todo", "skipIf", "runIf", "fails"]);

/** Tests that are switched off, or that switch the others off. */
export function findIdleTests(workspace: Workspace): string[] {
  return [...workspace.files.values()].flatMap((file) =>
    report(file, (node) => {
      if (node.type !== "MemberExpression") return undefined;
      const property = propertyName(node);
      if (property === undefined || !bannedModifiers.has(property)) return undefined;
      let object: Node = node.object;
      while (object.type === "MemberExpression" || object.type === "CallExpression") {
        object = object.type === "MemberExpression" ? object.object : object.callee;
      }
      return object.type === "Identifier" && testFunctions.has(object.name) ? `${object.name}.${property}` : undefined;
    }),
  );
}

function report(file: SourceFile, judge: (node: Node, ancestors: readonly Node[]) => string | undefined): string[] {
  const found: string[] = [];
  walk(file.program, (node, ancestors) => {
    const fault = judge(node, ancestors);
    if (fault !== undefined) found.push(`${file.path}:${lineAt(file.text, node.start)}: ${fault}`);
  });
  return found;
}
