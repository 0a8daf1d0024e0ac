import type { Shard } from "@millrace/core/kinesis";
import { describe, expect, test } from "vitest";
import { sentinel } from "../checkpoint/checkpoint.ts";
import type { Lease } from "../leases/lease.ts";
import { findHole, findMissingRanges, findOrphans, findStale } from "./lease-audit.ts";
import { findGarbage, isDispensable } from "./lease-cleanup.ts";
import { leaseForShard, planFirstLeases, planMissingLeases, type InitialPosition } from "./shard-sync.ts";

const last = 2n ** 128n - 1n;

/** A shard by its number; closed unless it is said to be open. */
function shard(id: number, parents: readonly number[] = [], isOpen = false, range = { start: 0n, end: last }): Shard {
  return {
    shardId: `s${id}`,
    parentShardId: parents[0] === undefined ? undefined : `s${parents[0]}`,
    adjacentParentShardId: parents[1] === undefined ? undefined : `s${parents[1]}`,
    startingHashKey: range.start,
    endingHashKey: range.end,
    startingSequenceNumber: String(1_000 + id),
    endingSequenceNumber: isOpen ? undefined : "9999",
  };
}

// Source: kcl.md 3.2, the worked example of KCL's own documentation.
const generations = [
  shard(0),
  shard(1),
  shard(2),
  shard(3),
  shard(4, [], true),
  shard(5),
  shard(6, [0, 1]),
  shard(7, [2, 3]),
  shard(8, [6, 7], true),
  shard(9, [5], true),
  shard(10, [5], true),
];

function planned(leased: readonly number[], position: InitialPosition, shards = generations): string[] {
  const ids = new Set(leased.map((id) => `s${id}`));
  return planMissingLeases(shards, ids, position).map(
    ({ shard: { shardId }, checkpoint }) => `${shardId} ${checkpoint.sequenceNumber}`,
  );
}

describe("shard sync of a stream that has leases", () => {
  test.each([
    ["LATEST", ["s6 LATEST"]],
    ["TRIM_HORIZON", ["s0 TRIM_HORIZON", "s1 TRIM_HORIZON"]],
    ["AT_TIMESTAMP", ["s0 AT_TIMESTAMP", "s1 AT_TIMESTAMP"]],
  ] as const)("the worked example, from %s", (position, expected) => {
    expect(planned([4, 5, 7], position)).toEqual(expected);
  });

  test.each(["LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"] as const)(
    "children of a leased shard are left to its end, from %s",
    (position) => {
      expect(planned([0, 1, 2, 3, 4, 5], position)).toEqual([]);
    },
  );

  test("open shards that lead to no lease get one of their own from LATEST", () => {
    expect(planned([4], "LATEST")).toEqual(["s8 LATEST", "s9 LATEST", "s10 LATEST"]);
  });

  test("a split of a split before the first sync starts at its oldest ancestor", () => {
    const shards = [shard(0), shard(1, [0]), shard(2, [0], true), shard(3, [1], true), shard(4, [1], true), shard(5)];
    expect(planned([5], "TRIM_HORIZON", shards)).toEqual(["s0 TRIM_HORIZON"]);
  });

  test("a shard whose parent has left the list starts itself", () => {
    expect(planned([9], "TRIM_HORIZON", [shard(3, [1], true), shard(9, [], true)])).toEqual(["s3 TRIM_HORIZON"]);
  });

  test("nothing is open: nothing is created", () => {
    expect(planned([1], "TRIM_HORIZON", [shard(0), shard(1)])).toEqual([]);
  });
});

test("the first leases are one per listed shard, oldest first, at the position", () => {
  const leases = planFirstLeases([shard(2, [], true), shard(1, [], true)], "LATEST");
  expect(leases.map(({ shard: { shardId } }) => shardId)).toEqual(["s1", "s2"]);
  expect(leases.every(({ checkpoint }) => checkpoint.sequenceNumber === "LATEST")).toBe(true);
});

test("a lease names both parents and the range of its shard", () => {
  const [missing] = planFirstLeases([shard(8, [6, 7], true)], "TRIM_HORIZON");
  expect(missing && leaseForShard(missing, "123:clicks:5:", "123:clicks:5")).toMatchObject({
    leaseKey: "123:clicks:5:s8",
    shardId: "s8",
    parentShardIds: ["s6", "s7"],
    hashRange: { start: 0n, end: last },
  });
});

