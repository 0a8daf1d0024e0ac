/**
 * Pure. What a comparison of shards and leases shows beyond missing leases.
 *
 * Source: kcl.md 3.2, 3.3 and 9.2 (5, 9).
 */
import { compareSequenceNumbers, type Shard } from "@millrace/core/kinesis";
import { isSentinel, isShardEnd, sentinel } from "../checkpoint/checkpoint.ts";
import type { HashRange, Lease } from "../leases/lease.ts";
import { parentShardIdsOf, type MissingLease } from "./shard-sync.ts";

/**
 * Children without a lease although a parent's lease says that it is finished: whoever ended the parent has left a hole,
 * which KCL's own shard sync never fills. All of a child's records are still to be read.
 */
export function findOrphans(shards: readonly Shard[], leases: readonly Lease[]): readonly MissingLease[] {
  const byShard = new Map(leases.map((lease) => [lease.shardId, lease]));
  return shards.flatMap((shard) => {
    if (byShard.has(shard.shardId)) return [];
    const parents = parentShardIdsOf(shard).flatMap((parentId) => byShard.get(parentId) ?? []);
    const isOrphan = parents.length > 0 && parents.every((parent) => isShardEnd(parent.checkpoint));
    return isOrphan ? [{ shard, checkpoint: sentinel("TRIM_HORIZON") }] : [];
  });
}

/** Hash ranges of leases whose creator did not know them. */
export function findMissingRanges(
  shards: readonly Shard[],
  leases: readonly Lease[],
): readonly { readonly lease: Lease; readonly range: HashRange }[] {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  return leases.flatMap((lease) => {
    const shard = byId.get(lease.shardId);
    if (lease.hashRange !== undefined || shard === undefined) return [];
    return [{ lease, range: { start: shard.startingHashKey, end: shard.endingHashKey } }];
  });
}

/**
 * Leases that cannot be of the shards that the stream lists under their names: the stream was deleted and made anew.
 * A finished lease of an open shard, or a checkpoint from before the shard's first sequence number.
 */
export function findStale(shards: readonly Shard[], leases: readonly Lease[]): readonly Lease[] {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  return leases.filter((lease) => {
    const shard = byId.get(lease.shardId);
    if (shard === undefined) return false;
    const { sequenceNumber } = lease.checkpoint;
    if (sequenceNumber === "SHARD_END") return shard.endingSequenceNumber === undefined;
    return !isSentinel(sequenceNumber) && compareSequenceNumbers(sequenceNumber, shard.startingSequenceNumber) < 0;
  });
}

/** Hash keys that no unfinished lease covers; undefined when there is no hole. Overlaps are allowed. */
export function findHole(leases: readonly Lease[]): HashRange | undefined {
  const ranges = leases
    .filter((lease) => !isShardEnd(lease.checkpoint))
    .flatMap((lease) => lease.hashRange ?? [])
    .toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  let next = 0n;
  for (const range of ranges) {
    if (range.start > next) return { start: next, end: range.start - 1n };
    if (range.end >= next) next = range.end + 1n;
  }
  const last = 2n ** 128n - 1n;
  return next > last ? undefined : { start: next, end: last };
}
