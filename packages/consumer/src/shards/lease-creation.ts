/**
 * Driver. Creates the leases that a stream lacks, as the leader.
 *
 * Source: kcl.md 3.2. Two leaders at once do no harm: a lease that exists already is left alone.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { KinesisError, KinesisPort, ShardFilter } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import { newLeaseRow } from "../leases/lease.ts";
import type { LeaseTable } from "../leases/lease-table.ts";
import { initialPositionOf, type ConsumedStream } from "./consumed-stream.ts";
import { listShards } from "./list-shards.ts";
import { leaseForShard, planFirstLeases, type MissingLease } from "./shard-sync.ts";

export interface LeaseCreationPorts {
  readonly kinesis: KinesisPort;
  readonly table: LeaseTable;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
}

/** The shards that the service lists at the position where reading begins. */
export function firstShardsFilter({ startAt }: ConsumedStream): ShardFilter {
  if (startAt.type === "AT_TIMESTAMP") return startAt;
  return { type: startAt.type === "LATEST" ? "AT_LATEST" : "AT_TRIM_HORIZON" };
}

/** Creates the leases of a stream that has none. */
export async function createFirstLeases(
  ports: LeaseCreationPorts,
  stream: ConsumedStream,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly created: number } | { readonly ok: false; readonly error: KinesisError }> {
  const listing = await listShards(ports, stream.ref, { filter: firstShardsFilter(stream), signal });
  if (!listing.ok) return listing;
  const missing = planFirstLeases(listing.shards, initialPositionOf(stream));
  return { ok: true, created: await createLeases(ports, stream, missing, listing.serviceTime) };
}

/**
 * Creates leases; gives how many there were not yet.
 * @param isWanted asked right before each of them is created.
 */
export async function createLeases(
  ports: LeaseCreationPorts,
  stream: ConsumedStream,
  missing: readonly MissingLease[],
  serviceTime: number | undefined,
  isWanted: (item: MissingLease) => Promise<boolean> = () => Promise.resolve(true),
): Promise<number> {
  const latestSinceMs = serviceTime ?? ports.system.wallNow();
  const created: string[] = [];
  for (const item of missing) {
    if (!(await isWanted(item))) continue;
    const lease = leaseForShard(item, stream.leaseKeyPrefix, stream.streamIdentifier);
    const row = newLeaseRow(item.checkpoint.sequenceNumber === "LATEST" ? { ...lease, latestSinceMs } : lease);
    const outcome = await ports.table.put(row, [{ attribute: "leaseKey", is: "absent" }]);
    if (outcome.ok) created.push(lease.shardId);
    else if (outcome.reason !== "condition-failed") {
      const error = describeError(outcome.error);
      ports.events.publish({ type: "lease-table-failed", operation: "create lease", error });
      break;
    }
  }
  if (created.length > 0) {
    ports.events.publish({ type: "leases-created", streamName: stream.streamName, shardIds: created });
  }
  return created.length;
}
