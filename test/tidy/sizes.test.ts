import { expect, test } from "vitest";
import { readText, readWorkspace } from "./read-workspace.ts";
import { findLongCode, limits } from "./sizes.ts";
import type { LongCode } from "./sizes.ts";
import { createWorkspace } from "./workspace.ts";

const path = "packages/core/src/a.ts";
const lines = (count: number) => "x();\n".repeat(count);
const longCode = (source: string, allowed: LongCode = {}, file = path) =>
  findLongCode(createWorkspace({ [file]: source }), allowed);
const reason = "a table that reads best in one piece";

test("files and functions of this workspace stay short, or have a reason", () => {
  expect(findLongCode(readWorkspace(), JSON.parse(readText("test/tidy/long-code.json")) as LongCode)).toEqual([]);
});

test("a file past the limit is refused", () => {
  expect(longCode(lines(limits.file))).toEqual([]);
  expect(longCode(lines(limits.file + 1))).toEqual([`${path}: 251 lines, at most 250`]);
});

test("a test file may be longer, and its functions as long as they like", () => {
  const file = "packages/core/src/a.test.ts";
  expect(longCode(`describe("a", () => {\n${lines(limits.test - 2)}});\n`, {}, file)).toEqual([]);
  expect(longCode(lines(limits.test + 1), {}, file)).toHaveLength(1);
});

test("a function past the limit is refused under its name, whichever way it is written", () => {
  const body = lines(limits.function);
  expect(longCode(`export async function load() {\n${body}}\n`)).toEqual([`${path}#load: 72 lines, at most 70`]);
  expect(longCode(`const load = async () => {\n${body}};\n`)).toEqual([`${path}#load: 72 lines, at most 70`]);
  expect(longCode(`class A {\n  async #load() {\n${body}}\n}\n`)).toEqual([`${path}#load: 72 lines, at most 70`]);
  expect(longCode(`function load() {\n${lines(limits.function - 2)}}\n`)).toEqual([]);
});

test("a reason allows a length, which then may only fall", () => {
  const source = lines(300);
  expect(longCode(source, { [path]: { lines: 300, reason } })).toEqual([]);
  expect(longCode(source, { [path]: { lines: 299, reason } })).toEqual([`${path}: 300 lines, at most 299`]);
  expect(longCode(source, { [path]: { lines: 350, reason } })).toEqual([`${path}: has 300 lines now, lower its 350`]);
  expect(longCode(source, { [path]: { lines: 300, reason: "long" } })).toEqual([`${path}: its reason says too little`]);
});

test("an entry that nothing needs any more is refused", () => {
  const fault = `${path}: take it off the list, it is not too long`;
  expect(longCode(lines(10), { [path]: { lines: 300, reason } })).toEqual([fault]);
  expect(longCode(lines(10), { "packages/core/src/gone.ts": { lines: 300, reason } })).toHaveLength(1);
});
