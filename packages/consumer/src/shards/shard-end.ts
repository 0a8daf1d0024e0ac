/**
 * Driver. The end of a shard: whether it is one, and what has to be written before its children may be read.
 *
 * Source: kcl.md 3.4. The order matters: a SHARD_END without leases for the children leaves a hole that no shard sync
 * repairs (kcl.md 3.2), so children come first.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { ChildShard, KinesisPort, Shard, StreamRef } from "@millrace/core/kinesis";
import { sleep, type System } from "@millrace/core/runtime";
import { sentinel } from "../checkpoint/checkpoint.ts";
import type { ConsumerEvent } from "../events.ts";
import type { KclMetrics } from "../kcl-metrics.ts";
import { newLeaseRow, parseLease, type Lease, type NewLease } from "../leases/lease.ts";
import type { HeldLease } from "../leases/held-lease.ts";
import type { LeaseTable } from "../leases/lease-table.ts";
import { childShardsUpdate } from "../leases/lease-writes.ts";
import type { ConsumedStream } from "./consumed-stream.ts";
import { listShards } from "./list-shards.ts";
import { parentShardIdsOf } from "./shard-sync.ts";

/** Pause between tries. Source: kcl.md 3.4: a merge whose other parent has no lease yet is tried again every 500 ms. */
const retryMs = 500;
/** Tries between two looks at the stream's list of shards. */
const listEvery = 20;

/**
 * The children of a shard whose end the service has hinted at, as ListShards tells them: empty when the shard is gone
 * from a stream that lists its shards (SPEC S3), undefined when it is still open or cannot be asked about.
 */
export async function findShardEnd(
  ports: { readonly kinesis: KinesisPort; readonly system: System },
  stream: StreamRef,
  shardId: string,
  signal: AbortSignal,
): Promise<readonly ChildShard[] | undefined> {
  const listing = await listShards(ports, stream, { signal });
  if (!listing.ok || listing.shards.length === 0) return undefined;
  const shard = listing.shards.find((candidate) => candidate.shardId === shardId);
  const children = listing.shards.filter((candidate) => parentShardIdsOf(candidate).includes(shardId));
  if (shard === undefined) return children.map(asChild);
  return children.length > 0 ? children.map(asChild) : undefined;
}

function asChild(shard: Shard): ChildShard {
  return {
    shardId: shard.shardId,
    parentShardIds: parentShardIdsOf(shard),
    startingHashKey: shard.startingHashKey,
    endingHashKey: shard.endingHashKey,
  };
}

export interface ShardEndPorts {
  readonly kinesis: KinesisPort;
  readonly table: LeaseTable;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly metrics?: KclMetrics | undefined;
}

/**
 * Creates the leases of the children, names them on the parent, and stores SHARD_END. Gives the children's leases that
 * were created here; they belong to this worker already, so that it can go on without waiting for the leader.
 * @throws {LeaseLostError} when the parent's lease is lost before SHARD_END is stored.
 */
export async function finishShard(
  ports: ShardEndPorts,
  stream: ConsumedStream,
  held: HeldLease,
  childShards: readonly ChildShard[],
  owner: string | undefined,
): Promise<readonly Lease[]> {
  const created: Lease[] = [];
  const startedAt = ports.system.now();
  for (const child of childShards) {
    const lease = await createChild(ports, stream, held, child, owner);
    if (lease !== undefined) created.push(lease);
  }
  if (childShards.length > 0) {
    const ids = childShards.map((child) => child.shardId);
    await persistently(ports, held, "name children", () => ports.table.update(childShardsUpdate(held.leaseKey, ids)));
  }
  await held.checkpoint({ checkpoint: sentinel("SHARD_END") });
  const { streamName } = stream;
  ports.metrics?.done("ShutdownTask", true, ports.system.now() - startedAt, { streamName, shardId: held.shardId });
  return created;
}

async function createChild(
  ports: ShardEndPorts,
  stream: ConsumedStream,
  held: HeldLease,
  child: ChildShard,
  owner: string | undefined,
): Promise<Lease | undefined> {
  const leaseKey = `${stream.leaseKeyPrefix}${child.shardId}`;
  const present = await ports.table.get(leaseKey, { consistent: true });
  if (present.ok && present.value !== undefined) return undefined;
  // A merged shard may be leased only once both parents are: the child would otherwise not wait for the other one.
  for (const parentId of child.parentShardIds) {
    if (parentId !== held.shardId) await untilLeased(ports, stream, held, parentId);
  }
  const lease: NewLease = {
    leaseKey,
    shardId: child.shardId,
    streamIdentifier: stream.streamIdentifier,
    checkpoint: sentinel("TRIM_HORIZON"),
    parentShardIds: child.parentShardIds,
    hashRange: { start: child.startingHashKey, end: child.endingHashKey },
    leaseOwner: owner,
  };
  const row = newLeaseRow(lease);
  const isNew = await persistently(ports, held, "create child", () =>
    ports.table.put(row, [{ attribute: "leaseKey", is: "absent" }]),
  );
  return isNew ? parseLease(row) : undefined;
}

/**
 * Waits until the other parent of a merged shard has a lease. The leader's shard sync gives it one; one that has left
 * the stream's list of shards needs none.
 */
async function untilLeased(
  ports: ShardEndPorts,
  stream: ConsumedStream,
  held: HeldLease,
  shardId: string,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    held.signal.throwIfAborted();
    const found = await ports.table.get(`${stream.leaseKeyPrefix}${shardId}`, { consistent: true });
    if (found.ok && found.value !== undefined) return;
    ports.metrics?.summary("ShutdownTask", "MissingMergeParentLease", "Count", 1, { shardId: held.shardId });
    if (found.ok && attempt % listEvery === 0) {
      const listing = await listShards(ports, stream.ref, { signal: held.signal });
      if (listing.ok && !listing.shards.some((shard) => shard.shardId === shardId)) return;
    }
    await sleep(ports.system, retryMs, { signal: held.signal });
  }
}

/** Writes until the table has answered; false when the condition failed. */
async function persistently(
  ports: ShardEndPorts,
  held: HeldLease,
  operation: string,
  write: () => ReturnType<LeaseTable["put"]>,
): Promise<boolean> {
  for (;;) {
    held.signal.throwIfAborted();
    const outcome = await write();
    if (outcome.ok) return true;
    if (outcome.reason === "condition-failed") return false;
    ports.events.publish({ type: "lease-table-failed", operation, error: describeError(outcome.error) });
    await sleep(ports.system, retryMs, { signal: held.signal });
  }
}
