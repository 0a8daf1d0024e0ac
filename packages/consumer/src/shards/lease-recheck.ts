/**
 * Driver. Whether a lease that a scan did not show was never there.
 *
 * A scan is no snapshot, and shows rows of different ages. Shard 33 ended and was split into 41 and 42; all three were
 * read to their ends. Their leases are deleted, 33's first. The scan passes 33 before that and 41 after it: 41 looks like
 * a child that whoever ended 33 forgot. Created anew, it is read from its beginning once more, after its own children,
 * and never finishes, because they are gone.
 */
import type { Shard } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import type { LeaseTable } from "../leases/lease-table.ts";
import { parentShardIdsOf, type MissingLease } from "./shard-sync.ts";

/** Descendants that are looked for at most; a finished lease is deleted after all of its children have begun. */
const maxDescendants = 200;
/** A paused process must not act on what it read before. Leases are finished and deleted in no less than this. */
const maxAgeMs = 5_000;

export interface RecheckPorts {
  readonly table: LeaseTable;
  readonly system: System;
}

/** What the plan of missing leases was made from. */
export interface ScannedShards {
  readonly leaseKeyPrefix: string;
  readonly shards: readonly Shard[];
  readonly leasedShardIds: ReadonlySet<string>;
}

/**
 * Reads the leases of the shard's parents and descendants consistently. True when the parents' are as the scan showed
 * them and no descendant has one. What is false is left to the next comparison.
 */
export async function isStillMissing(
  { table, system }: RecheckPorts,
  { shard }: MissingLease,
  { leaseKeyPrefix, shards, leasedShardIds }: ScannedShards,
): Promise<boolean> {
  const startedAt = system.now();
  const isLeased = async (shardId: string): Promise<boolean | undefined> => {
    const row = await table.get(`${leaseKeyPrefix}${shardId}`, { consistent: true });
    return row.ok ? row.value !== undefined : undefined;
  };
  // A finished lease goes only after its children were leased: while a parent's is there, the shard's was not deleted.
  for (const parentId of parentShardIdsOf(shard)) {
    if ((await isLeased(parentId)) !== leasedShardIds.has(parentId)) return false;
  }
  for (const shardId of descendantsOf(shard.shardId, shards)) {
    if ((await isLeased(shardId)) !== false) return false;
  }
  return system.now() - startedAt <= maxAgeMs;
}

/** The nearest first. */
function descendantsOf(shardId: string, shards: readonly Shard[]): readonly string[] {
  const children = new Map<string, string[]>();
  for (const shard of shards) {
    for (const parentId of parentShardIdsOf(shard)) {
      const siblings = children.get(parentId);
      if (siblings === undefined) children.set(parentId, [shard.shardId]);
      else siblings.push(shard.shardId);
    }
  }
  const found = new Set(children.get(shardId));
  // A set hands out what is added while it is gone through.
  for (const descendant of found) {
    for (const child of children.get(descendant) ?? []) if (found.size < maxDescendants) found.add(child);
  }
  return [...found];
}
