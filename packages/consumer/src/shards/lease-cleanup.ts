/**
 * Pure. Which leases are of no use any more.
 *
 * Source: kcl.md 3.6. A finished lease keeps its children in order and tells shard sync that they need none of its own,
 * so it goes only after them: once every child was checkpointed and its own parents' leases are gone.
 */
import { isShardEnd } from "../checkpoint/checkpoint.ts";
import type { Lease } from "../leases/lease.ts";

/** True when a finished lease may be deleted. `leaseOf` finds the lease of a shard of the same stream. */
export function isDispensable(lease: Lease, leaseOf: (shardId: string) => Lease | undefined): boolean {
  if (!isShardEnd(lease.checkpoint) || lease.childShardIds.length === 0) return false;
  if (lease.parentShardIds.some((parentId) => leaseOf(parentId) !== undefined)) return false;
  return lease.childShardIds.every((childId) => {
    const child = leaseOf(childId);
    return child !== undefined && !isUntouched(child);
  });
}

/** True while nothing of the shard was checkpointed. */
function isUntouched(lease: Lease): boolean {
  const { sequenceNumber } = lease.checkpoint;
  return sequenceNumber === "TRIM_HORIZON" || sequenceNumber === "AT_TIMESTAMP";
}

/**
 * Finished leases of shards that the stream does not list any more: their records are past the retention.
 * @param listedShardIds every shard of a listing that succeeded.
 */
export function findGarbage(leases: readonly Lease[], listedShardIds: ReadonlySet<string>): readonly Lease[] {
  return leases.filter((lease) => isShardEnd(lease.checkpoint) && !listedShardIds.has(lease.shardId));
}
