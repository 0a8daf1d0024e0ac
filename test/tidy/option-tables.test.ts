import { expect, test } from "vitest";
import { readText } from "./read-workspace.ts";

const table = readText("docs/kcl-options.md");

test("every option of the KCL has a row in docs/kcl-options.md", () => {
  const reference = readText("docs/reference/kcl.md");
  const section = reference.slice(reference.indexOf("## 6. Configuration"), reference.indexOf("## 7. Metrics"));
  const names = new Set(section.match(/\b[a-z]+(?:[A-Z][A-Za-z0-9]*)+\b/g));
  expect(names.size).toBeGreaterThan(100);
  expect([...names].filter((name) => !table.includes(name))).toEqual([]);
});

test("every option of the consumer stands in it too", () => {
  const source = readText("packages/consumer/src/options.ts");
  const options = source.slice(source.indexOf("export interface ConsumerOptions"));
  const names = [...options.matchAll(/^ {2}readonly (\w+)\??:/gm)].flatMap(([, name]) => name ?? []);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !table.includes(`\`${name}`))).toEqual([]);
});
