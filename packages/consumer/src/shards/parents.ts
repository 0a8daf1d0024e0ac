/**
 * Driver. Holds a child back until its parents are done.
 *
 * Source: kcl.md 3.5. A parent is done when its lease is at SHARD_END, or when it is gone and nothing of the parent is
 * left [C5]. For KCL a missing lease is enough: one that was deleted by hand loses what was unread, and the order.
 */
import type { KinesisPort } from "@millrace/core/kinesis";
import type { EventPublisher } from "@millrace/core/observe";
import { sleep, type System } from "@millrace/core/runtime";
import { isSentinel, isShardEnd, sentinel } from "../checkpoint/checkpoint.ts";
import type { ConsumerEvent } from "../events.ts";
import type { KclMetrics } from "../kcl-metrics.ts";
import { parseLease, type Lease } from "../leases/lease.ts";
import type { LeaseTable } from "../leases/lease-table.ts";
import type { ConsumedStream } from "./consumed-stream.ts";
import { createLeases, type LeaseCreationPorts } from "./lease-creation.ts";
import { listShards, type ShardListing } from "./list-shards.ts";

/** KCL looks every 10 s; a child is to start within a second of its parents' end. */
const parentPollMs = 500;

/** Resolves once every parent is done, or the signal has aborted. */
export async function parentsDone(
  ports: {
    readonly kinesis: KinesisPort;
    readonly table: LeaseTable;
    readonly system: System;
    readonly events: EventPublisher<ConsumerEvent>;
    readonly metrics?: KclMetrics | undefined;
  },
  stream: ConsumedStream,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  // A shard that was read already has had its turn to wait.
  if (!isSentinel(lease.checkpoint.sequenceNumber)) return;
  let waiting = lease.parentShardIds;
  let isTold = false;
  const startedAt = ports.system.now();
  const told = { streamName: stream.streamName, shardId: lease.shardId };
  while (waiting.length > 0 && !signal.aborted) {
    const open: string[] = [];
    for (const parentId of waiting) {
      const row = await ports.table.get(`${stream.leaseKeyPrefix}${parentId}`, { consistent: true, signal });
      const parent = row.ok && row.value !== undefined ? parseLease(row.value) : undefined;
      const isDone =
        row.ok &&
        (parent === undefined ? await isPast(ports, stream, lease, parentId, signal) : isShardEnd(parent.checkpoint));
      if (!isDone) open.push(parentId);
    }
    waiting = open;
    if (open.length === 0) break;
    if (!isTold) ports.events.publish({ type: "waiting-for-parent", shardId: lease.shardId, parentShardIds: open });
    isTold = true;
    // Aborted or not is the loop's own question.
    await sleep(ports.system, parentPollMs, { signal }).catch(() => undefined);
  }
  ports.metrics?.done("BlockOnParentShardTask", waiting.length === 0, ports.system.now() - startedAt, told);
}

/**
 * Whether a parent without a lease may be passed over. Clean-up deletes a parent's lease only after every child was
 * checkpointed, so under a child that was not the lease was deleted by hand: where everything that is retained is to be
 * read, and the stream still lists the parent, it gets its lease back and is read first.
 */
async function isPast(
  ports: LeaseCreationPorts,
  stream: ConsumedStream,
  child: Lease,
  parentId: string,
  signal: AbortSignal,
): Promise<boolean> {
  // An application that began at LATEST or at a time has parents that never had a lease.
  if (stream.startAt.type !== "TRIM_HORIZON" || child.checkpoint.sequenceNumber !== "TRIM_HORIZON") return true;
  const listing = await sharedListing(ports, stream);
  if (signal.aborted) return false;
  // What cannot be asked for good is taken as KCL takes it; anything else is asked again.
  if (!listing.ok) return listing.error.kind === "permanent";
  const shard = listing.shards.find((candidate) => candidate.shardId === parentId);
  if (shard === undefined) return true;
  await createLeases(ports, stream, [{ shard, checkpoint: sentinel("TRIM_HORIZON") }], listing.serviceTime);
  return false;
}

/** Age of a stream's list of shards that serves for all its children: a fleet starts with hundreds of them at once. */
const listingAgeMs = 10_000;
const listings = new WeakMap<ConsumedStream, { readonly at: number; readonly listing: Promise<ShardListing> }>();

async function sharedListing(ports: LeaseCreationPorts, stream: ConsumedStream): Promise<ShardListing> {
  const now = ports.system.now();
  let shared = listings.get(stream);
  if (shared === undefined || now - shared.at > listingAgeMs) {
    // Without the signal of the child that asks first: the others wait for the same answer.
    shared = { at: now, listing: listShards(ports, stream.ref) };
    listings.set(stream, shared);
  }
  const listing = await shared.listing;
  if (!listing.ok && listings.get(stream) === shared) listings.delete(stream);
  return listing;
}