function lease(id: number, checkpoint: string, fields: Partial<Lease> = {}): Lease {
  return {
    leaseKey: `s${id}`,
    shardId: `s${id}`,
    streamIdentifier: undefined,
    leaseOwner: undefined,
    checkpointOwner: undefined,
    leaseCounter: 0n,
    checkpoint: { ...sentinel("TRIM_HORIZON"), sequenceNumber: checkpoint },
    pendingCheckpoint: undefined,
    pendingCheckpointState: undefined,
    ownerSwitchesSinceCheckpoint: 0,
    parentShardIds: [],
    childShardIds: [],
    hashRange: { start: 0n, end: last },
    throughputKBps: undefined,
    latestSinceMs: undefined,
    attempts: undefined,
    ...fields,
  };
}

describe("the audit", () => {
  test("finds children that a finished parent has left without a lease [C1]", () => {
    const shards = [shard(0), shard(1, [0], true), shard(2, [0], true)];
    const found = findOrphans(shards, [lease(0, "SHARD_END"), lease(1, "1500")]);
    expect(found.map((orphan) => [orphan.shard.shardId, orphan.checkpoint.sequenceNumber])).toEqual([
      ["s2", "TRIM_HORIZON"],
    ]);
    // A parent that is still read creates them itself.
    expect(findOrphans(shards, [lease(0, "1500")])).toEqual([]);
    // Of a merge both parents must be finished.
    expect(findOrphans([shard(3, [1, 2], true)], [lease(1, "SHARD_END"), lease(2, "1500")])).toEqual([]);
  });

  test("finds a hole, and none in an overlap", () => {
    const half = last / 2n;
    const low = lease(0, "1", { hashRange: { start: 0n, end: half } });
    const high = lease(1, "1", { hashRange: { start: half + 1n, end: last } });
    expect(findHole([low, high])).toBeUndefined();
    expect(findHole([low, high, lease(2, "1")])).toBeUndefined();
    expect(findHole([low])).toEqual({ start: half + 1n, end: last });
    expect(findHole([high])).toEqual({ start: 0n, end: half });
    expect(findHole([low, { ...high, checkpoint: sentinel("SHARD_END") }])).toEqual({ start: half + 1n, end: last });
  });

  test("finds ranges that are not known yet", () => {
    const found = findMissingRanges([shard(0)], [lease(0, "1", { hashRange: undefined }), lease(1, "1")]);
    expect(found).toMatchObject([{ lease: { shardId: "s0" }, range: { start: 0n, end: last } }]);
  });

  test("finds leases of a stream that was deleted and made anew", () => {
    const shards = [shard(0, [], true), shard(1, [], true), shard(2, [], true)];
    const leases = [lease(0, "SHARD_END"), lease(1, "17"), lease(2, "1500"), lease(3, "17")];
    expect(findStale(shards, leases).map(({ shardId }) => shardId)).toEqual(["s0", "s1"]);
  });
});

const find =
  (...leases: readonly Lease[]) =>
  (shardId: string) =>
    leases.find((candidate) => candidate.shardId === shardId);

describe("clean-up", () => {
  const finished = lease(0, "SHARD_END", { childShardIds: ["s1", "s2"] });

  test("a finished lease goes once all its children were checkpointed", () => {
    expect(isDispensable(finished, find(lease(1, "1500"), lease(2, "SHARD_END")))).toBe(true);
    expect(isDispensable(finished, find(lease(1, "1500"), lease(2, "LATEST")))).toBe(true);
    expect(isDispensable(finished, find(lease(1, "1500"), lease(2, "TRIM_HORIZON")))).toBe(false);
    expect(isDispensable(finished, find(lease(1, "1500"), lease(2, "AT_TIMESTAMP")))).toBe(false);
    expect(isDispensable(finished, find(lease(1, "1500")))).toBe(false);
  });

  test("it stays while its parent has a lease, its children are unknown, or it is not finished", () => {
    const children = [lease(1, "1500"), lease(2, "1500")];
    const child = { ...finished, parentShardIds: ["s9"] };
    expect(isDispensable(child, find(...children, lease(9, "SHARD_END")))).toBe(false);
    expect(isDispensable(child, find(...children))).toBe(true);
    expect(isDispensable({ ...finished, childShardIds: [] }, find(...children))).toBe(false);
    expect(isDispensable({ ...finished, checkpoint: sentinel("LATEST") }, find(...children))).toBe(false);
  });

  test("a finished lease of a shard past the retention is garbage, an unfinished one is not", () => {
    const leases = [lease(1, "SHARD_END"), lease(2, "SHARD_END"), lease(3, "1500")];
    expect(findGarbage(leases, new Set(["s2"])).map(({ shardId }) => shardId)).toEqual(["s1"]);
  });
});
