import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SavedGeneration } from "../flow/positions.ts";
import { layoutOf, positionLayouts, PositionsUnreadableError, upgradePositions } from "./position-schema.ts";
import { openPositionStore, PositionsUnavailableError, readPositions } from "./position-store.ts";

let directory = "";
const pathOf = (name: string) => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "millrace-positions-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const generation: SavedGeneration = {
  id: "g1",
  path: "/var/log/app.log",
  device: "18446744073709551615",
  inode: "18446744073709551614",
  bornMs: 1_700_000_000_000.5,
  fingerprint: { lengthBytes: 1024, digest: "ab".repeat(16) },
  positionBytes: 9_007_199_254_740_991,
  marker: { lengthBytes: 64, digest: "cd".repeat(16) },
  framing: { headerLinesLeft: 2, inside: "discard", ended: false },
  sizeBytes: 9_007_199_254_740_991,
  modifiedMs: 1_700_000_000_001.25,
  isMissing: true,
  updatedMs: 1_700_000_000_002,
};

test("scenario 41: positions come back as they were saved, with numbers of 64 bits", () => {
  const store = openPositionStore(pathOf("deep/positions.db"));
  store.save("f", [generation, { ...generation, id: "g2", updatedMs: 1 }], []);
  store.save("f", [], ["g2"]);
  store.close();
  const again = openPositionStore(pathOf("deep/positions.db"));
  expect(again.load("f")).toEqual({ isKnown: true, generations: [generation] });
  expect(again.load("other")).toEqual({ isKnown: false, generations: [] });
  expect(again.flows()).toEqual(["f"]);
  again.close();
  const reading = readPositions(pathOf("deep/positions.db"));
  expect(reading.ok && reading.load("f").generations).toHaveLength(1);
  if (reading.ok) reading.close();
});

test("one agent has the file at a time", () => {
  const store = openPositionStore(pathOf("positions.db"));
  expect(() => openPositionStore(pathOf("positions.db"))).toThrow(PositionsUnavailableError);
  store.close();
  openPositionStore(pathOf("positions.db")).close();
});

test("a save that fails half-way leaves what was there", () => {
  const store = openPositionStore(pathOf("positions.db"));
  store.save("f", [generation], []);
  const broken = { ...generation, id: "g3", path: undefined as unknown as string };
  expect(() => store.save("f", [{ ...generation, positionBytes: 1 }, broken], [])).toThrow(/bound/);
  expect(store.load("f").generations).toEqual([generation]);
  store.close();
});

test("scenario 37: a file of an older layout is upgraded, and keeps its positions", () => {
  const store = openPositionStore(pathOf("positions.db"));
  store.save("f", [generation], []);
  store.close();
  const layouts = [...positionLayouts, "ALTER TABLE flow ADD COLUMN note TEXT;", "UPDATE flow SET note = 'upgraded';"];
  const database = new DatabaseSync(pathOf("positions.db"));
  const version = layoutOf(database, "positions.db", layouts);
  expect(version).toBe(positionLayouts.length);
  upgradePositions(database, version, layouts);
  expect(layoutOf(database, "positions.db", layouts)).toBe(layouts.length);
  expect({ ...database.prepare("SELECT * FROM flow").get() }).toEqual({ flow: "f", note: "upgraded" });
  expect(database.prepare("SELECT id FROM generation").all()).toHaveLength(1);
  database.close();
});

test("scenario 37: an upgrade that fails changes nothing, and is made anew at the next start", () => {
  openPositionStore(pathOf("positions.db")).close();
  const database = new DatabaseSync(pathOf("positions.db"));
  const failing = [...positionLayouts, "ALTER TABLE flow ADD COLUMN note TEXT;", "UPDATE nothing SET note = 1;"];
  expect(() => upgradePositions(database, 1, failing)).toThrow(/nothing/);
  expect(layoutOf(database, "positions.db", failing)).toBe(1);
  expect(database.prepare("PRAGMA table_info(flow)").all()).toHaveLength(1);
  database.close();
  openPositionStore(pathOf("positions.db")).close();
});

test("scenario 37: a file of a newer release is refused, with what to do, and is not changed", () => {
  const database = new DatabaseSync(pathOf("positions.db"));
  database.exec("PRAGMA user_version = 99");
  database.close();
  const before = readFileSync(pathOf("positions.db"));
  expect(() => openPositionStore(pathOf("positions.db"))).toThrow(/layout 99 .*newer release.*move the file away/);
  expect(readFileSync(pathOf("positions.db"))).toEqual(before);
});

test("another program's database is refused and not changed", () => {
  const database = new DatabaseSync(pathOf("checkpoints"));
  database.exec("CREATE TABLE FILE_CHECKPOINTS (flow TEXT)");
  database.close();
  const before = readFileSync(pathOf("checkpoints"));
  expect(() => openPositionStore(pathOf("checkpoints"))).toThrow(PositionsUnreadableError);
  expect(readFileSync(pathOf("checkpoints"))).toEqual(before);
});
