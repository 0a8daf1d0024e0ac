import { existsSync, globSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../scripts/run-command.ts";
import { findDanglingDocuments, findDanglingParagraphs, findDesignFaults, updateFileMap } from "./design.ts";
import { readText, readWorkspace } from "./read-workspace.ts";
import { createWorkspace } from "./workspace.ts";

const path = "packages/core/src/a/draw.ts";
const workspace = createWorkspace({
  [path]: "/**\n * Pure. Draws one of\n * many. More follows.\n */\nexport const a = 1;",
  "packages/core/src/a/index.ts": `export { a } from "./draw.ts";`,
  "packages/core/src/a/draw.test.ts": `test("a", f);`,
});
const empty = "# Design\n\n<!-- files: written by `pnpm docs:update` -->\n<!-- end of files -->\n";
const listed = updateFileMap(empty, workspace);
const existing = (file: string) => file === path;

test("the design of this workspace names files that exist, and lists all there are", () => {
  expect(findDesignFaults(readText("docs/DESIGN.md"), readWorkspace(), (file) => existsSync(root + file))).toEqual([]);
});

test("the map has a file's kind and job from its header, and leaves out tests and what only gathers exports", () => {
  expect(listed.split("\n").filter((line) => line !== "")).toEqual([
    "# Design",
    "<!-- files: written by `pnpm docs:update` -->",
    "### packages/core/src",
    "- `a/draw.ts` (Pure) Draws one of many.",
    "<!-- end of files -->",
  ]);
});

test("a map that is up to date is accepted, and writing it again changes nothing", () => {
  expect(findDesignFaults(listed, workspace, existing)).toEqual([]);
  expect(updateFileMap(listed, workspace)).toBe(listed);
});

test("an old map, a missing map and a path that leads nowhere are refused", () => {
  expect(findDesignFaults(empty, workspace, existing)).toEqual(["the map of files is old: run `pnpm docs:update`"]);
  expect(findDesignFaults("# Design\n", workspace, existing)).toEqual(["the map of files is missing"]);
  const text = `${listed}See \`${path}\` and \`packages/core/src/gone.ts\`.\n`;
  expect(findDesignFaults(text, workspace, existing)).toEqual(["packages/core/src/gone.ts does not exist"]);
});

test("a comment that cites a document nobody has is refused", () => {
  const sources = createWorkspace({
    [path]: "/** Pure. Draws. */\n// Source: kcl.md 3.4, gone.md 1.2, awslabs/kcl, readme.md\nexport const a = 1;",
  });
  expect(findDanglingDocuments(sources, new Set(["kcl.md"]))).toEqual([`${path}:2: there is no gone.md`]);
});

test("the comments of this workspace cite documents and paragraphs that it has", () => {
  const files = readWorkspace();
  const documents = globSync(["*.md", "docs/**/*.md", "packages/*/*.md"], { cwd: root });
  expect(findDanglingDocuments(files, new Set(documents.map((file) => basename(file))))).toEqual([]);
  expect(findDanglingParagraphs(files, readText("docs/SPEC.md"))).toEqual([]);
});

test("a comment that cites a paragraph which is not there is refused", () => {
  const sources = createWorkspace({ [path]: "/** Pure. Leaves in order (SPEC S4, SPEC S40). */\nexport const a = 1;" });
  expect(findDanglingParagraphs(sources, "**S4. Shutdown.** In this order.\n")).toEqual([
    `${path}:1: SPEC.md has no S40`,
  ]);
});
