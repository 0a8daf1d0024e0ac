/**
 * Pure. The writes that put an application back to a place, as if it had never run.
 *
 * That is the state of a first start there: a lease for each shard that the service lists at the place, and no other
 * lease of the stream. A time is written as LATEST with the time beside it (SPEC S2), which Java's workers do not read.
 */
import type { Shard } from "@millrace/core/kinesis";
import { newLeaseRow, type Lease } from "../leases/lease.ts";
import { deletionConditions, resetUpdate } from "../leases/lease-writes.ts";
import type { Condition, Row, RowUpdate } from "../leases/table-row.ts";
import type { ConsumedStream } from "../shards/consumed-stream.ts";
import { leaseForShard, planFirstLeases } from "../shards/shard-sync.ts";

/** One write. All are conditional: a lease that anybody has touched since it was read is left alone. */
export type ResetWrite =
  | { readonly type: "set"; readonly shardId: string; readonly update: RowUpdate }
  | { readonly type: "create"; readonly shardId: string; readonly row: Row }
  | {
      readonly type: "delete";
      readonly shardId: string;
      readonly leaseKey: string;
      readonly conditions: readonly Condition[];
    };

/**
 * The writes, those that keep a shard readable first: an interrupted reset leaves leases that a second one puts right.
 * @param shards those that the service lists at the stream's `startAt`.
 * @param leases the stream's leases as read.
 * @param serviceTimeMs for LATEST.
 */
export function planReset(
  stream: ConsumedStream,
  shards: readonly Shard[],
  leases: readonly Lease[],
  serviceTimeMs: number,
): readonly ResetWrite[] {
  const { startAt } = stream;
  const sinceMs = startAt.type === "AT_TIMESTAMP" ? startAt.timestamp.getTime() : serviceTimeMs;
  const name = startAt.type === "TRIM_HORIZON" ? "TRIM_HORIZON" : "LATEST";
  const leftOver = new Map(leases.map((lease) => [lease.shardId, lease]));
  const writes: ResetWrite[] = [];
  for (const first of planFirstLeases(shards, name)) {
    const { shardId } = first.shard;
    const lease = leftOver.get(shardId);
    leftOver.delete(shardId);
    if (lease !== undefined) {
      writes.push({ type: "set", shardId, update: resetUpdate(lease, { name, sinceMs }) });
      continue;
    }
    const fresh = leaseForShard(first, stream.leaseKeyPrefix, stream.streamIdentifier);
    const row = newLeaseRow(name === "LATEST" ? { ...fresh, latestSinceMs: sinceMs } : fresh);
    writes.push({ type: "create", shardId, row });
  }
  for (const lease of leftOver.values()) {
    const { shardId, leaseKey } = lease;
    writes.push({ type: "delete", shardId, leaseKey, conditions: deletionConditions(lease) });
  }
  return writes;
}
