import { expect, test } from "vitest";
import { findUndocumented } from "./docstrings.ts";
import { readWorkspace } from "./read-workspace.ts";
import { createWorkspace } from "./workspace.ts";

const index = "packages/core/src/index.ts";
const path = "packages/core/src/a.ts";
const undocumented = (source: string, barrel = `export * as all from "./a.ts";`) =>
  findUndocumented(createWorkspace({ [index]: barrel, [path]: source }, { "@millrace/core": index }));

test("everything that the packages of this workspace export is documented", () => {
  expect(findUndocumented(readWorkspace())).toEqual([]);
});

test("an exported symbol without a docstring is refused, whatever it is", () => {
  const barrel = `export { f, C, v } from "./a.ts"; export type { I, T } from "./a.ts";`;
  const source = `export function f() {}\nexport class C {}\nexport const v = 1;\nexport interface I {}\nexport type T = 1;`;
  expect(undocumented(source, barrel)).toEqual([
    `${path}:1: f has no docstring`,
    `${path}:2: C has no docstring`,
    `${path}:3: v has no docstring`,
    `${path}:4: I has no docstring`,
    `${path}:5: T has no docstring`,
  ]);
  expect(undocumented(source.replaceAll(/^/gm, "/** Says. */\n"), barrel)).toEqual([]);
});

test("a comment that is no docstring, or that stands elsewhere, does not count", () => {
  const barrel = `export { f } from "./a.ts";`;
  expect(undocumented(`// Says.\nexport function f() {}`, barrel)).toHaveLength(1);
  expect(undocumented(`/** Pure. Says. */\nconst a = 1;\nexport function f() {}`, barrel)).toHaveLength(1);
});

test("what no entry exports needs none, and a barrel within a barrel is followed", () => {
  expect(undocumented(`export function f() {}`, `export {};`)).toEqual([]);
  const sources = {
    [index]: `export { g as f } from "./inner/index.ts";`,
    "packages/core/src/inner/index.ts": `export { f as g } from "../a.ts";`,
    [path]: `export const f = 1;`,
  };
  expect(findUndocumented(createWorkspace(sources, { "@millrace/core": index }))).toEqual([
    `${path}:1: f has no docstring`,
  ]);
});

test("public methods of a class are documented; fields and what is private or overridden need not be", () => {
  const source = `/** A. */ export class C extends B {
  readonly open = 1;
  #hidden = 1;
  private old() {}
  override toString() {}
  constructor() {}
  /** Runs. */
  run() {}
  stop() {}
  [Symbol.asyncDispose]() {}
}`;
  expect(undocumented(source, `export { C } from "./a.ts";`)).toEqual([`${path}:9: C.stop has no docstring`]);
});

test("an option says its default, unless it is an object or must be given, and takes undefined", () => {
  const source = `/** O. */ export interface ReaderOptions {
  bare: string;
  /** Limit. */
  maxBytes?: number | undefined;
  /** Limit. @default 5 */
  maxRecords?: number | undefined;
  /** Mode. */
  mode?: "fast" | "slow" | undefined;
  /** Client. */
  client?: Client | undefined;
  /** Name. */
  name: string;
  /** Log. */
  log?: Logger;
}`;
  expect(undocumented(source, `export type { ReaderOptions } from "./a.ts";`)).toEqual([
    `${path}:2: ReaderOptions.bare has no docstring`,
    `${path}:4: ReaderOptions.maxBytes does not tell its @default`,
    `${path}:8: ReaderOptions.mode does not tell its @default`,
    `${path}:14: ReaderOptions.log must end in "| undefined"`,
  ]);
});
