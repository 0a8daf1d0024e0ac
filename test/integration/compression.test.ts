/**
 * Compressed records over the wire, with zlib's own threads: to a consumer, and to a Lambda handler.
 */
import { kinesisHandler } from "@millrace/aggregation/lambda";
import { Consumer } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { Producer } from "@millrace/producer";
import { KinesisSimulator } from "@millrace/simulator";
import { afterEach, expect, it } from "vitest";

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

it.each(["gzip", "zstd"] as const)("gives back what was compressed with %s", async (compression) => {
  const simulator = await KinesisSimulator.listen();
  closing.push(() => simulator.close());
  simulator.createStream({ streamName: "logs", shardCount: 2 });
  const client = simulator.client();
  const producer = new Producer({ streamName: "logs", client, compression });
  closing.push(() => producer.close());
  const input = Array.from(
    { length: 5_000 },
    (_, index) => `{"index":${index},"path":"/items/${index % 31}","status":200}`,
  );
  await producer.putAll(input.map((data, index) => ({ partitionKey: `key-${index % 97}`, data })));
  expect(simulator.meter.counts().bytesIn).toBeLessThan(input.join("").length / 3);

  const consumer = new Consumer({
    streamName: "logs",
    applicationName: "reader",
    leaseTable: new MemoryLeaseTable(),
    client,
  });
  closing.push(() => consumer.close());
  const consumed: string[] = [];
  for await (const batch of consumer.batches()) {
    for (const record of batch.records) consumed.push(record.text());
    await batch.checkpoint();
    if (consumed.length >= input.length) break;
  }
  expect(consumed.toSorted()).toEqual(input.toSorted());

  const handled: string[] = [];
  const handler = kinesisHandler((record) => {
    handled.push(Buffer.from(record.data).toString());
    return Promise.resolve();
  });
  const response = await handler({ Records: await lambdaRecords(simulator) } as never, {} as never, () => {});
  expect(response).toEqual({ batchItemFailures: [] });
  expect(handled.toSorted()).toEqual(input.toSorted());
});

/** Everything in the stream, as Lambda hands it over. */
async function lambdaRecords(simulator: KinesisSimulator): Promise<unknown[]> {
  const records: unknown[] = [];
  for (const shardId of ["shardId-000000000000", "shardId-000000000001"]) {
    const position = { type: "TRIM_HORIZON" } as const;
    const first = await simulator.kinesis.getShardIterator({ streamName: "logs", shardId, position });
    if (!first.ok) throw first.error;
    const answer = await simulator.kinesis.getRecords({ shardIterator: first.value.shardIterator });
    if (!answer.ok) throw answer.error;
    for (const { data, partitionKey, sequenceNumber } of answer.value.records) {
      records.push({ kinesis: { data: Buffer.from(data).toString("base64"), partitionKey, sequenceNumber } });
    }
  }
  return records;
}
