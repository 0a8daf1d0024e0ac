import type { Shard } from "@millrace/core/kinesis";
import { Timeline } from "@millrace/simulator";
import { describe, expect, test } from "vitest";
import { sentinel } from "../checkpoint/checkpoint.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import { newLeaseRow } from "../leases/lease.ts";
import { isStillMissing } from "./lease-recheck.ts";
import { parentShardIdsOf } from "./shard-sync.ts";

function shard(id: string, ...parents: string[]): Shard {
  return {
    shardId: id,
    parentShardId: parents[0],
    adjacentParentShardId: parents[1],
    startingHashKey: 0n,
    endingHashKey: 1n,
    startingSequenceNumber: "1",
    endingSequenceNumber: "9",
  };
}

const shards = [
  shard("33"),
  shard("41", "33"),
  shard("42", "33"),
  shard("32"),
  shard("43", "32", "41"),
  shard("44", "43"),
];

/** Whether 41 is taken for missing when the scan showed some leases and the table now holds some. */
function isMissing(scanned: readonly string[], present: readonly string[]): Promise<boolean> {
  const table = new MemoryLeaseTable();
  for (const shardId of present) {
    const found = shards.find((candidate) => candidate.shardId === shardId) ?? shard(shardId);
    const lease = { leaseKey: shardId, shardId, parentShardIds: parentShardIdsOf(found), hashRange: undefined };
    void table.put(newLeaseRow({ ...lease, checkpoint: sentinel("SHARD_END") }), []);
  }
  const { system } = new Timeline().host("leader");
  const item = { shard: shard("41", "33"), checkpoint: sentinel("TRIM_HORIZON") };
  return isStillMissing({ table, system }, item, { leaseKeyPrefix: "", shards, leasedShardIds: new Set(scanned) });
}

describe("a lease that a scan did not show", () => {
  test("is missing while its parent's is there and no descendant has one", async () => {
    expect(await isMissing(["33"], ["33"])).toBe(true);
    expect(await isMissing([], [])).toBe(true);
  });

  test("was deleted where its parent's is gone, which the scan still showed", async () => {
    expect(await isMissing(["33"], [])).toBe(false);
  });

  test("was deleted where a descendant has one", async () => {
    expect(await isMissing(["33"], ["33", "44"])).toBe(false);
  });

  test("is left to its parent, whose lease the scan did not show yet", async () => {
    expect(await isMissing([], ["33"])).toBe(false);
  });
});
