import { createEventPublisher } from "@millrace/core/observe";
import { Timeline } from "@millrace/simulator";
import { expect, test } from "vitest";
import { sentinel } from "../checkpoint/checkpoint.ts";
import type { ConsumerEvent } from "../events.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import type { FleetRows } from "./fleet.ts";
import { LeaseAssigner } from "./lease-assigner.ts";
import { observeCounters } from "./lease-expiry.ts";
import type { LeaderLock } from "./leader-lock.ts";
import { newLeaseRow, parseLease } from "./lease.ts";
import { numberAttribute } from "./table-row.ts";
import { parseWorkerMetrics } from "./worker-metrics.ts";

const key = (index: number): string => `shardId-00000000000${index}`;

test("a lease is not asked for before its owner has taken it up (kcl.md 9.2, 11)", async () => {
  // A closes and gives two leases to b; the leader sees at once that b has too many. Asked for c before b has found them,
  // they would be b's to drain, b would never learn of them, and they would stand still until they expire.
  const { system } = new Timeline({ seed: 1 }).host("leader");
  const table = new MemoryLeaseTable();
  const events: ConsumerEvent[] = [];
  const assigner = new LeaseAssigner({
    lock: { isLeader: true } as LeaderLock,
    table,
    system,
    events: createEventPublisher<ConsumerEvent>("test", (event) => events.push(event)),
    failoverTimeMs: 10_000,
    handOffTimeoutMs: 30_000,
    gracefulHandOff: true,
    leaseAssignmentStrategy: "count",
    maxLeasesPerWorker: 100,
    maxThroughputPerWorkerKBps: Infinity,
    rebalanceThresholdPercent: 10,
    rebalanceDampeningPercent: 60,
  });
  const write = async (index: number, counter: number): Promise<void> => {
    const place = { checkpoint: sentinel("TRIM_HORIZON"), parentShardIds: [], hashRange: undefined };
    const row = newLeaseRow({ ...place, leaseKey: key(index), shardId: key(index), leaseOwner: "b" });
    await table.put({ ...row, leaseCounter: numberAttribute(counter) }, []);
  };
  const round = async (): Promise<void> => {
    const leases = [...table.rows.values()].flatMap((row) => parseLease(row) ?? []);
    const workers = ["b", "c"].flatMap(
      (workerId) => parseWorkerMetrics(workerRow(workerId, system.wallNow()), "wid") ?? [],
    );
    const fleet: FleetRows = { leases, workers, unreadableLeases: 0, unreadableWorkers: 0 };
    const now = system.now();
    await assigner.assign(fleet, observeCounters(new Map(), leases, now), new Map(), now);
  };
  await write(0, 5);
  await write(1, 9);
  await round();
  await round();
  expect(events).toEqual([]);
  // b has found the second one and renews it.
  await write(1, 10);
  await round();
  expect(events).toMatchObject([{ type: "lease-assigned", leaseKey: key(1), receiver: "c", cause: "balance" }]);
});

function workerRow(workerId: string, nowMs: number): Parameters<typeof parseWorkerMetrics>[0] {
  const seconds = numberAttribute(Math.floor(nowMs / 1000));
  return { wid: { S: workerId }, lut: seconds, sts: { M: {} }, opr: { M: {} }, sup: { N: "1" }, slu: seconds };
}
