/** How an application tests its own Kinesis code: against the simulator, with nothing else running. */
import { Consumer } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { Producer } from "@millrace/producer";
import { KinesisSimulator } from "@millrace/simulator";
import { expect, onTestFinished, test } from "vitest";

test("orders are added up per customer", async () => {
  const simulator = await KinesisSimulator.listen();
  onTestFinished(() => simulator.close());
  simulator.createStream({ streamName: "orders", shardCount: 2 });

  const producer = new Producer({ streamName: "orders", client: simulator.client() });
  await producer.putAll([
    { partitionKey: "ada", data: JSON.stringify({ cents: 500 }) },
    { partitionKey: "bob", data: JSON.stringify({ cents: 300 }) },
    { partitionKey: "ada", data: JSON.stringify({ cents: 250 }) },
  ]);
  await producer.close();

  const totals = new Map<string, number>();
  const done = new AbortController();
  const consumer = new Consumer({
    streamName: "orders",
    applicationName: "totals",
    client: simulator.client(),
    leaseTable: new MemoryLeaseTable(),
  });
  await consumer.run(
    async (shard) => {
      for await (const batch of shard) {
        for (const record of batch.records) {
          const customer = record.partitionKey ?? "";
          const { cents } = record.json() as { cents: number };
          totals.set(customer, (totals.get(customer) ?? 0) + cents);
        }
        await batch.checkpoint();
        if ([...totals.values()].reduce((sum, cents) => sum + cents, 0) === 1050) done.abort();
      }
    },
    { signal: done.signal },
  );
  expect(totals).toEqual(
    new Map([
      ["ada", 750],
      ["bob", 300],
    ]),
  );
});
