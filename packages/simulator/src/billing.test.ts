import { describe, expect, test } from "vitest";
import { listPrices } from "./prices.ts";
import { StillSimulator } from "./testing-support/still-simulator.ts";

const streamName = "clicks";
const hourMs = 3_600_000;

function quantities(simulator: StillSimulator): Record<string, number> {
  return Object.fromEntries(simulator.meter.bill().lines.map((line) => [line.item, line.quantity]));
}

describe("the billing meter", () => {
  test("counts shard-hours, also while resharding", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, shardCount: 2 });
    simulator.clock.advance(10 * hourMs);
    simulator.reshard({ streamName, targetShardCount: 4 });
    simulator.clock.advance(5 * hourMs);
    await simulator.call("DeleteStream", { StreamName: streamName });
    simulator.clock.advance(100 * hourMs);
    // The stream was there a quarter of a second longer: it was in DELETING.
    expect(quantities(simulator)["Shards"]).toBeCloseTo(2 * 10 + 4 * 5, 2);
  });

  test("counts payload units of 25 KB for each record, its key included", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    for (const bytes of [1, 25_600, 25_601, 51_200]) await simulator.put(streamName, bytes);
    expect(quantities(simulator)["PUT payload units"]).toBe(1 + 1 + 2 + 2);
  });

  test("rounds each record of an on-demand stream up to 1 KB, and bills the stream's hours", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName, streamMode: "ON_DEMAND" });
    for (const bytes of [10, 1024, 1025]) await simulator.put(streamName, bytes);
    simulator.clock.advance(hourMs);
    const bill = quantities(simulator);
    expect(bill["On-demand data in"]).toBeCloseTo(4096 / 1e9, 15);
    expect(bill["On-demand streams"]).toBeCloseTo(1, 9);
    expect(bill["Shards"]).toBeUndefined();
    expect(bill["PUT payload units"]).toBeUndefined();
  });

  test("counts fan-out by consumer-shard-hours and by bytes", async () => {
    const simulator = new StillSimulator({ transitionMs: 0 });
    const { streamArn } = simulator.createStream({ streamName, shardCount: 3 });
    const consumerArn = await simulator.consumer(streamArn);
    await simulator.put(streamName, 5000, "a");
    const events = await simulator.subscribe(consumerArn);
    await events.next();
    simulator.clock.advance(2 * hourMs - 1000);
    const bill = quantities(simulator);
    expect(bill["Fan-out consumers"]).toBeCloseTo(6, 6);
    expect(bill["Fan-out retrieval"]).toBeCloseTo(5000 / 1e9, 15);
  });

  test("adds the lease table's units, and sums the lines", async () => {
    const simulator = new StillSimulator();
    simulator.createStream({ streamName });
    simulator.clock.advance(hourMs);
    simulator.meter.addDynamoDb({ writeUnits: 1e6, readUnits: 2e6 });
    const bill = simulator.meter.bill();
    expect(bill.totalUsd).toBeCloseTo(0.015 + 0.625 + 0.25, 9);
    expect(bill.prices).toBe(listPrices);
    expect(listPrices.asOf).toMatch(/^20\d\d-\d\d$/);
  });

  test("comes to the worked example: 10,000 records a second of 200 bytes for a month by PutRecords", () => {
    // $108.00 for 10 shards and 720 hours, $362.88 for a payload unit for each record.
    const records = 10_000 * 720 * 3600;
    const usd = 10 * 720 * listPrices.shardHour + records * listPrices.putPayloadUnit;
    expect(usd).toBeCloseTo(470.88, 2);
  });

  test("counts calls, failures and throttled records", async () => {
    const simulator = new StillSimulator({ limits: { shardWriteRecordsPerSecond: 1 } });
    simulator.createStream({ streamName });
    await simulator.put(streamName);
    const input = { StreamName: streamName, PartitionKey: "k", Data: new Uint8Array(1) };
    await simulator.refusal("PutRecord", input);
    expect(simulator.meter.counts()).toMatchObject({
      calls: { PutRecord: 2 },
      failures: { ProvisionedThroughputExceededException: 1 },
      recordsIn: 1,
      bytesIn: 10,
      recordsThrottled: 1,
    });
  });
});

describe("memory", () => {
  test("is bounded: past the cap the oldest records of all streams go, and the process is warned once", async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error & { code?: string }) => {
      if (warning.code === "MILLRACE_SIMULATOR_TRIMMED") warnings.push(warning.message);
    };
    process.on("warning", onWarning);
    const simulator = new StillSimulator({ limits: false, maxStoredBytes: 1_048_576 });
    simulator.createStream({ streamName: "old" });
    simulator.createStream({ streamName: "new" });
    await simulator.put("old", 500_000);
    simulator.clock.advance(10);
    for (let count = 0; count < 20; count++) {
      await simulator.put("new", 100_000);
      simulator.clock.advance(10);
    }
    // Warnings arrive on a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    const kept = async (name: string) => {
      const ShardIterator = await simulator.iterator(name);
      const { Records } = await simulator.call("GetRecords", { ShardIterator });
      return (Records as unknown[]).length;
    };
    expect(await kept("old")).toBe(0);
    expect(await kept("new")).toBeGreaterThan(8);
    expect(await kept("new")).toBeLessThan(11);
    expect(simulator.meter.counts().recordsTrimmedForMemory).toBeGreaterThan(10);
    expect(warnings).toHaveLength(1);
  });
});
