/** Testing what one hardly ever sees: throttles, lost answers, expired iterators, a shard that splits under a reader. */
import { GetRecordsCommand, GetShardIteratorCommand, ListShardsCommand } from "@aws-sdk/client-kinesis";
import { Producer } from "@millrace/producer";
import { KinesisSimulator } from "@millrace/simulator";
import { expect, onTestFinished, test } from "vitest";

async function startSimulator(): Promise<KinesisSimulator> {
  const simulator = await KinesisSimulator.listen();
  onTestFinished(() => simulator.close());
  simulator.createStream({ streamName: "orders", shardCount: 1 });
  return simulator;
}

test("a producer gets its records through throttles and lost answers", async () => {
  const simulator = await startSimulator();
  const throttle = simulator.fault({ kind: "throttle", action: "PutRecords", count: 2 });
  const lost = simulator.fault({ kind: "answer-lost", action: "PutRecords", script: "..x" });

  const producer = new Producer({ streamName: "orders", client: simulator.client() });
  const { stored } = await producer.putAll(
    Array.from({ length: 20 }, (_, order) => ({ partitionKey: "ada", data: `order ${order}` })),
  );
  await producer.close();

  expect(stored).toBe(20);
  expect([throttle.struck, lost.struck]).toEqual([2, 1]);
  // All twenty travel in one Kinesis record. Its answer was lost after it was stored, so it is there twice.
  expect(simulator.meter.counts().recordsIn).toBe(2);
});

test("an iterator expires after five minutes, without waiting for them", async () => {
  const simulator = await startSimulator();
  const client = simulator.client();
  onTestFinished(() => client.destroy());
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({
      StreamName: "orders",
      ShardId: "shardId-000000000000",
      ShardIteratorType: "TRIM_HORIZON",
    }),
  );
  simulator.clock.advance(5 * 60_000 + 1);
  await expect(client.send(new GetRecordsCommand({ ShardIterator }))).rejects.toThrow("Iterator expired");
});

test("a shard that was split ends, and names its children", async () => {
  const simulator = await startSimulator();
  const client = simulator.client();
  onTestFinished(() => client.destroy());
  const { opened } = simulator.reshard({ streamName: "orders", split: "shardId-000000000000" });
  const { Shards } = await client.send(new ListShardsCommand({ StreamName: "orders" }));
  expect(
    Shards?.filter((shard) => shard.ParentShardId === "shardId-000000000000").map((shard) => shard.ShardId),
  ).toEqual(opened);
});
