/**
 * Every way in which a shard can stand still says so in its health, and none of them keeps `close` from ending.
 */
import { afterEach, describe, expect, test } from "vitest";
import { newLeaseRow } from "./leases/lease.ts";
import { sentinel } from "./checkpoint/checkpoint.ts";
import { Scene } from "./testing-support/scene.ts";

const shardId = "shardId-000000000000";
const never = new Promise<never>(() => undefined);
let scene: Scene;

afterEach(() => scene.close());

/** What the only worker says about the only shard. */
function trouble(): string | undefined {
  const [consumer] = scene.consumers;
  const { shards, isHealthy } = consumer?.health() ?? { shards: [], isHealthy: true };
  expect(isHealthy).toBe(shards.every((shard) => shard.trouble === undefined));
  return shards[0]?.trouble;
}

/** The trouble, once it is what the pattern says or 90 s have passed. */
async function soon(pattern: RegExp): Promise<string | undefined> {
  await scene.timeline.run({ until: () => pattern.test(trouble() ?? ""), forMs: 90_000 });
  return trouble();
}

describe("health tells", () => {
  test("of a service that gives no records, and not any more once it does", async () => {
    scene = new Scene(1);
    scene.start("a");
    await scene.timeline.run({ until: () => scene.of("lease-acquired").length > 0, forMs: 60_000 });
    const fault = scene.simulator.fault({ kind: "internal-failure", action: "GetRecords" });
    expect(await soon(/cannot be read, and is tried again: .*InternalFailure/)).toMatch(
      /cannot be read, and is tried again: .*InternalFailure/,
    );
    fault.stop();
    await scene.put("a");
    await scene.timeline.run({ until: () => scene.seen.length === 1, forMs: 60_000 });
    expect(trouble()).toBeUndefined();
  });

  test("of a handler that never asks for a batch", async () => {
    scene = new Scene(1);
    scene.start("a", {}, () => never);
    expect(await soon(/the handler has not asked for a batch for 2\d s/)).toMatch(
      /the handler has not asked for a batch for 2\d s/,
    );
  });

  test("of a handler that keeps its batch, and that it is to end", async () => {
    scene = new Scene(1);
    await scene.put("a");
    scene.start("a", {}, async (shard) => {
      for await (const batch of shard) {
        expect(batch.records).toHaveLength(1);
        await never;
      }
    });
    expect(await soon(/the handler has had its batch for 2\d s$/)).toMatch(/the handler has had its batch for 2\d s$/);
    void scene.consumers[0]?.close();
    expect(await soon(/the handler has had its batch for \d+ s, and is to end/)).toMatch(
      /the handler has had its batch for \d+ s, and is to end/,
    );
  });

  test("of a dead letter that takes nothing", async () => {
    scene = new Scene(1);
    await scene.put("a");
    const onFailure = { send: () => Promise.reject(new Error("the queue is gone")) };
    scene.begin("a", (consumer) =>
      consumer.runEach(() => Promise.reject(new Error("poison")), { maxAttempts: 1, onFailure }),
    );
    expect(await soon(/^the dead letter does not take record \d+: Error: the queue is gone$/)).toMatch(
      /^the dead letter does not take record \d+: Error: the queue is gone$/,
    );
  });

  test("of a parent that is not done, by name", async () => {
    scene = new Scene(1);
    scene.start("a", { maxLeasesPerWorker: 1 });
    await scene.timeline.run({ until: () => scene.of("lease-acquired").length > 0, forMs: 60_000 });
    // The parent is leased by somebody who neither reads nor renews it for now; the child is ours.
    const parent = "shardId-000000000077";
    const common = { hashRange: undefined, checkpoint: sentinel("TRIM_HORIZON") };
    const child = { ...common, leaseKey: "shardId-000000000078", shardId: "shardId-000000000078" };
    await scene.table.put(newLeaseRow({ ...common, leaseKey: parent, shardId: parent, parentShardIds: [] }), []);
    await scene.table.put(newLeaseRow({ ...child, parentShardIds: [parent], leaseOwner: "a" }), []);
    const said = (): string | undefined =>
      scene.consumers[0]?.health().shards.find((s) => s.shardId === child.shardId)?.trouble;
    await scene.timeline.run({ until: () => said() !== undefined, forMs: 5_000 });
    expect(said()).toBe(`waiting for the end of ${parent}`);
  });

  test("of a lease of a stream that it was not told to read, which it gives back when it closes", async () => {
    scene = new Scene(1);
    scene.start("a");
    await scene.timeline.run({ until: () => scene.of("lease-acquired").length > 0, forMs: 60_000 });
    const leaseKey = `123456789012:former:1:${shardId}`;
    const stranger = { leaseKey, shardId, streamIdentifier: "123456789012:former:1", parentShardIds: [] };
    const row = { ...stranger, hashRange: undefined, checkpoint: sentinel("TRIM_HORIZON"), leaseOwner: "a" };
    await scene.table.put(newLeaseRow(row), []);
    const said = (): string | undefined =>
      scene.consumers[0]?.health().shards.find((s) => s.phase === "not-consumed")?.trouble;
    await scene.timeline.run({ until: () => said() !== undefined, forMs: 5_000 });
    expect(said()).toMatch(/a stream that this consumer was not told to read/);
    await scene.timeline.settle(scene.consumers[0]?.close() ?? never, { forMs: 10_000 });
    expect(scene.table.rows.get(leaseKey)?.["leaseOwner"]).toBeUndefined();
  });
});

