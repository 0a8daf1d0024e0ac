/**
 * Driver. The leader's regular comparison of a stream's shards with its leases.
 *
 * Source: kcl.md 3.2, 3.3 and 3.6. Creates what is missing, fills what was left out, deletes what is finished and over.
 */
import type { KinesisError, Shard } from "@millrace/core/kinesis";
import { parseLease, type Lease } from "../leases/lease.ts";
import { deletionConditions, hashRangeUpdate } from "../leases/lease-writes.ts";
import type { ConsumedStream } from "./consumed-stream.ts";
import { findMissingRanges, findOrphans, findStale } from "./lease-audit.ts";
import { findGarbage, isDispensable } from "./lease-cleanup.ts";
import { createFirstLeases, createLeases, type LeaseCreationPorts } from "./lease-creation.ts";
import { isStillMissing } from "./lease-recheck.ts";
import { listShards } from "./list-shards.ts";
import { initialPositionOf } from "./consumed-stream.ts";
import { planMissingLeases, type MissingLease } from "./shard-sync.ts";

/** How many leases were created, or the service's refusal. */
export type AuditOutcome =
  | { readonly ok: true; readonly created: number }
  | { readonly ok: false; readonly error: KinesisError };

/** Compares once. `leases` are the stream's own, from a scan. */
export async function auditStream(
  ports: LeaseCreationPorts,
  stream: ConsumedStream,
  leases: readonly Lease[],
  signal: AbortSignal,
): Promise<AuditOutcome> {
  if (leases.length === 0) return createFirstLeases(ports, stream, signal);
  const listing = await listShards(ports, stream.ref, { signal });
  if (!listing.ok) return listing;
  const { shards } = listing;
  for (const lease of findStale(shards, leases)) {
    ports.events.publish({ type: "stale-lease", leaseKey: lease.leaseKey, streamName: stream.streamName });
  }
  const position = initialPositionOf(stream);
  const leased = new Set(leases.map((lease) => lease.shardId));
  const missing = [...planMissingLeases(shards, leased, position), ...findOrphans(shards, leases)];
  const scanned = { leaseKeyPrefix: stream.leaseKeyPrefix, shards, leasedShardIds: leased };
  const isWanted = (item: MissingLease): Promise<boolean> => isStillMissing(ports, item, scanned);
  const created = await createLeases(ports, stream, missing, listing.serviceTime, isWanted);
  for (const { lease, range } of findMissingRanges(shards, leases)) {
    await ports.table.update(hashRangeUpdate(lease.leaseKey, range));
  }
  await deleteGarbage(ports, leases, shards);
  return { ok: true, created };
}

async function deleteGarbage(
  ports: LeaseCreationPorts,
  leases: readonly Lease[],
  shards: readonly Shard[],
): Promise<void> {
  // An empty list is no proof that shards are gone.
  if (shards.length === 0) return;
  for (const lease of findGarbage(leases, new Set(shards.map((shard) => shard.shardId)))) {
    await deleteLease(ports, lease, "shard-gone");
  }
}

/** Deletes the finished leases that nothing needs any more. */
export async function deleteFinished(ports: LeaseCreationPorts, leases: readonly Lease[]): Promise<void> {
  const byShard = new Map(leases.map((lease) => [`${lease.streamIdentifier ?? ""}:${lease.shardId}`, lease]));
  for (const lease of leases) {
    const leaseOf = (shardId: string): Lease | undefined => byShard.get(`${lease.streamIdentifier ?? ""}:${shardId}`);
    if (isDispensable(lease, leaseOf)) await deleteLease(ports, lease, "finished");
  }
}

/**
 * The same for the finished leases of one worker, read one by one: whoever leads may leave the deletion to their owner,
 * as KCL does.
 */
export async function deleteOwnFinished(ports: LeaseCreationPorts, leaseKeys: Iterable<string>): Promise<void> {
  for (const leaseKey of leaseKeys) {
    const lease = await readLease(ports, leaseKey);
    if (lease === undefined) continue;
    const prefix = leaseKey.slice(0, leaseKey.length - lease.shardId.length);
    const family = new Map<string, Lease>();
    for (const shardId of [...lease.parentShardIds, ...lease.childShardIds]) {
      const relative = await readLease(ports, `${prefix}${shardId}`);
      if (relative !== undefined) family.set(shardId, relative);
    }
    if (isDispensable(lease, (shardId) => family.get(shardId))) await deleteLease(ports, lease, "finished");
  }
}

async function readLease(ports: LeaseCreationPorts, leaseKey: string): Promise<Lease | undefined> {
  const row = await ports.table.get(leaseKey, { consistent: true });
  // A read that failed must not look like a lease that is gone.
  if (!row.ok) throw row.error;
  return row.value === undefined ? undefined : parseLease(row.value);
}

/** Deletes leases of a stream that is not read any more; gives how many. */
export async function deleteFormer(ports: LeaseCreationPorts, leases: readonly Lease[]): Promise<number> {
  let deleted = 0;
  for (const lease of leases) if (await deleteLease(ports, lease, "former-stream")) deleted++;
  return deleted;
}

type DeletionCause = "finished" | "shard-gone" | "former-stream";

async function deleteLease(ports: LeaseCreationPorts, lease: Lease, cause: DeletionCause): Promise<boolean> {
  const outcome = await ports.table.delete(lease.leaseKey, deletionConditions(lease));
  if (outcome.ok) ports.events.publish({ type: "lease-deleted", leaseKey: lease.leaseKey, cause });
  return outcome.ok;
}
