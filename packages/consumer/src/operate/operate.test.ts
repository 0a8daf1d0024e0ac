import { realSystem } from "@millrace/core/runtime";
import { expect, test } from "vitest";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import { Fleet } from "../testing-support/fleet.ts";
import { readApplication, resetApplication, type ResetOptions } from "./operate.ts";

/** A fleet of one worker that has read 50 records, the shards' merge, and 50 more, and has stopped. */
async function stoppedFleet() {
  const leaseTable = new MemoryLeaseTable();
  const fleet = new Fleet({ shardCount: 2, leaseTable });
  const worker = fleet.start("first");
  await fleet.put(50);
  await fleet.allDelivered();
  fleet.simulator.reshard({ streamName: "clicks", targetShardCount: 1 });
  await fleet.put(50);
  await fleet.allDelivered();
  await worker.close();
  return { fleet, leaseTable };
}

function reset(fleet: Fleet, options: Partial<ResetOptions>) {
  return resetApplication(
    {
      applicationName: "clicks-app",
      streamName: "clicks",
      leaseTable: fleet.leaseTable,
      failoverTimeMs: 300,
      to: "TRIM_HORIZON",
      ...options,
    },
    { kinesis: fleet.simulator.kinesis },
  );
}

const application = (leaseTable: MemoryLeaseTable) => readApplication({ applicationName: "clicks-app", leaseTable });

test("an application is told as its table has it: leases, workers, leader", async () => {
  const leaseTable = new MemoryLeaseTable();
  const fleet = new Fleet({ shardCount: 2, leaseTable });
  fleet.start("only");
  await fleet.put(10);
  await fleet.allDelivered();
  const report = await application(leaseTable);
  expect(report.leader).toBe("only");
  expect(report.workers).toMatchObject([{ workerId: "only", isActive: true, leases: 2 }]);
  expect(report.leases.map(({ shardId, owner, isFinished }) => ({ shardId, owner, isFinished }))).toEqual([
    { shardId: "shardId-000000000000", owner: "only", isFinished: false },
    { shardId: "shardId-000000000001", owner: "only", isFinished: false },
  ]);
  await fleet.close();
  const after = await application(leaseTable);
  expect(after).toMatchObject({ leader: undefined, workers: [] });
  expect(after.leases.map(({ owner }) => owner)).toEqual([undefined, undefined]);
});

test("[C3] a reset to the horizon makes the next worker read everything again, parents first", async () => {
  const { fleet, leaseTable } = await stoppedFleet();
  expect(await reset(fleet, {})).toEqual({ shards: 2, deleted: 1 });
  expect((await application(leaseTable)).leases.map(({ checkpoint }) => checkpoint)).toEqual([
    "TRIM_HORIZON",
    "TRIM_HORIZON",
  ]);
  const before = fleet.deliveries.length;
  fleet.start("second");
  await fleet.until(() => fleet.deliveries.length === before + 100);
  expect(new Set(fleet.deliveries.slice(before).map(({ text }) => text)).size).toBe(100);
  await fleet.close();
});

test("[C3] a reset to the tip skips what was put before it, and nothing that was put after it", async () => {
  const { fleet, leaseTable } = await stoppedFleet();
  await fleet.put(20);
  const resetAt = realSystem.wallNow();
  expect(await reset(fleet, { to: "LATEST" })).toMatchObject({ shards: 1 });
  expect((await application(leaseTable)).leases.map(({ checkpoint }) => checkpoint)).toEqual(["LATEST"]);
  await fleet.put(20);
  const before = fleet.deliveries.length;
  fleet.start("second");
  await fleet.until(() => fleet.seen.has("r139"));
  const texts = fleet.deliveries.slice(before).map(({ text }) => text);
  expect(texts).toEqual(expect.arrayContaining(["r120", "r139"]));
  // The service tells its time in seconds: what came within the second of the reset is read too.
  const earliest = Math.min(
    ...fleet.deliveries.slice(before).map(({ record }) => record.approximateArrivalTimestamp?.getTime() ?? 0),
  );
  expect(earliest).toBeGreaterThanOrEqual(Math.floor(resetAt / 1000) * 1000);
  await fleet.close();
});

test("a reset is refused while a worker reports, and changes nothing", async () => {
  const leaseTable = new MemoryLeaseTable();
  const fleet = new Fleet({ shardCount: 1, leaseTable });
  fleet.start("busy");
  await fleet.put(10);
  await fleet.allDelivered();
  await expect(reset(fleet, {})).rejects.toMatchObject({ code: "ERR_WORKERS_RUNNING" });
  expect((await application(leaseTable)).leases[0]?.checkpoint).not.toBe("TRIM_HORIZON");
  await fleet.close();
});

test("a reset is refused when a lease is renewed by a worker that makes no reports, as those of KCL 2.x do not", async () => {
  const { fleet, leaseTable } = await stoppedFleet();
  const key = "shardId-000000000002";
  const renew = (counter: number) =>
    leaseTable.update({ key, conditions: [], set: { leaseOwner: { S: "java" } }, add: { leaseCounter: counter } });
  await renew(1);
  const resetting = reset(fleet, {});
  await renew(1);
  await expect(resetting).rejects.toThrow(/java has written the lease shardId-000000000002/);
});

test("a lease that is written during the reset is left as it is", async () => {
  const { fleet, leaseTable } = await stoppedFleet();
  const update = leaseTable.update.bind(leaseTable);
  leaseTable.update = async (change) => {
    await update({ key: change.key, conditions: [], add: { leaseCounter: 1 } });
    return await update(change);
  };
  await expect(reset(fleet, {})).rejects.toThrow(/written by somebody else meanwhile/);
});

test("a stream that does not exist, a bad position and a bad name are refused before anything is written", async () => {
  const { fleet, leaseTable } = await stoppedFleet();
  const before = new Map(leaseTable.rows);
  await expect(reset(fleet, { streamName: "absent" })).rejects.toThrow(/absent/);
  await expect(reset(fleet, { to: "yesterday" as never })).rejects.toMatchObject({ code: "ERR_CONFIG" });
  await expect(reset(fleet, { applicationName: "a b" })).rejects.toMatchObject({ code: "ERR_CONFIG" });
  expect(new Map(leaseTable.rows)).toEqual(before);
});