describe("close ends", () => {
  test("with a handler that never returns, after twice its time to hand over", async () => {
    scene = new Scene(1);
    const reasons: unknown[] = [];
    const run = { isOver: false };
    scene.begin(
      "a",
      async (consumer) => {
        await consumer.run((shard) => {
          shard.signal.addEventListener("abort", () => reasons.push(shard.signal.reason));
          return never;
        });
        run.isOver = true;
      },
      { handOffTimeoutMs: 5_000 },
    );
    await scene.timeline.run({ until: () => scene.of("lease-acquired").length > 0, forMs: 60_000 });
    const startedMs = scene.timeline.nowMs;
    await scene.timeline.settle(scene.consumers[0]?.close() ?? never, { forMs: 60_000 });
    expect(run.isOver).toBe(true);
    expect(scene.timeline.nowMs - startedMs).toBeLessThanOrEqual(11_000);
    expect(reasons).toMatchObject([{ reason: "released" }]);
    expect(scene.of("handler-abandoned")).toMatchObject([{ shardId }]);
    // The lease went to nobody rather than to wait for its expiry.
    expect(scene.owners).toEqual([undefined]);
  });

  test("when a handler itself asks for it and waits", async () => {
    scene = new Scene(1);
    await scene.put("a");
    const run = { isOver: false };
    scene.begin(
      "a",
      async (consumer) => {
        await consumer.run(async (shard) => {
          for await (const batch of shard) {
            await batch.checkpoint();
            await consumer.close();
          }
        });
        run.isOver = true;
      },
      { handOffTimeoutMs: 2_000 },
    );
    await scene.timeline.run({ until: () => run.isOver, forMs: 60_000 });
    expect(run.isOver).toBe(true);
  });

  test("while a shard's end cannot be stored, because its child's other parent has no lease", async () => {
    // Two shards merge; the other parent's lease is taken away by hand, and the leader that would make it anew is the
    // worker that closes.
    scene = new Scene(2);
    scene.start("a", { handOffTimeoutMs: 3_000 });
    await scene.timeline.run({ until: () => scene.of("lease-acquired").length === 2, forMs: 60_000 });
    const other = "shardId-000000000001";
    await scene.table.delete(other, []);
    await scene.timeline.run({ until: () => scene.of("lease-lost").length === 1, forMs: 60_000 });
    scene.simulator.reshard({ streamName: "clicks", merge: [shardId, other] });
    const phase = (): string | undefined =>
      scene.consumers[0]?.health().shards.find((s) => s.shardId === shardId)?.phase;
    await scene.timeline.run({ until: () => phase() === "finishing", forMs: 10_000 });
    expect(phase()).toBe("finishing");
    await scene.timeline.settle(scene.consumers[0]?.close() ?? never, { forMs: 30_000 });
  });

  test("for batches that nobody comes back for, and a batch that was not begun is not waited for", async () => {
    scene = new Scene(2);
    const taken: string[] = [];
    scene.begin(
      "a",
      async (consumer) => {
        for await (const batch of consumer.batches()) {
          taken.push(batch.shardId);
          await never;
        }
      },
      { handOffTimeoutMs: 4_000 },
    );
    await scene.timeline.run({ until: () => scene.of("lease-acquired").length === 2, forMs: 60_000 });
    await scene.put("a", "b", "c", "d", "e", "f", "g", "h");
    await scene.timeline.run({ until: () => scene.of("batch-delivered").length === 2, forMs: 10_000 });
    const startedMs = scene.timeline.nowMs;
    const closing = scene.consumers[0]?.close() ?? never;
    await scene.timeline.run({ until: () => scene.of("lease-released").length === 1, forMs: 10_000 });
    expect(scene.timeline.nowMs - startedMs).toBeLessThanOrEqual(1_000);
    await scene.timeline.settle(closing, { forMs: 20_000 });
    expect(taken).toHaveLength(1);
  });
});
