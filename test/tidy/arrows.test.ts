import { describe, expect, test } from "vitest";
import { findCycles, findWrongArrows } from "./arrows.ts";
import { readWorkspace } from "./read-workspace.ts";
import { createWorkspace } from "./workspace.ts";

const entries = {
  "@millrace/aggregation": "packages/aggregation/src/index.ts",
  "@millrace/core/kinesis": "packages/core/src/kinesis/index.ts",
  "@millrace/core/runtime": "packages/core/src/runtime/index.ts",
  "@millrace/producer": "packages/producer/src/index.ts",
  "@millrace/consumer": "packages/consumer/src/index.ts",
  "@millrace/simulator": "packages/simulator/src/index.ts",
};
const wrongArrows = (path: string, source: string) => findWrongArrows(createWorkspace({ [path]: source }, entries));

test("the packages of this workspace import only in their direction, and nothing in a circle", () => {
  const workspace = readWorkspace();
  expect(findWrongArrows(workspace)).toEqual([]);
  expect(findCycles(workspace)).toEqual([]);
});

describe("an import is refused", () => {
  test.for([
    [
      "packages/aggregation/src/a.ts",
      `import { sleep } from "@millrace/core/runtime";`,
      "aggregation may not import core",
    ],
    [
      "packages/producer/src/a.ts",
      `import { Consumer } from "@millrace/consumer";`,
      "producer may not import consumer",
    ],
    [
      "packages/consumer/src/a.ts",
      `export { Producer } from "@millrace/producer";`,
      "consumer may not import producer",
    ],
    [
      "packages/producer/src/a.ts",
      `const s = await import("@millrace/simulator");`,
      "producer may not import simulator",
    ],
    ["packages/core/src/a.test.ts", `import { x } from "@millrace/simulator";`, "core may not import simulator"],
    [
      "packages/aggregation/src/a.test.ts",
      `import { x } from "@millrace/simulator";`,
      "aggregation may not import simulator",
    ],
    [
      "packages/producer/src/a.ts",
      `import { x } from "../../core/src/a.ts";`,
      "../../core/src/a.ts leaves the package",
    ],
    [
      "packages/producer/src/a.ts",
      `import type { X } from "@millrace/core/inside";`,
      "@millrace/core/inside is not a public entry",
    ],
    [
      "packages/simulator/src/a.ts",
      `import { KinesisError, classifyFailure } from "@millrace/core/kinesis";`,
      "the simulator may not take classifyFailure from @millrace/core/kinesis",
    ],
    [
      "packages/simulator/src/a.ts",
      `import * as kinesis from "@millrace/core/kinesis";`,
      "the simulator may not take everything from @millrace/core/kinesis",
    ],
  ] as const)("in %s: %s", ([path, source, fault]) => {
    expect(wrongArrows(path, source)).toEqual([`${path}:1: ${fault}`]);
  });
});

describe("an import is accepted", () => {
  test.for([
    ["packages/core/src/a.ts", `import { Aggregator } from "@millrace/aggregation";`],
    ["packages/producer/src/a.ts", `import { sleep } from "@millrace/core/runtime";`],
    ["packages/producer/src/a.test.ts", `import { KinesisSimulator } from "@millrace/simulator";`],
    ["packages/consumer/src/testing-support/a.ts", `import { KinesisSimulator } from "@millrace/simulator";`],
    ["packages/aggregation/src/a.ts", `import type { System } from "@millrace/core/runtime";`],
    ["packages/simulator/src/a.ts", `import { realSystem } from "@millrace/core/runtime";`],
    ["packages/simulator/src/a.ts", `import { KinesisError } from "@millrace/core/kinesis";`],
    ["packages/simulator/src/a.ts", `import type { KinesisPort } from "@millrace/core/kinesis";`],
    ["test/contract/a.ts", `import { Producer } from "@millrace/producer";`],
  ] as const)("in %s: %s", ([path, source]) => {
    expect(wrongArrows(path, source)).toEqual([]);
  });
});

describe("circles of files", () => {
  test("are found through a barrel and reported once", () => {
    const workspace = createWorkspace({
      "packages/core/src/a.ts": `import { b } from "./index.ts"; export const a = b;`,
      "packages/core/src/b.ts": `import { a } from "./a.ts"; export const b = () => a;`,
      "packages/core/src/index.ts": `export { a } from "./a.ts"; export { b } from "./b.ts";`,
    });
    expect(findCycles(workspace)).toEqual([
      "packages/core/src/a.ts -> packages/core/src/index.ts -> packages/core/src/a.ts",
      "packages/core/src/a.ts -> packages/core/src/index.ts -> packages/core/src/b.ts -> packages/core/src/a.ts",
    ]);
  });

  test("are no circles when one of the steps is of types alone", () => {
    const workspace = createWorkspace({
      "packages/core/src/a.ts": `import type { B } from "./b.ts"; export const a = (b: B) => b;`,
      "packages/core/src/b.ts": `import { a } from "./a.ts"; export interface B { a: typeof a }`,
    });
    expect(findCycles(workspace)).toEqual([]);
  });
});
