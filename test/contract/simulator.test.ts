import { expect, test } from "vitest";
import { kinesaliteDeviations, kinesisLocalDeviations } from "./deviations.ts";
import { contractCases, holdContract } from "./hold-contract.ts";
import { startSimulator } from "./targets.ts";

// No deviations, no slow cases: nothing is left out for the simulator.
holdContract("the simulator", startSimulator, []);

test("every case has a name and a rule with its source, and every deviation a case", () => {
  const names = contractCases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(contractCases.filter(({ rule }) => !/\[.+\]$/.test(rule))).toEqual([]);
  const deviating = [...kinesaliteDeviations, ...kinesisLocalDeviations].map(({ name }) => name);
  expect(deviating.filter((name) => !names.includes(name))).toEqual([]);
});
