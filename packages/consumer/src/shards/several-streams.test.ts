import { KinesisSimulator } from "@millrace/simulator";
import { expect, test } from "vitest";
import { Consumer } from "../consumer.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";

test("several streams are read by one fleet, each from its own position, under KCL's multi-stream keys", async () => {
  const simulator = new KinesisSimulator();
  for (const streamName of ["orders", "clicks"]) simulator.createStream({ streamName, shardCount: 2 });
  const put = async (streamName: string, text: string): Promise<void> => {
    const records = [{ data: Buffer.from(text), partitionKey: text }];
    const answer = await simulator.kinesis.putRecords({ streamName, records });
    expect(answer.ok).toBe(true);
  };
  await put("orders", "before");
  await put("clicks", "before");
  simulator.clock.advance(5_000);
  const leaseTable = new MemoryLeaseTable();
  const seen: string[] = [];
  let acquired = 0;
  let wake: (() => void) | undefined;
  const consumer = new Consumer(
    {
      streams: [{ streamName: "orders" }, { streamName: "clicks", initialPosition: "LATEST" }],
      applicationName: "several",
      leaseTable,
      failoverTimeMs: 1_000,
      leaseDiscoveryIntervalMs: 50,
      pollIntervalMs: 200,
      onEvent: (event) => {
        if (event.type === "lease-acquired") acquired++;
        wake?.();
      },
    },
    { kinesis: simulator.kinesis },
  );
  const run = consumer.run(async (shard) => {
    for await (const batch of shard) {
      for (const record of batch.records) seen.push(`${shard.streamName} ${record.text()}`);
      wake?.();
      await batch.checkpoint();
    }
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await until(() => acquired === 4);
  simulator.clock.advance(2_000);
  await put("clicks", "after");
  simulator.reshard({ streamName: "orders", split: "shardId-000000000000" });
  await until(() => acquired === 6 && seen.length >= 2);
  await consumer.close();
  await run;
  expect(seen.toSorted()).toEqual(["clicks after", "orders before"]);
  const leases = [...leaseTable.rows.values()].filter((row) => row["checkpoint"] !== undefined);
  expect(leases).toHaveLength(6);
  for (const row of leases) {
    const { leaseKey, streamName, shardId } = row as Record<string, { S: string }>;
    expect(streamName?.S).toMatch(/^123456789012:(orders|clicks):\d+$/);
    expect(leaseKey?.S).toBe(`${streamName?.S}:${shardId?.S}`);
  }
});

test("a stream that does not exist is named", async () => {
  const simulator = new KinesisSimulator();
  const consumer = new Consumer(
    { streams: [{ streamName: "nowhere" }], applicationName: "several", leaseTable: new MemoryLeaseTable() },
    { kinesis: simulator.kinesis },
  );
  await expect(consumer.run(async () => undefined)).rejects.toThrow(/cannot describe the stream nowhere/);
});

test.each([
  [{ streams: [] }, "1 to 1,000 streams"],
  [{ streams: [{ streamName: "a b" }] }, "streams[0].streamName"],
  [{ streams: [{ streamName: "a", initialPosition: "EARLIEST" }] }, "streams[0].initialPosition"],
  [{ streams: [{ streamName: "a" }], streamName: "b" }, "only one of"],
])("refuses %j", (options, text) => {
  expect(() => new Consumer({ applicationName: "several", ...options } as never)).toThrow(text);
});
