import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { expect, test } from "vitest";
import { Consumer } from "./consumer.ts";
import type { ConsumerEvent } from "./events.ts";
import { MemoryLeaseTable } from "./io/memory-lease-table.ts";
import type { CpuSource } from "./leases/cpu-usage.ts";

/** What each shard costs its worker, in percent of CPU; its traffic is in proportion. */
const weights = [30, 20, 10, 8, 6, 5, 4, 4, 3, 3, 3, 2];
const workers = ["a", "b", "c"];

test("a fleet that reports its CPU becomes even by it, and comes to rest [C8]", async () => {
  const timeline = new Timeline({ seed: 4 });
  const simulator = new KinesisSimulator({ system: timeline.host("service").system });
  simulator.createStream({ streamName: "clicks", shardCount: weights.length });
  const listing = await timeline.settle(simulator.kinesis.listShards({ streamName: "clicks" }));
  if (!listing.ok) throw listing.error;
  const { shards } = listing.value;
  const weightOf = new Map(shards.map(({ shardId }, index) => [shardId, weights[index] ?? 0]));
  const leaseTable = new MemoryLeaseTable();
  const moves: number[] = [];
  const consumers: Consumer[] = [];
  const loads = (): number[] =>
    consumers.map((consumer) =>
      consumer.health().shards.reduce((sum, { shardId }) => sum + (weightOf.get(shardId) ?? 0), 0),
    );
  const start = (workerId: string): void => {
    const index = consumers.length;
    const cpu: CpuSource = { platform: "host", read: async () => loads()[index] ?? 0 };
    const onEvent = (event: ConsumerEvent): void => {
      if (event.type === "lease-assigned" && event.cause === "balance") moves.push(timeline.nowMs);
    };
    const options = {
      streamName: "clicks",
      applicationName: "app",
      workerId,
      leaseTable,
      onEvent,
      pollIntervalMs: 5_000,
    };
    const wiring = { kinesis: simulator.kinesis, system: timeline.host(workerId).system, cpu };
    const consumer = new Consumer(options, wiring);
    consumers.push(consumer);
    void consumer.run(async (shard) => {
      for await (const batch of shard) await batch.checkpoint();
    });
  };
  const traffic = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 5) {
      const records = shards.map((shard, index) => ({
        data: Buffer.alloc((weights[index] ?? 0) * 1_000),
        partitionKey: "k",
        explicitHashKey: shard.startingHashKey.toString(),
      }));
      void simulator.kinesis.putRecords({ streamName: "clicks", records });
      await timeline.run({ forMs: 5_000 });
    }
  };
  // The first worker has everything; the others join it one after another.
  for (const worker of workers) {
    start(worker);
    await traffic(60);
  }
  await traffic(840);
  // An even share is 33; the band around it is 5 points.
  for (const load of loads()) expect(Math.abs(load - 98 / 3)).toBeLessThanOrEqual(6);
  const restingSince = timeline.nowMs;
  await traffic(600);
  expect(moves.length).toBeGreaterThan(0);
  expect(moves.filter((atMs) => atMs > restingSince)).toEqual([]);
  // It did not take more moves than there are leases.
  expect(moves.length).toBeLessThanOrEqual(weights.length);
  await timeline.settle(Promise.all(consumers.map((consumer) => consumer.close())));
});
