/** An audit that finds nothing is only worth something if it finds what is there to be found. */
import { expect, test } from "vitest";
import { audit } from "./audit.ts";
import type { Entry } from "./worker-lines.ts";

const started = (workerId: string, from: string, shardId = "shard-0"): Entry => ({
  type: "started",
  shardId,
  from,
  workerId,
});
const records = (workerId: string, places: readonly string[], shardId = "shard-0"): Entry => ({
  type: "records",
  shardId,
  records: places.map((place) => [place, `text of ${place}`]),
  workerId,
});
const checkpointed = (workerId: string, place: string): Entry => ({
  type: "checkpointed",
  shardId: "shard-0",
  place,
  workerId,
});
const ended = (workerId: string, shardId: string): Entry => ({ type: "ended", shardId, workerId });

function found(journal: readonly Entry[], places: readonly string[], exactlyOnce = true): readonly string[] {
  const put = new Set(places.map((place) => `text of ${place}`));
  return audit({ journal, put, parents: new Map([["shard-1", ["shard-0"]]]), exactlyOnce }).wrong;
}

/** A hand-over in the middle of an aggregate, with nothing wrong. */
const handOver = [
  started("a", "TRIM_HORIZON/0"),
  records("a", ["9/0", "10/0", "10/1"]),
  checkpointed("a", "10/1"),
  started("b", "10/1"),
  records("b", ["10/2", "11/0"]),
  checkpointed("b", "11/0"),
];
const all = ["9/0", "10/0", "10/1", "10/2", "11/0"];

test("finds nothing where nothing is wrong", () => {
  expect(found(handOver, all)).toEqual([]);
  // A worker that was killed before it could checkpoint.
  const killed = [started("a", "9/0"), records("a", ["10/0"]), started("b", "9/0"), records("b", ["10/0"])];
  expect(found(killed, ["10/0"], false)).toEqual([]);
});

test.each<[string, readonly Entry[], readonly string[], string]>([
  ["a record that nobody got", handOver, [...all, "12/0"], "1 of 6 records were never delivered"],
  ["a record that nobody put", handOver, all.slice(1), "1 records were never put"],
  [
    "a start before the last checkpoint",
    [...handOver, started("c", "10/1")],
    all,
    "started from 10/1 although 11/0 was checkpointed",
  ],
  ["a step back within a tenure", [...handOver, records("b", ["10/3"])], [...all, "10/3"], "got 10/3 after 11/0"],
  [
    "the place of the checkpoint, once more",
    [started("a", "9/0"), records("a", ["9/0"])],
    ["9/0"],
    "got 9/0 after 9/0",
  ],
  ["a record outside a tenure", [records("a", ["9/0"])], ["9/0"], "outside a tenure"],
  ["a checkpoint that goes back", [...handOver, checkpointed("a", "10/2")], all, "checkpointed 10/2 after 11/0"],
  [
    "a place read twice",
    [started("a", "9/0"), records("a", ["10/0"]), started("b", "9/0"), records("b", ["10/0"])],
    ["10/0"],
    "1 places were read more than once, as shard-0 10/0",
  ],
  ["a child before its parent", [started("a", "TRIM_HORIZON/0", "shard-1")], [], "before its parent shard-0 had ended"],
  ["a failure", [{ type: "failed", shardId: "shard-0", error: "Boom", workerId: "a" }], [], "Boom"],
])("[C1] [C2] [C3] [C5] finds %s", (_what, journal, places, expected) => {
  expect(found(journal, places)).toEqual([expect.stringContaining(expected)]);
});

test("a place may come twice where a lease expired, and not where it was handed over", () => {
  const lost: Entry = { type: "lost", shardId: "shard-0", workerId: "a" };
  const asked: Entry = { type: "asked", shardId: "shard-0", workerId: "a" };
  const first = [started("a", "9/0"), records("a", ["10/0"])];
  const second = [started("b", "9/0"), records("b", ["10/0"])];
  expect(found([...first, lost, ...second], ["10/0"])).toEqual([]);
  expect(found([...first, asked, lost, ...second], ["10/0"])).toHaveLength(1);
});

test("[C5] a child may start once its parent has ended", () => {
  expect(found([ended("a", "shard-0"), started("a", "TRIM_HORIZON/0", "shard-1")], [])).toEqual([]);
});
