import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { KinesisError } from "@millrace/core/kinesis";
import { KinesisSimulator } from "@millrace/simulator";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FanOutPort, Subscription, SubscriptionEvent } from "../retrieval/fan-out-port.ts";
import { fanOutFromClient } from "./fan-out-client.ts";

const shardId = "shardId-000000000000";
let simulator: KinesisSimulator;
let client: KinesisClient;
let fanOut: FanOutPort;
let consumerArn: string;

beforeEach(async () => {
  simulator = await KinesisSimulator.listen();
  const { streamArn } = simulator.createStream({ streamName: "clicks", shardCount: 1 });
  client = simulator.client();
  fanOut = fanOutFromClient(client);
  const request = { streamArn, consumerName: "app" };
  let consumer = await fanOut.registerStreamConsumer(request);
  while (!consumer.ok || consumer.value.status !== "ACTIVE") consumer = await fanOut.describeStreamConsumer(request);
  consumerArn = consumer.value.consumerArn;
});

afterEach(async () => {
  client.destroy();
  await simulator.close();
});

async function put(...texts: string[]): Promise<void> {
  const records = texts.map((text) => ({ data: Buffer.from(text), partitionKey: `key-\u{1F600}"${text}` }));
  await simulator.kinesis.putRecords({ streamName: "clicks", records });
}

async function subscribe(): Promise<Subscription> {
  const answer = await fanOut.subscribeToShard({ consumerArn, shardId, position: { type: "TRIM_HORIZON" } });
  if (!answer.ok) throw answer.error;
  return answer.value;
}

/** Events until there were so many records, or the subscription ended. */
async function take(subscription: Subscription, records: number): Promise<SubscriptionEvent[]> {
  const events: SubscriptionEvent[] = [];
  let seen = 0;
  for await (const event of subscription) {
    events.push(event);
    seen += event.records.length;
    if (seen >= records) break;
  }
  return events;
}

test("events come with their records, keys of any characters and times", async () => {
  await put("a", "b", "c");
  const events = await take(await subscribe(), 3);
  const records = events.flatMap((event) => event.records);
  expect(records.map(({ data, partitionKey }) => [Buffer.from(data).toString(), partitionKey])).toEqual([
    ["a", 'key-\u{1F600}"a'],
    ["b", 'key-\u{1F600}"b'],
    ["c", 'key-\u{1F600}"c'],
  ]);
  expect(records.every((record) => record.approximateArrivalTimestamp instanceof Date)).toBe(true);
  expect(events.at(-1)?.continuationSequenceNumber).toBe(records.at(-1)?.sequenceNumber);
});

test("the end of the shard comes with its children", async () => {
  await put("a");
  simulator.reshard({ streamName: "clicks", split: shardId });
  const events = await take(await subscribe(), Number.POSITIVE_INFINITY);
  expect(events.at(-1)).toMatchObject({
    continuationSequenceNumber: undefined,
    childShards: [{ parentShardIds: [shardId] }, { parentShardIds: [shardId] }],
  });
});

test("a subscription that is taken over rejects with what it is", async () => {
  await put("a", "b");
  simulator.fault({ kind: "takeover", count: 1 });
  const taken = take(await subscribe(), Number.POSITIVE_INFINITY);
  await expect(taken).rejects.toBeInstanceOf(KinesisError);
  await expect(taken).rejects.toMatchObject({ code: "ResourceInUseException" });
});

test("a stream that breaks within a frame rejects with a failure that passes", async () => {
  await put("a", "b");
  simulator.fault({ kind: "truncated-event-stream", count: 1 });
  const broken = take(await subscribe(), Number.POSITIVE_INFINITY);
  await expect(broken).rejects.toBeInstanceOf(KinesisError);
  await expect(broken).rejects.toMatchObject({ kind: "transient" });
});

test("a refused call is a value with the service's own name for it", async () => {
  const request = { consumerArn: `${consumerArn}0`, shardId, position: { type: "LATEST" } as const };
  expect(await fanOut.subscribeToShard(request)).toMatchObject({
    ok: false,
    error: { code: "ResourceNotFoundException", httpStatus: 400 },
  });
});
