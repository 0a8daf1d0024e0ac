import { createEventPublisher } from "@millrace/core/observe";
import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { expect, test } from "vitest";
import type { ConsumerEvent } from "./events.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { MemoryLeaseTable } from "./io/memory-lease-table.ts";
import type { FleetTables } from "./leases/fleet-tables.ts";
import { LeaderLock } from "./leases/leader-lock.ts";
import { tableMigrationKey } from "./leases/table-layout.ts";

const events = createEventPublisher<ConsumerEvent>("millrace:test-watch", undefined);

/** A worker that joined in the middle of the table migration. */
function migrating(reportsTo: "leases" | "legacy") {
  const timeline = new Timeline({ seed: 1 });
  const { system } = timeline.host("w");
  const leases = new MemoryLeaseTable();
  const coordinator = new MemoryLeaseTable({ keyAttribute: "key" });
  const metrics = new MemoryLeaseTable({ keyAttribute: "wid" });
  const tables: FleetTables = {
    layout: "migrating",
    created: false,
    leases,
    metrics: reportsTo === "leases" ? leases : metrics,
    leader: coordinator,
    states: [coordinator, leases],
    legacy: { coordinator, metrics },
  };
  const lock = new LeaderLock({
    table: tables.leader,
    workerId: "w",
    system,
    leaseDurationMs: 20_000,
    callLimitMs: 1_000,
    events,
  });
  const crashes: unknown[] = [];
  const watch = new FleetWatch({
    tables,
    kinesis: new KinesisSimulator({ system }).kinesis,
    system,
    events,
    isLeader: () => lock.isLeader,
    finished: new Set(),
    onMigrated: () => lock.moveTo(leases),
    onCrash: (error) => crashes.push(error),
  });
  const setStatus = (status: string): Promise<unknown> =>
    coordinator.put({ key: { S: tableMigrationKey }, tm: { S: `TABLE_MIGRATION_STATUS_${status}` } }, []);
  return { timeline, leases, coordinator, lock, watch, crashes, setStatus };
}

test("when the migration is over, the leader's row is looked for in the lease table, and the old one counts no more", async () => {
  const { timeline, leases, coordinator, lock, watch, crashes, setStatus } = migrating("leases");
  await setStatus("PENDING");
  watch.start();
  await timeline.settle(lock.step());
  expect(lock.isLeader).toBe(true);
  expect([coordinator.rows.has("Leader"), leases.rows.has("Leader")]).toEqual([true, false]);
  await timeline.run({ forMs: 61_000 });
  expect(coordinator.rows.has("Leader")).toBe(true);
  await setStatus("COMPLETE");
  await timeline.run({ forMs: 60_000 });
  expect(lock.isLeader).toBe(false);
  await timeline.settle(lock.step());
  expect(lock.isLeader).toBe(true);
  expect(leases.rows.get("Leader")).toMatchObject({ ownerName: { S: "w" }, entityType: { S: "LEADER" } });
  expect(crashes).toEqual([]);
  await timeline.settle(watch.stop());
});

test("a worker that reports where nobody looks any more ends, and says why", async () => {
  const { timeline, watch, crashes, setStatus } = migrating("legacy");
  await setStatus("DEPLOYED");
  watch.start();
  await timeline.run({ forMs: 61_000 });
  expect(crashes).toEqual([]);
  await setStatus("COMPLETE");
  await timeline.run({ forMs: 180_000 });
  expect(crashes).toHaveLength(1);
  expect(crashes[0]).toMatchObject({ code: "ERR_TABLE_MIGRATION", message: expect.stringContaining("start again") });
  await timeline.settle(watch.stop());
});

test("a fleet that is set back to KCL 2.x is left, also when its version has moved to the lease table", async () => {
  const { timeline, leases, watch, crashes } = migrating("leases");
  await leases.put({ leaseKey: { S: "Migration3.0" }, cv: { S: "CLIENT_VERSION_2X" } }, []);
  watch.start();
  await timeline.run({ forMs: 1_000 });
  expect(crashes).toMatchObject([{ code: "ERR_FLEET_2X" }]);
  await timeline.settle(watch.stop());
});
