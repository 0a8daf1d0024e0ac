import { expect, test } from "vitest";
import { createCounters } from "../events.ts";
import { findProblems, maxStuckMs } from "./health.ts";

test.each<[string, number | null, string | undefined, readonly string[]]>([
  ["idle", 0, undefined, []],
  ["throttled for a moment", maxStuckMs - 1, "slow down", []],
  ["failing for a minute", maxStuckMs, "slow down", ["f: slow down"]],
  ["failed", null, undefined, ["f: stopped"]],
])("a flow that is %s", (_, stuckMs, trouble, problems) => {
  const flow = { flow: "f", counters: createCounters(), unsettledRecords: 0, files: [], stuckMs, trouble };
  expect(findProblems([flow])).toEqual(problems);
});
