import { describe, expect, test } from "vitest";
import { findClocks, findIdleTests, findLooseCode, findUnloadable, systemFile } from "./bans.ts";
import { readWorkspace } from "./read-workspace.ts";
import { createWorkspace } from "./workspace.ts";

const path = "packages/core/src/a.ts";

test("this workspace keeps time and chance in one file, loads everywhere, is strict, and runs all its tests", () => {
  const workspace = readWorkspace();
  expect(findClocks(workspace)).toEqual([]);
  expect(findUnloadable(workspace)).toEqual([]);
  expect(findLooseCode(workspace)).toEqual([]);
  expect(findIdleTests(workspace)).toEqual([]);
});

const clocks = (source: string, file = path) => findClocks(createWorkspace({ [file]: source }));

describe("time and chance", () => {
  test.for([
    "Date.now()",
    "globalThis.Date.now()",
    `Date["now"]()`,
    "new Date()",
    "Date()",
    "performance.now()",
    "process.hrtime.bigint()",
    "setTimeout(f, 1)",
    "globalThis.setTimeout(f, 1)",
    "const wait = { setImmediate };",
    "setInterval(f, 1)",
    "AbortSignal.timeout(1)",
    "Math.random()",
    "crypto.randomUUID()",
    "globalThis.crypto.getRandomValues(bytes)",
    `import { setTimeout as sleep } from "node:timers/promises";`,
    `import { performance } from "node:perf_hooks";`,
    `import { randomBytes } from "node:crypto";`,
    `import { randomUUID as id } from "node:crypto";`,
  ])("%s is refused", (source) => {
    expect(clocks(source)).not.toEqual([]);
  });

  test.for([
    "new Date(wallNow)",
    "system.now()",
    "Math.max(1, 2)",
    "timers.setTimeout(f, 1)",
    "const timers = { setTimeout: start };",
    "interface Timers { setTimeout(): void }",
    `import { createHash } from "node:crypto";`,
    `"Date.now()"`,
    "// Date.now()",
  ])("%s is accepted", (source) => {
    expect(clocks(source)).toEqual([]);
  });

  test("they are at home in the system file, and free in tests", () => {
    expect(clocks("Date.now()", systemFile)).toEqual([]);
    expect(clocks("Date.now()", "packages/core/src/a.test.ts")).toEqual([]);
  });
});

const unloadable = (source: string, file = path) => findUnloadable(createWorkspace({ [file]: source }));

describe("modules that not every Node can load", () => {
  test("a top-level await and using are refused", () => {
    expect(unloadable("await start();")).toEqual([`${path}:1: top-level await`]);
    expect(unloadable("if (a) { await start(); }")).toEqual([`${path}:1: top-level await`]);
    expect(unloadable("export {}; for await (const a of b) c(a);")).toEqual([`${path}:1: top-level await`]);
    expect(unloadable("function f() { using a = b(); }")).toEqual([`${path}:1: using`]);
    expect(unloadable("async function f() { await using a = b(); }")).toEqual([`${path}:1: await using`]);
  });

  test("an await in a function, and both in tests, are accepted", () => {
    expect(unloadable("const f = async () => { await g(); for await (const a of b) c(a); };")).toEqual([]);
    expect(unloadable("await using a = b();", "packages/core/src/a.test.ts")).toEqual([]);
  });
});

const loose = (source: string) => findLooseCode(createWorkspace({ [path]: source }));

describe("loose code", () => {
  test("any and export * are refused, in tests too", () => {
    expect(loose("let a: any;")).toEqual([`${path}:1: any`]);
    expect(loose("const f = (x: Array<any>) => x;")).toEqual([`${path}:1: any`]);
    expect(loose(`\nexport * from "./b.ts";`)).toEqual([`${path}:2: export *`]);
    expect(findLooseCode(createWorkspace({ "test/a.test.ts": "x as any" }))).toHaveLength(1);
  });

  test("unknown, named exports and a namespace with a name are accepted", () => {
    expect(loose(`let any: unknown; export { b } from "./b.ts"; export * as c from "./c.ts";`)).toEqual([]);
  });
});

const idle = (source: string) => findIdleTests(createWorkspace({ "test/a.test.ts": source }));

describe("idle tests", () => {
  test("switched-off tests and lone tests are refused", () => {
    for (const name of ["skip", "only", "todo", "skipIf", "runIf", "fails"]) {
      expect(idle(`test.${name}("a", f)`)).toEqual([`test/a.test.ts:1: test.${name}`]);
    }
    expect(idle(`describe.only("a", f); it.concurrent.skip("b", f); test.for([]).only("c", f)`)).toHaveLength(3);
  });

  test("properties of the same names on other objects are accepted", () => {
    expect(idle(`options.only; list.skip(1); test.each([])("a", f)`)).toEqual([]);
  });
});
