/**
 * Tags from a put to a handler, over the wire: through the producer's aggregates, the simulator's HTTP server and the
 * consumer's unpacking.
 */
import { deaggregate } from "@millrace/aggregation";
import { Consumer, type ConsumedRecord } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { Producer, type ProducerOptions } from "@millrace/producer";
import { KinesisSimulator } from "@millrace/simulator";
import { afterEach, expect, it } from "vitest";

const streamName = "tagged";
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function startSimulator(): Promise<KinesisSimulator> {
  const simulator = await KinesisSimulator.listen();
  closing.push(() => simulator.close());
  simulator.createStream({ streamName, shardCount: 2 });
  return simulator;
}

/** What a handler gets of the first `count` records of the stream. */
async function consume(simulator: KinesisSimulator, count: number): Promise<ConsumedRecord[]> {
  const client = simulator.client();
  const consumer = new Consumer({ streamName, applicationName: "reader", leaseTable: new MemoryLeaseTable(), client });
  closing.push(() => consumer.close());
  const consumed: ConsumedRecord[] = [];
  for await (const batch of consumer.batches()) {
    consumed.push(...batch.records);
    if (consumed.length >= count) break;
  }
  return consumed;
}

const tags = {
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  "k\u00e9y": "\u{1F511}",
  empty: "",
};

it.each<[string, Partial<ProducerOptions>]>([
  ["in aggregates", {}],
  ["on records that go alone", { aggregation: false }],
  ["on records too large to share an aggregate", { aggregationMaxBytes: 64 }],
])("carries tags %s", async (_, options) => {
  const simulator = await startSimulator();
  const producer = new Producer({ streamName, client: simulator.client(), ...options });
  closing.push(() => producer.close());
  const input = Array.from({ length: 60 }, (_record, index) => ({
    partitionKey: `key-${index}`,
    data: `record-${index}`,
    ...(index % 3 === 0 && { tags: { ...tags, index: `${index}` } }),
    ...(index % 5 === 0 && { explicitHashKey: BigInt(index) }),
  }));
  await producer.putAll(input);
  const consumed = await consume(simulator, input.length);
  const read = new Map(consumed.map((record) => [record.text(), record]));
  expect(read.size).toBe(60);
  for (const record of input) {
    expect(read.get(record.data)?.tags).toEqual(record.tags);
    expect(read.get(record.data)?.partitionKey).toBe(record.partitionKey);
  }
});

it("leaves a lone record without tags as it is, and wraps one that has some", async () => {
  const simulator = await startSimulator();
  const sent: Uint8Array[] = [];
  const { kinesis } = simulator;
  const producer = new Producer(
    { streamName },
    {
      kinesis: {
        ...kinesis,
        listShards: (request, options) => kinesis.listShards(request, options),
        describeStreamSummary: (request, options) => kinesis.describeStreamSummary(request, options),
        putRecords: (request, options) => {
          sent.push(...request.records.map((record) => record.data));
          return kinesis.putRecords(request, options);
        },
      },
    },
  );
  closing.push(() => producer.close());
  await producer.put({ partitionKey: "k", data: "plain", tags: {} });
  await producer.put({ partitionKey: "k", data: "tagged", tags });
  expect(sent).toHaveLength(2);
  const views = sent.map((data) => deaggregate({ data, partitionKey: "k", sequenceNumber: "1" }));
  expect(views.map(([view]) => view?.aggregated)).toEqual([false, true]);
  expect(views[1]).toMatchObject([{ partitionKey: "k", tags, subSequenceNumber: 0 }]);
});
