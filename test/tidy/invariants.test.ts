import { expect, test } from "vitest";
import { findUnprovenInvariants, readInvariants, updateTests } from "./invariants.ts";
import { readText, readWorkspace } from "./read-workspace.ts";
import { createWorkspace } from "./workspace.ts";

const path = "packages/core/src/a.test.ts";
const spec = (closing: string) => `# Spec\n\n### [C4] Only the owner writes\n\nNo write by another.\n\n${closing}\n`;
const unproven = (text: string, source: string) => findUnprovenInvariants(text, createWorkspace({ [path]: source }));

test("the specification of this workspace and its tests name each other", () => {
  const text = readText("docs/SPEC.md");
  expect(readInvariants(text).map(({ number }) => number)).toContain("C1");
  expect(findUnprovenInvariants(text, readWorkspace())).toEqual([]);
});

test("an invariant and a test that name each other are accepted", () => {
  const proven = spec(`Enforced by: \`${path}\`.`);
  expect(unproven(proven, `test("[C4] a steal wins", f);`)).toEqual([]);
  expect(unproven(proven, `test.for([1])("[C4] a steal wins", f);`)).toEqual([]);
  expect(unproven(proven, "test.prop([x])(`${a} [C4]`, f);")).toEqual([]);
  expect(unproven(spec("Planned."), `test("a steal wins", f);`)).toEqual([]);
});

test("an invariant whose test is missing is refused", () => {
  const fault = `[C4] names ${path}, where no title cites it`;
  expect(unproven(spec(`Enforced by: \`${path}\`.`), `test("a steal wins", f);`)).toEqual([fault]);
  expect(unproven(spec(`Enforced by: \`${path}\`.`), `// [C4]\nconst a = "[C4]";`)).toEqual([fault]);
  expect(unproven(spec("Soon."), "")).toEqual(["[C4] names no test"]);
});

test("a test that the specification does not name, or does not know, is refused", () => {
  expect(unproven(spec("Planned."), `test("[C4] a", f);`)).toEqual([`[C4] is not planned any more: ${path}`]);
  expect(unproven(spec("Planned."), `test("[C99] a", f);`)).toEqual([`[C99] is not in the specification: ${path}`]);
  expect(unproven(spec("Enforced by: `other.test.ts`."), `test("[C4] a", f);`)).toContain(
    `[C4] does not name ${path}, which cites it`,
  );
});

test("a number that is given twice is refused", () => {
  expect(unproven(spec("Planned.") + spec("Planned."), "")).toEqual(["[C4] is stated twice"]);
});

test("the lists of tests are brought up to date in place", () => {
  const text = `${spec("Planned.")}\n## More\n\nText.\n`;
  const workspace = createWorkspace({ [path]: `test("[C4] a steal wins", f);` });
  const updated = updateTests(text, workspace);
  expect(findUnprovenInvariants(updated, workspace)).toEqual([]);
  expect(updated).toContain("No write by another.\n\nEnforced by: `packages/core/src/a.test.ts`.\n\n## More\n\nText.");
  expect(updateTests(updated, workspace)).toBe(updated);
  expect(updateTests(updated, createWorkspace({}))).toContain("No write by another.\n\nPlanned.\n\n## More");
});
