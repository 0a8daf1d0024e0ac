/**
 * Pure. Which shards need a lease that have none, and where each begins.
 *
 * Source: kcl.md 3.2 (KCL's HierarchicalShardSyncer). A shard whose parent has a lease never gets one here: its parent's
 * end creates it. Only ancestors of open shards that no lease leads to are filled in.
 */
import { compareSequenceNumbers, type Shard } from "@millrace/core/kinesis";
import { sentinel, type Checkpoint } from "../checkpoint/checkpoint.ts";
import type { NewLease } from "../leases/lease.ts";

/** Where reading begins on a shard of which nothing was read yet. */
export type InitialPosition = "TRIM_HORIZON" | "LATEST" | "AT_TIMESTAMP";

/** A shard that is to get a lease. */
export interface MissingLease {
  readonly shard: Shard;
  readonly checkpoint: Checkpoint;
}

/** The ids of the shards that a shard was made from. */
export function parentShardIdsOf(shard: Shard): string[] {
  return [shard.parentShardId, shard.adjacentParentShardId].filter((id) => id !== undefined);
}

/**
 * Leases for a stream that has none: one for each shard that the service lists at the initial position.
 */
export function planFirstLeases(shards: readonly Shard[], position: InitialPosition): MissingLease[] {
  return inSequenceOrder(shards.map((shard) => ({ shard, checkpoint: sentinel(position) })));
}

/**
 * Leases for open shards that neither have one nor will get one from a parent.
 * @param shards every shard that the service lists, closed ones too.
 * @param leasedShardIds shards that have a lease.
 */
export function planMissingLeases(
  shards: readonly Shard[],
  leasedShardIds: ReadonlySet<string>,
  position: InitialPosition,
): MissingLease[] {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  const verdicts = new Map<string, boolean>();
  const wanted = new Set<string>();
  const missing = new Map<string, MissingLease>();

  /** True when a lease exists that leads to the shard; creates leases for its unleased side on the way. */
  const leadsToLease = (shardId: string): boolean => {
    const known = verdicts.get(shardId);
    if (known !== undefined) return known;
    // Against a cycle in what the service says; a shard is never its own ancestor.
    verdicts.set(shardId, false);
    const verdict = visit(shardId);
    verdicts.set(shardId, verdict);
    return verdict;
  };

  const visit = (shardId: string): boolean => {
    const shard = byId.get(shardId);
    if (shard === undefined) return false;
    if (leasedShardIds.has(shardId)) return true;
    const parents = parentShardIdsOf(shard).filter((id) => byId.has(id));
    const counting = new Set(parents.filter((id) => leadsToLease(id) || wanted.has(id)));
    if (counting.size === 0) {
      if (position !== "LATEST") wanted.add(shardId);
      return false;
    }
    for (const parentId of parents) {
      const parent = byId.get(parentId);
      if (parent === undefined || leasedShardIds.has(parentId)) continue;
      if (!wanted.has(parentId) && counting.has(parentId)) continue;
      const fromStart = counting.has(parentId) && position !== "AT_TIMESTAMP";
      missing.set(parentId, { shard: parent, checkpoint: sentinel(fromStart ? "TRIM_HORIZON" : position) });
    }
    return true;
  };

  for (const shard of shards) {
    if (shard.endingSequenceNumber !== undefined || leasedShardIds.has(shard.shardId)) continue;
    if (leadsToLease(shard.shardId)) continue;
    missing.set(shard.shardId, { shard, checkpoint: sentinel(position) });
  }
  return inSequenceOrder([...missing.values()]);
}

/** The new lease of a shard. */
export function leaseForShard(missing: MissingLease, leaseKeyPrefix: string, streamIdentifier?: string): NewLease {
  const { shard } = missing;
  return {
    leaseKey: `${leaseKeyPrefix}${shard.shardId}`,
    shardId: shard.shardId,
    streamIdentifier,
    checkpoint: missing.checkpoint,
    parentShardIds: parentShardIdsOf(shard),
    hashRange: { start: shard.startingHashKey, end: shard.endingHashKey },
  };
}

function inSequenceOrder(missing: MissingLease[]): MissingLease[] {
  return missing.toSorted((a, b) =>
    compareSequenceNumbers(a.shard.startingSequenceNumber, b.shard.startingSequenceNumber),
  );
}
