import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileFinder } from "./find-files.ts";

let directory: string;
let nowMs: number;
let finder: FileFinder;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "millrace-find-"));
  finder = new FileFinder(() => nowMs);
  nowMs = 1_800_000_000_000;
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (name: string) => join(directory, name);
const write = (...names: readonly string[]) => {
  for (const name of names) writeFileSync(at(name), "");
};
/** The directory says that it has been still for an hour: nothing but its time tells a listing from a fresh one. */
const stillSince = (ms: number) => utimesSync(directory, ms / 1000, ms / 1000);
const find = (include: readonly string[], exclude: readonly string[] = []) =>
  finder.find(include.map(at), exclude.map(at));

test("names match as a shell's would, names with a dot first too, and what is excluded is left out", async () => {
  write("app.log", "app.log.1", "db.log", ".hidden.log", "notes.txt");
  mkdirSync(at("folder.log"));
  symlinkSync(at("app.log"), at("link.log"));
  expect(await find(["*.log"], ["db*"])).toEqual([".hidden.log", "app.log", "link.log"].map(at));
  expect(await find(["{app,db}.log*", "app*"])).toEqual(["app.log", "app.log.1", "db.log"].map(at));
  expect(await find(["app.log"])).toEqual([at("app.log")]);
  expect(await find(["absent/*.log"])).toEqual([]);
});

test("a directory that is still gives the same listing, and what comes, goes or is renamed is seen at the next look", async () => {
  write("a.log");
  stillSince(nowMs - 3_600_000);
  const first = await find(["*.log"]);
  expect(await find(["*.log"])).toBe(first);
  write("b.log");
  expect(await find(["*.log"])).toEqual(["a.log", "b.log"].map(at));
  renameSync(at("a.log"), at("a.log.1"));
  expect(await find(["*.log"])).toEqual([at("b.log")]);
  unlinkSync(at("b.log"));
  expect(await find(["*.log"])).toEqual([]);
});

test("a change within one tick of the directory's clock is seen: a listing that is so young is not trusted", async () => {
  write("a.log");
  stillSince(nowMs);
  await find(["*.log"]);
  write("b.log");
  stillSince(nowMs);
  expect(await find(["*.log"])).toEqual(["a.log", "b.log"].map(at));
});

test("a directory whose time never changes is listed anew within a minute", async () => {
  write("a.log");
  stillSince(0);
  await find(["*.log"]);
  write("b.log");
  stillSince(0);
  expect(await find(["*.log"])).toEqual([at("a.log")]);
  nowMs += 60_000;
  expect(await find(["*.log"])).toEqual(["a.log", "b.log"].map(at));
});

test("another directory under the same path is another directory", async () => {
  mkdirSync(at("logs"));
  writeFileSync(at("logs/a.log"), "");
  utimesSync(at("logs"), 0, 0);
  await find(["logs/*"]);
  renameSync(at("logs"), at("logs.old"));
  mkdirSync(at("logs"));
  utimesSync(at("logs"), 0, 0);
  expect(await find(["logs/*"])).toEqual([]);
});

test("a directory with the characters of a pattern in its name is taken as written, and stars find directories", async () => {
  mkdirSync(at("[a]/deep"), { recursive: true });
  writeFileSync(at("[a]/one.log"), "");
  writeFileSync(at("[a]/deep/two.log"), "");
  expect(await find(["[a]/*.log"])).toEqual([at("[a]/one.log")]);
  expect(await find(["**/*.log"])).toEqual(["[a]/deep/two.log", "[a]/one.log"].map(at));
});
