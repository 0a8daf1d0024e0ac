// Enhanced fan-out: docs/reference/kinesis-service.md section 1.2, rows "EFO consumers" and "SubscribeToShard".
import { describe, expect, test } from "vitest";
import type { ServiceOutput, SubscriptionFrame } from "./service-port.ts";
import { recordsOf, StillSimulator } from "./testing-support/still-simulator.ts";

const mebibyte = 1_048_576;
const streamName = "clicks";
const shardId = "shardId-000000000000";

async function subscribed(options: object = {}) {
  const simulator = new StillSimulator({ transitionMs: 0, ...options });
  const { streamArn } = simulator.createStream({ streamName });
  const consumerArn = await simulator.consumer(streamArn);
  return { simulator, streamArn, consumerArn, events: await simulator.subscribe(consumerArn) };
}

async function eventOf(events: AsyncIterator<SubscriptionFrame, undefined>): Promise<ServiceOutput> {
  const { value } = await events.next();
  if (value?.SubscribeToShardEvent === undefined) throw new Error(`no event: ${value?.exception?.code ?? "the end"}`);
  return value.SubscribeToShardEvent;
}

describe("1.2 SubscribeToShard", () => {
  test("delivers what is stored, then what comes, without being asked again", async () => {
    const { simulator, events } = await subscribed();
    const first = await simulator.put(streamName);
    expect(recordsOf(await eventOf(events)).map((record) => record["SequenceNumber"])).toEqual([first]);
    const coming = eventOf(events);
    const second = await simulator.put(streamName);
    const event = await coming;
    expect(recordsOf(event).map((record) => record["SequenceNumber"])).toEqual([second]);
    expect(event["MillisBehindLatest"]).toBe(0);
    expect(event["ContinuationSequenceNumber"]).toBe(second);
  });

  test("ends after 5 minutes, and the last continuation goes on where it was", async () => {
    const { simulator, events, consumerArn } = await subscribed();
    const number = await simulator.put(streamName);
    const { ContinuationSequenceNumber: continuation } = await eventOf(events);
    const end = events.next();
    simulator.clock.advance(300_000);
    expect((await end).done).toBe(true);
    const next = await simulator.put(streamName);
    const again = await simulator.subscribe(consumerArn, {
      Type: "AFTER_SEQUENCE_NUMBER",
      SequenceNumber: continuation,
    });
    expect(recordsOf(await eventOf(again)).map((record) => record["SequenceNumber"])).toEqual([next]);
    expect(number).not.toBe(next);
  });

  test("the continuation moves even without data", async () => {
    const { simulator, events } = await subscribed();
    await simulator.put(streamName);
    const first = await eventOf(events);
    const coming = eventOf(events);
    simulator.clock.advance(5000);
    const second = await coming;
    expect(recordsOf(second)).toEqual([]);
    expect(BigInt(second["ContinuationSequenceNumber"] as string)).toBeGreaterThan(
      BigInt(first["ContinuationSequenceNumber"] as string),
    );
  });

  test("is taken once a second for a consumer and shard", async () => {
    const { simulator, consumerArn } = await subscribed({ limits: { subscriptionTakeoverMs: false } });
    const input = { ConsumerARN: consumerArn, ShardId: shardId, StartingPosition: { Type: "LATEST" } };
    expect(await simulator.refusal("SubscribeToShard", input)).toMatch(/^LimitExceededException: Rate exceeded/);
    simulator.clock.advance(1000);
    expect(await simulator.refusal("SubscribeToShard", input)).toBe("no refusal");
  });

  test("again within 5 seconds of success is ResourceInUse; later it takes the subscription over", async () => {
    const { simulator, consumerArn, events } = await subscribed();
    await eventOf(events);
    const waiting = events.next();
    simulator.clock.advance(4000);
    const input = { ConsumerARN: consumerArn, ShardId: shardId, StartingPosition: { Type: "LATEST" } };
    expect(await simulator.refusal("SubscribeToShard", input)).toMatch(/^ResourceInUseException/);
    simulator.clock.advance(1000);
    await waiting;
    const next = events.next();
    const later = await simulator.subscribe(consumerArn);
    expect((await next).value?.exception?.code).toBe("ResourceInUseException");
    expect((await events.next()).done).toBe(true);
    await simulator.put(streamName);
    expect(recordsOf(await eventOf(later))).toHaveLength(1);
  });

  test("two consumers do not disturb each other", async () => {
    const { simulator, streamArn, events } = await subscribed();
    const other = await simulator.subscribe(await simulator.consumer(streamArn, "other"));
    await simulator.put(streamName);
    expect(recordsOf(await eventOf(events))).toHaveLength(1);
    expect(recordsOf(await eventOf(other))).toHaveLength(1);
  });

  test("delivers 2 MiB a second", async () => {
    const { simulator, events } = await subscribed({ limits: { shardWriteBytesPerSecond: false } });
    for (let count = 0; count < 6; count++) await simulator.put(streamName, mebibyte);
    expect(recordsOf(await eventOf(events))).toHaveLength(2);
    let arrived = false;
    const next = eventOf(events).then((event) => {
      arrived = true;
      return event;
    });
    simulator.clock.advance(0);
    await Promise.resolve();
    expect(arrived).toBe(false);
    simulator.clock.advance(1);
    expect(recordsOf(await next)).toHaveLength(2);
  });

  test("ends with ChildShards and no continuation at the end of a shard", async () => {
    const { simulator, events } = await subscribed();
    await simulator.put(streamName);
    const { opened } = simulator.reshard({ streamName, split: shardId });
    const event = await eventOf(events);
    expect(recordsOf(event)).toHaveLength(1);
    expect((event["ChildShards"] as { ShardId: string }[]).map((child) => child.ShardId)).toEqual(opened);
    expect(event["ContinuationSequenceNumber"]).toBeUndefined();
    expect((await events.next()).done).toBe(true);
  });

  test("tells in the stream that the stream or the consumer is gone", async () => {
    for (const remove of ["DeregisterStreamConsumer", "DeleteStream"]) {
      const { simulator, consumerArn, streamArn, events } = await subscribed();
      await eventOf(events);
      const next = events.next();
      const input =
        remove === "DeleteStream"
          ? { StreamARN: streamArn, EnforceConsumerDeletion: true }
          : { ConsumerARN: consumerArn };
      await simulator.call(remove, input);
      expect((await next).value?.exception?.code).toBe("ResourceNotFoundException");
    }
  });

  test("ends when the simulator closes", async () => {
    const { simulator, events } = await subscribed();
    await eventOf(events);
    const next = events.next();
    await simulator.close();
    expect((await next).done).toBe(true);
  });

  test("ends quietly when its reader goes", async () => {
    const { simulator, events } = await subscribed();
    await eventOf(events);
    const next = events.next();
    await events.return?.();
    expect((await next).done).toBe(true);
    simulator.clock.advance(5000);
  });
});
