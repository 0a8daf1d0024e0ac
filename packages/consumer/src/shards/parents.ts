/**
 * Driver. Holds a child back until its parents are done.
 *
 * Source: kcl.md 3.5. A parent is done when its lease is at SHARD_END or gone [C5].
 */
import type { EventPublisher } from "@millrace/core/observe";
import { sleep, type System } from "@millrace/core/runtime";
import { isSentinel } from "../checkpoint/checkpoint.ts";
import type { ConsumerEvent } from "../events.ts";
import type { KclMetrics } from "../kcl-metrics.ts";
import { parseLease, type Lease } from "../leases/lease.ts";
import type { LeaseTable } from "../leases/lease-table.ts";
import type { ConsumedStream } from "./consumed-stream.ts";

/** KCL looks every 10 s; a child is to start within a second of its parents' end. */
const parentPollMs = 500;

/** Resolves once every parent is done, or the signal has aborted. */
export async function parentsDone(
  ports: {
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
      const isDone = row.ok && (parent === undefined || parent.checkpoint.sequenceNumber === "SHARD_END");
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
