import { describe, expect, test } from "vitest";
import { findMissingKinds, findWrongKinds } from "./kinds.ts";
import { readWorkspace } from "./read-workspace.ts";
import { createWorkspace } from "./workspace.ts";

test("every source file of this workspace says its kind and keeps to it", () => {
  const workspace = readWorkspace();
  expect(findMissingKinds(workspace)).toEqual([]);
  expect(findWrongKinds(workspace)).toEqual([]);
});

const missing = (source: string) => findMissingKinds(createWorkspace({ "packages/core/src/a.ts": source }));

describe("headers", () => {
  test("a file without one, or with another first word, is refused", () => {
    expect(missing(`export const a = 1;`)).toHaveLength(1);
    expect(missing(`/** Works out a. */\nexport const a = 1;`)).toHaveLength(1);
    expect(missing(`// Pure. Works out a.\nexport const a = 1;`)).toHaveLength(1);
  });

  test("a file with one is accepted, and so is one that only gathers exports", () => {
    expect(missing(`/** Pure. Works out a. */\nexport const a = 1;`)).toEqual([]);
    expect(missing(`#!/usr/bin/env node\n/**\n * Driver. Starts.\n */\nexport const a = 1;`)).toEqual([]);
    expect(missing(`export { b } from "./b.ts";\nexport type { C } from "./c.ts";`)).toEqual([]);
    expect(missing(`export {};`)).toEqual([]);
  });
});

describe("imports by kind", () => {
  const sources = {
    "packages/core/src/index.ts": `export { draw } from "./draw.ts"; export { wait } from "./wait.ts";`,
    "packages/core/src/draw.ts": `/** Pure. Draws. */ export const draw = 1;`,
    "packages/core/src/wait.ts": `/** Adapter. Waits. */ export const wait = 1;`,
  };
  const wrong = (source: string) =>
    findWrongKinds(
      createWorkspace(
        { ...sources, "packages/core/src/a.ts": source },
        { "@millrace/core": "packages/core/src/index.ts" },
      ),
    );

  test("a Pure file that imports a Driver or an Adapter is refused, also through a barrel", () => {
    const fault = "packages/core/src/a.ts:1: a Pure file may not import the Adapter packages/core/src/wait.ts";
    expect(wrong(`/** Pure. A. */ import { wait } from "./wait.ts";`)).toEqual([fault]);
    expect(wrong(`/** Pure. A. */ import { draw, wait } from "./index.ts";`)).toEqual([fault]);
    expect(wrong(`/** Pure. A. */ import * as all from "@millrace/core";`)).toEqual([fault]);
  });

  test("a Pure file may import Pure ones, types of any, and arithmetic", () => {
    expect(
      wrong(`/** Pure. A. */ import { draw } from "@millrace/core"; import type { wait } from "./wait.ts";`),
    ).toEqual([]);
    expect(wrong(`/** Pure. A. */ import { createHash } from "node:crypto";`)).toEqual([]);
    expect(wrong(`/** Pure. A. */ import PQueue from "p-queue";`)).toHaveLength(1);
  });

  test("the host and the network are open to Adapter files alone", () => {
    for (const specifier of ["@aws-sdk/client-kinesis", "node:fs/promises", "node:http2", "node:sqlite"]) {
      expect(wrong(`/** Driver. A. */ import { x } from "${specifier}";`)).toHaveLength(1);
      expect(wrong(`/** Driver. A. */ import type { x } from "${specifier}";`)).toEqual([]);
      expect(wrong(`/** Adapter. A. */ import { x } from "${specifier}";`)).toEqual([]);
    }
  });
});
