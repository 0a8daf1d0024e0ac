import { afterEach, expect, test } from "vitest";
import { ConsumerError, LeaseLostError } from "./errors.ts";
import type { LeasedShard } from "./record.ts";
import { Scene } from "./testing-support/scene.ts";

let scene: Scene;

afterEach(() => scene.close());

test("a wedged handler loses its shard to another worker, which reads what it had [C1] [C4]", async () => {
  // One worker gets the only shard and a batch, and waits for ever; another one is idle beside it.
  scene = new Scene(1);
  let reason: unknown;
  scene.start("wedged", { maxHandlerMs: 5_000 }, async (shard) => {
    for await (const batch of shard) {
      expect(batch.records.length).toBeGreaterThan(0);
      await new Promise<void>(() => shard.signal.addEventListener("abort", () => (reason = shard.signal.reason)));
    }
  });
  await scene.timeline.run({ until: () => scene.owners[0] === "wedged", forMs: 60_000 });
  scene.start("other");
  await scene.timeline.run({ forMs: 40_000 });
  // Waiting for records is no silence.
  expect(scene.of("handler-timed-out")).toEqual([]);
  await scene.put("a", "b");
  await scene.timeline.run({ until: () => scene.seen.length === 2, forMs: 30_000 });
  expect(scene.seen.toSorted()).toEqual(["a", "b"]);
  expect(reason).toBeInstanceOf(LeaseLostError);
  expect(scene.of("handler-timed-out")).toMatchObject([{ host: "wedged", receiver: "other", maxHandlerMs: 5_000 }]);
  // Even when the leader gives the shard back, the handler that never returned cannot keep it.
  await scene.put("c");
  await scene.timeline.run({ until: () => scene.seen.length === 3, forMs: 60_000 });
  expect(scene.seen).toContain("c");
});

test("a slow handler that checkpoints keeps its shard", async () => {
  scene = new Scene(1);
  const { system } = scene.timeline.host("slow");
  let done = 0;
  scene.start("slow", { maxHandlerMs: 5_000 }, async (shard) => {
    for await (const batch of shard) {
      for (const record of batch.records) {
        await new Promise<void>((resolve) => void system.schedule(3_000, resolve));
        await batch.checkpoint(record);
        done++;
      }
    }
  });
  await scene.put("a", "b", "c", "d", "e", "f");
  await scene.timeline.run({ until: () => done === 6, forMs: 60_000 });
  expect(done).toBe(6);
  expect(scene.of("handler-timed-out")).toEqual([]);
});

test("a blocked event loop is told before a lease is in danger, and only then", async () => {
  // The host stands still for 3 s of a failover time of 10 s, as under a handler that computes; then for 1 s.
  scene = new Scene(1);
  scene.start("busy");
  const host = scene.timeline.host("busy");
  await scene.timeline.run({ forMs: 30_000 });
  expect(scene.of("event-loop-blocked")).toEqual([]);
  const stall = async (forMs: number): Promise<void> => {
    // A renewal is due every 4.2 s: a stall is seen by the one that it delays.
    for (let times = 0; times < 12; times++) {
      host.pause();
      await scene.timeline.run({ forMs });
      host.resume();
      await scene.timeline.run({ forMs: 700 });
    }
  };
  await stall(1_000);
  expect(scene.of("event-loop-blocked")).toEqual([]);
  await stall(3_000);
  const told = scene.of("event-loop-blocked");
  expect(told.length).toBeGreaterThan(0);
  for (const { blockedMs, failoverTimeMs } of told) {
    expect(blockedMs).toBeGreaterThan(failoverTimeMs / 6);
    expect(blockedMs).toBeLessThanOrEqual(3_000);
  }
  expect(scene.of("lease-lost")).toEqual([]);
});

test("of two processes under one name the later ends, and the first keeps its place", async () => {
  // The second overwrites the first's report; the first writes it again; the second reads an older process there.
  scene = new Scene(2);
  scene.start("first", { workerId: "twin" });
  await scene.timeline.run({
    until: () => scene.owners.filter((owner) => owner === "twin").length === 2,
    forMs: 60_000,
  });
  await scene.timeline.run({ forMs: 5_000 });
  scene.start("second", { workerId: "twin" });
  await scene.timeline.run({ until: () => scene.failures.has("second"), forMs: 120_000 });
  const failure = scene.failures.get("second");
  expect(failure).toBeInstanceOf(ConsumerError);
  expect(failure).toMatchObject({ code: "ERR_DUPLICATE_WORKER_ID" });
  expect(scene.failures.has("first")).toBe(false);
  // The report of the one that stays was not taken away.
  expect(scene.table.rows.has("twin")).toBe(true);
  await scene.put("a", "b", "c");
  await scene.timeline.run({ until: () => new Set(scene.seen).size === 3, forMs: 60_000 });
  expect(new Set(scene.seen)).toEqual(new Set(["a", "b", "c"]));
  expect(scene.owners).toEqual(["twin", "twin"]);
});

test("a process that was restarted under its old name goes on", async () => {
  scene = new Scene(1);
  scene.start("w");
  await scene.timeline.run({ forMs: 30_000 });
  scene.timeline.host("w").kill();
  scene.consumers.length = 0;
  scene.start("w");
  await scene.put("a");
  await scene.timeline.run({ until: () => scene.seen.includes("a"), forMs: 120_000 });
  await scene.timeline.run({ forMs: 120_000 });
  expect(scene.seen).toContain("a");
  expect(scene.failures.size).toBe(0);
});

test("a process that stood still past its lease delivers nothing that came meanwhile, nor stores it [C4]", async () => {
  // The worker waits for records; it is stopped (SIGSTOP); its lease expires and another worker takes the shard; it goes
  // on, and finds an answer with records in its socket before its timers have run. KCL processes them (kcl.md 9.2, 6).
  scene = new Scene(1);
  const { system } = scene.timeline.host("zombie");
  const delivered: number[] = [];
  const leased: LeasedShard[] = [];
  scene.start("zombie", {}, async (shard) => {
    leased.push(shard);
    for await (const batch of shard) delivered.push(batch.records.length);
  });
  await scene.timeline.run({ until: () => leased.length > 0, forMs: 60_000 });
  const { kinesis } = scene.simulator;
  const getRecords = kinesis.getRecords.bind(kinesis);
  const now = system.now.bind(system);
  kinesis.getRecords = async (...call) => {
    kinesis.getRecords = getRecords;
    await scene.put("a");
    const answer = await getRecords(...call);
    expect(answer.ok && answer.value.records).toHaveLength(1);
    // Between the call and what follows its answer 12 s have passed, and no timer has run.
    system.now = () => now() + 12_000;
    return answer;
  };
  await scene.timeline.run({ until: () => delivered.length > 0 || leased[0]?.signal.aborted === true, forMs: 5_000 });
  expect(delivered).toEqual([]);
  expect(leased[0]?.signal.reason).toMatchObject({ reason: "expired" });
});
