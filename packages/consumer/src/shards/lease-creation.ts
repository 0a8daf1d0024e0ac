/**
 * Driver. Creates the leases that a stream lacks, as the leader.
 *
 * Source: kcl.md 3.2. Two leaders at once do no harm: a lease that exists already is left alone.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { KinesisError, KinesisPort, ShardFilter } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import { newLeaseRow, type Lease } from "../leases/lease.ts";
import type { LeaseTable } from "../leases/lease-table.ts";
import { initialPositionOf, type ConsumedStream } from "./consumed-stream.ts";
import { listShards } from "./list-shards.ts";
import { leaseForShard, planFirstLeases, planMissingLeases } from "./shard-sync.ts";

export interface LeaseCreationPorts {
  readonly kinesis: KinesisPort;
  readonly table: LeaseTable;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
}

/** How many leases were created, or the service's refusal. */
export type CreationOutcome =
  | { readonly ok: true; readonly created: number }
  | { readonly ok: false; readonly error: KinesisError };

/** The shards that the service lists at the position where reading begins. */
function firstShardsFilter({ startAt }: ConsumedStream): ShardFilter {
  if (startAt.type === "AT_TIMESTAMP") return startAt;
  return { type: startAt.type === "LATEST" ? "AT_LATEST" : "AT_TRIM_HORIZON" };
}

/** Creates what is missing. `leases` are the stream's own, from a scan. */
export async function createMissingLeases(
  ports: LeaseCreationPorts,
  stream: ConsumedStream,
  leases: readonly Lease[],
  signal: AbortSignal | undefined,
): Promise<CreationOutcome> {
  const position = initialPositionOf(stream);
  const filter = leases.length === 0 ? firstShardsFilter(stream) : undefined;
  const listing = await listShards(ports, stream.ref, { filter, signal });
  if (!listing.ok) return listing;
  const missing =
    leases.length === 0
      ? planFirstLeases(listing.shards, position)
      : planMissingLeases(listing.shards, new Set(leases.map((lease) => lease.shardId)), position);
  const latestSinceMs = listing.serviceTime ?? ports.system.wallNow();
  const created: string[] = [];
  for (const item of missing) {
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
  return { ok: true, created: created.length };
}
