import { afterEach, expect, test } from "vitest";
import { sentinel } from "./checkpoint/checkpoint.ts";
import { Departure } from "./leases/departure.ts";
import type { FleetTables } from "./leases/fleet-tables.ts";
import { newLeaseRow, parseLease } from "./leases/lease.ts";
import { renewal } from "./leases/lease-writes.ts";
import { Scene } from "./testing-support/scene.ts";

let scene: Scene;

afterEach(() => scene.close());

/** Puts a record on the timeline every `everyMs`, for as long as the scene lives. */
function keepPutting(everyMs: number): void {
  const { system } = scene.timeline.host("load");
  let count = 0;
  const next = (): void => {
    void scene.put(...Array.from({ length: 10 }, () => `r${count++}`));
    system.schedule(everyMs, next);
  };
  next();
}

function ownersBut(worker: string): number {
  return scene.owners.filter((owner) => owner !== worker).length;
}

test("a worker whose every renewal carries a checkpoint learns of a hand-off all the same (kcl.md 9.2, 11)", async () => {
  // Under runEach with steady records something rides with each renewal. KCL asks for `checkpointOwner` in renewals
  // alone; without the same clause here the hand-off would wait for its time-out.
  scene = new Scene(2);
  keepPutting(500);
  scene.begin("busy", (consumer) => consumer.runEach(async (record) => void scene.seen.push(record.text())));
  await scene.timeline.run({ until: () => scene.seen.length > 100, forMs: 60_000 });
  scene.start("newcomer");
  await scene.timeline.run({ until: () => scene.of("hand-off-requested").length > 0, forMs: 25_000 });
  const before = scene.timeline.nowMs;
  await scene.timeline.run({ until: () => ownersBut("busy") > 0, forMs: 2_000 });
  expect(scene.of("lease-released")).toMatchObject([{ host: "busy", receiver: "newcomer" }]);
  expect(scene.timeline.nowMs - before).toBeLessThanOrEqual(1_000);
  expect(scene.of("lease-lost")).toEqual([]);
});

test("a worker that closes gives nothing to one that has died, however young its report is", async () => {
  // c dies; its report looks alive for minutes. Its shards move. b closes: with the fewest leases c would be first.
  scene = new Scene(6);
  for (const worker of ["a", "b", "c"]) scene.start(worker);
  await scene.timeline.run({ until: () => new Set(scene.owners).size === 3, forMs: 60_000 });
  await scene.timeline.run({ forMs: 10_000 });
  const victim = ["b", "c"].find((worker) => worker !== scene.of("leadership-gained").at(-1)?.host) ?? "c";
  scene.kill(victim);
  await scene.timeline.run({ until: () => !scene.owners.includes(victim), forMs: 60_000 });
  const closing = scene.consumers.find((consumer) => consumer.workerId !== "a");
  await scene.timeline.settle(closing?.close() ?? Promise.resolve(), { forMs: 10_000 });
  const receivers = scene.of("lease-released").filter(({ host }) => host === closing?.workerId);
  expect(receivers.length).toBeGreaterThanOrEqual(2);
  for (const { receiver } of receivers) expect(receiver).toBe("a");
});

test("a receiver that leaves in the middle of a hand-off leaves the shard with its owner", async () => {
  // a drains a batch for b; b closes, and c has fewer leases than a. Given to c, the batch would be handled twice.
  scene = new Scene(1);
  const { table } = scene;
  const key = "shardId-000000000000";
  const common = { shardId: key, leaseKey: key, parentShardIds: [], hashRange: undefined };
  const row = { ...newLeaseRow({ ...common, checkpoint: sentinel("TRIM_HORIZON") }), leaseCounter: { N: "5" } };
  await table.put({ ...row, leaseOwner: { S: "b" }, checkpointOwner: { S: "a" } }, []);
  const tables: Pick<FleetTables, "leases"> = { leases: table };
  const departure = new Departure(tables as FleetTables, "b", scene.timeline.host("b").system);
  await departure.passOnLateLeases();
  const lease = parseLease(table.rows.get(key) ?? {});
  expect(lease).toMatchObject({ leaseOwner: "a", checkpointOwner: undefined, leaseCounter: 5n });
  // What a knows of its lease is still true, whether it had learnt of the hand-off or not.
  const renewed = lease === undefined ? undefined : await table.update(renewal(lease, undefined));
  expect(renewed).toMatchObject({ ok: true });
});

test("a new leader gives nothing to one that has died before its time", async () => {
  // c dies and its shards move. The leader closes; the new one has not seen c die, and c has the fewest leases.
  scene = new Scene(6);
  for (const worker of ["a", "b", "c"]) scene.start(worker);
  await scene.timeline.run({ until: () => new Set(scene.owners).size === 3, forMs: 60_000 });
  await scene.timeline.run({ forMs: 10_000 });
  const leader = scene.of("leadership-gained").at(-1)?.host;
  const victim = ["b", "c"].find((worker) => worker !== leader) ?? "c";
  scene.kill(victim);
  await scene.timeline.run({ until: () => !scene.owners.includes(victim), forMs: 60_000 });
  const closing = scene.consumers.find((consumer) => consumer.workerId === leader);
  await scene.timeline.settle(closing?.close() ?? Promise.resolve(), { forMs: 10_000 });
  const before = scene.of("lease-assigned").length;
  await scene.timeline.run({ forMs: 60_000 });
  expect(scene.of("leadership-gained").at(-1)?.host).not.toBe(leader);
  const receivers = scene.of("lease-assigned").slice(before);
  expect(receivers.filter(({ receiver }) => receiver === victim || receiver === leader)).toEqual([]);
  expect(new Set(scene.owners).size).toBe(1);
});
