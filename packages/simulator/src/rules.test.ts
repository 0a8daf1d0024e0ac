import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { faultKinds } from "./faults/fault.ts";
import { serviceLimits } from "./limits.ts";

const here = new URL(".", import.meta.url);
const rules = readFileSync(new URL("../../../docs/simulator-rules.md", here), "utf8");

/** What stands in backticks in the first cells of tables. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = ""]) => cell.match(/[\w-]+/g) ?? []);
}

test("the page of rules names every limit and every fault, and no other", () => {
  const [limits = "", faults = ""] = rules.split("## Ordered faults");
  expect(namesIn(limits)).toEqual(expect.arrayContaining(Object.keys(serviceLimits)));
  expect(namesIn(limits)).toHaveLength(Object.keys(serviceLimits).length);
  expect(namesIn(faults).toSorted()).toEqual([...faultKinds].toSorted());
});

test("every row of the service's facts that bounds a call has tests named after it", () => {
  const tests = readdirSync(here)
    .filter((name) => /^(?:limits-.*|subscription)\.test\.ts$/.test(name))
    .map((name) => readFileSync(new URL(name, here), "utf8"))
    .join("\n");
  const titles = [...tests.matchAll(/(?:test|describe)(?:\.each\([^)]*\))?\(\s*["`](.*)["`],/g)].map(
    ([, title]) => title,
  );
  for (const row of ["record size", "PutRecords", "per shard", "large records", "partial failure", "routing", "AUTO"]) {
    expect(titles.some((title) => title?.includes(`1.1 ${row}`))).toBe(true);
  }
  for (const row of ["GetRecords", "iterators", "arrival time", "EFO consumers", "SubscribeToShard"]) {
    expect(titles.some((title) => title?.includes(`1.2 ${row}`))).toBe(true);
  }
  for (const row of [
    "ListShards",
    "calls a second",
    "UpdateShardCount",
    "shard quota",
    "on-demand",
    "retention",
    "identity",
    "encryption",
    "sequence number",
  ]) {
    expect(titles.some((title) => title?.includes(`1.3 ${row}`))).toBe(true);
  }
});
