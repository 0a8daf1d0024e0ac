import { DeregisterStreamConsumerCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import { KinesisError, type Answer } from "@millrace/core/kinesis";
import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { afterEach, expect, test } from "vitest";
import { Consumer } from "../consumer.ts";
import type { ConsumerEvent } from "../events.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { FanOutPort, Subscription, SubscriptionEvent } from "./fan-out-port.ts";
import { FanOutReader } from "./fan-out.ts";

let simulator: KinesisSimulator | undefined;
let client: KinesisClient | undefined;

afterEach(async () => {
  client?.destroy();
  await simulator?.close();
  simulator = undefined;
  client = undefined;
});

test("a consumer reads by fan-out over HTTP/2, through a split, and switches to polling where it stopped", async () => {
  simulator = await KinesisSimulator.listen();
  simulator.createStream({ streamName: "clicks", shardCount: 1 });
  client = simulator.client();
  const leaseTable = new MemoryLeaseTable();
  const seen: string[] = [];
  const events: ConsumerEvent[] = [];
  let wake: (() => void) | undefined;
  const run = async (retrieval: "fan-out" | "polling", until: () => boolean): Promise<void> => {
    const consumer = new Consumer({
      streamName: "clicks",
      applicationName: "clicks-app",
      leaseTable,
      ...(client === undefined ? {} : { client }),
      retrieval,
      failoverTimeMs: 2_000,
      leaseDiscoveryIntervalMs: 50,
      pollIntervalMs: 200,
      onEvent: (event) => {
        events.push(event);
        wake?.();
      },
    });
    const running = consumer.run(async (shard) => {
      for await (const batch of shard) {
        for (const record of batch.records) seen.push(record.text());
        await batch.checkpoint();
        wake?.();
      }
    });
    while (!until()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await consumer.close();
    await running;
  };
  const put = async (from: number): Promise<void> => {
    const records = Array.from({ length: 10 }, (_, index) => ({
      data: Buffer.from(`r${from + index}`),
      partitionKey: `k${index}`,
    }));
    const answer = await simulator?.kinesis.putRecords({ streamName: "clicks", records });
    expect(answer?.ok).toBe(true);
  };
  await put(0);
  const reading = run("fan-out", () => seen.length >= 20);
  simulator.reshard({ streamName: "clicks", split: "shardId-000000000000" });
  await put(10);
  await reading;
  await put(20);
  await run("polling", () => seen.length >= 30);
  expect(seen).toHaveLength(30);
  expect(new Set(seen).size).toBe(30);
  expect(events.some((event) => event.type === "shard-finished")).toBe(true);
});

const unused = (): Promise<never> => Promise.reject(new Error("not called"));

/** A subscription out of a script: events, then its end or its break. */
async function* script(steps: readonly (SubscriptionEvent | Error | "silence")[]): AsyncGenerator<SubscriptionEvent> {
  for (const step of steps) {
    if (step === "silence") await new Promise(() => undefined);
    else if (step instanceof Error) throw step;
    else yield step;
  }
}

function eventAt(sequenceNumber: number, isLast = false): SubscriptionEvent {
  const child = { shardId: "child", parentShardIds: ["s"], startingHashKey: 0n, endingHashKey: 1n };
  return {
    records: [{ data: Buffer.from(`${sequenceNumber}`), sequenceNumber: `${sequenceNumber}` }],
    continuationSequenceNumber: isLast ? undefined : `${sequenceNumber}`,
    millisBehindLatest: 0,
    childShards: isLast ? [child] : [],
  };
}

function broken(code: string): KinesisError {
  return new KinesisError({ code, message: code, kind: "transient", mayHaveTakenEffect: false });
}

test("subscriptions that end, break, fall silent or are refused go on at the continuation, 5 s apart", async () => {
  const timeline = new Timeline();
  const { system } = timeline.host("reader");
  const calls: { readonly atMs: number; readonly position: string }[] = [];
  const answers: Answer<Subscription>[] = [
    { ok: true, value: script([eventAt(1), eventAt(2)]), serviceTime: undefined },
    { ok: true, value: script([eventAt(3), broken("InternalFailure")]), serviceTime: undefined },
    { ok: false, error: broken("ResourceInUseException") },
    { ok: true, value: script([eventAt(4), "silence"]), serviceTime: undefined },
    { ok: true, value: script([eventAt(5, true)]), serviceTime: undefined },
  ];
  const fanOut: FanOutPort = {
    describeStreamConsumer: unused,
    registerStreamConsumer: unused,
    subscribeToShard: async ({ position }) => {
      const at = "sequenceNumber" in position ? position.sequenceNumber : position.type;
      calls.push({ atMs: timeline.nowMs, position: at });
      return answers[calls.length - 1] ?? { ok: false, error: broken("Unexpected") };
    },
  };
  const kinesis = new KinesisSimulator({ system }).kinesis;
  const reader = new FanOutReader({
    fanOut,
    kinesis,
    system,
    events: { publish: () => undefined, hasListeners: false },
    stream: { streamName: "clicks" },
    consumerArn: () => "arn",
    onConsumerMissing: unused,
    shardId: "s",
    position: { type: "TRIM_HORIZON" },
    prefetchMaxBytes: 1_000_000,
    budget: new ByteBudget(1_000_000),
    lastSubscribedAt: undefined,
    onSubscribed: () => undefined,
  });
  const seen: string[] = [];
  const { signal } = new AbortController();
  const reading = (async () => {
    for (;;) {
      const chunk = await reader.next(signal);
      if (chunk.type === "shard-end") return chunk.childShards;
      for (const record of chunk.records) seen.push(record.sequenceNumber);
    }
  })();
  const children = await timeline.settle(reading, { forMs: 120_000 });
  await timeline.settle(reader.stop(), { forMs: 10_000 });
  expect(seen).toEqual(["1", "2", "3", "4", "5"]);
  expect(children.map((child) => child.shardId)).toEqual(["child"]);
  expect(calls.map((call) => call.position)).toEqual(["TRIM_HORIZON", "2", "3", "3", "4"]);
  const pausesMs = calls.slice(1).map((call, index) => call.atMs - (calls[index]?.atMs ?? 0));
  expect(Math.min(...pausesMs)).toBeGreaterThanOrEqual(5_000);
});

/** Reads by a script of answers until the shard's end; gives the positions asked for and the events. */
async function readScript(
  answers: readonly (Answer<Subscription> | "silence")[],
  options: { readonly onConsumerMissing?: () => Promise<void> } = {},
) {
  const timeline = new Timeline();
  const { system } = timeline.host("reader");
  const simulated = new KinesisSimulator({ system });
  simulated.createStream({ streamName: "clicks", shardCount: 1 });
  const positions: string[] = [];
  const events: ConsumerEvent[] = [];
  const fanOut: FanOutPort = {
    describeStreamConsumer: unused,
    registerStreamConsumer: unused,
    subscribeToShard: ({ position }) => {
      const answer = answers[positions.length];
      positions.push("sequenceNumber" in position ? position.sequenceNumber : position.type);
      if (answer === "silence") return new Promise(() => undefined);
      return Promise.resolve(answer ?? { ok: false, error: broken("Unexpected") });
    },
  };
  const reader = new FanOutReader({
    fanOut,
    kinesis: simulated.kinesis,
    system,
    events: { publish: (event) => void events.push(event), hasListeners: true },
    stream: { streamName: "clicks" },
    consumerArn: () => "arn",
    onConsumerMissing: options.onConsumerMissing ?? (() => Promise.resolve()),
    shardId: "shardId-000000000000",
    position: { type: "AT_SEQUENCE_NUMBER", sequenceNumber: "0" },
    prefetchMaxBytes: 1_000_000,
    budget: new ByteBudget(1_000_000),
    lastSubscribedAt: undefined,
    onSubscribed: () => undefined,
  });
  const seen: string[] = [];
  const reading = (async () => {
    for (;;) {
      const chunk = await reader.next(new AbortController().signal);
      if (chunk.type === "shard-end") return;
      for (const record of chunk.records) seen.push(record.sequenceNumber);
    }
  })();
  await timeline.settle(reading, { forMs: 600_000 });
  await timeline.settle(reader.stop(), { forMs: 1 });
  return { positions, seen, codes: events.flatMap((event) => (event.type === "read-failed" ? [event.code] : [])) };
}

function opened(...steps: Parameters<typeof script>[0]): Answer<Subscription> {
  return { ok: true, value: script(steps), serviceTime: undefined };
}

const refused = (code: string): Answer<Subscription> => ({ ok: false, error: broken(code) });

test("fan-out goes on through every failure of the call and within the subscription [C1] [C2]", async () => {
  const { positions, seen, codes } = await readScript([
    refused("InternalFailure"),
    refused("LimitExceededException"),
    refused("AccessDeniedException"),
    refused("ECONNRESET"),
    opened(eventAt(1), broken("ResourceInUseException")),
    refused("ResourceInUseException"),
    opened(broken("KMSThrottlingException")),
    opened(),
    opened(eventAt(2), broken("ResourceNotFoundException")),
    opened(eventAt(3, true)),
  ]);
  expect(seen).toEqual(["1", "2", "3"]);
  expect(positions).toEqual(["0", "0", "0", "0", "0", "1", "1", "1", "1", "2"]);
  expect(codes).toHaveLength(8);
});

test("a subscription that is never answered is given up, and asked for again", async () => {
  const { seen, codes } = await readScript(["silence", opened(eventAt(1, true))]);
  expect(seen).toEqual(["1"]);
  expect(codes).toEqual(["TimeoutError"]);
});

test("a place that the shard does not know any more is left for its beginning", async () => {
  const { positions, seen } = await readScript([refused("InvalidArgumentException"), opened(eventAt(1, true))]);
  expect(positions).toEqual(["0", "TRIM_HORIZON"]);
  expect(seen).toEqual(["1"]);
});

test("a consumer that somebody deregistered is asked for again while the shard is there", async () => {
  let asked = 0;
  const { seen } = await readScript([refused("ResourceNotFoundException"), opened(eventAt(1, true))], {
    onConsumerMissing: async () => void asked++,
  });
  expect(asked).toBe(1);
  expect(seen).toEqual(["1"]);
});

test("a consumer that somebody deregistered is registered again, and its shards are read on [C1]", async () => {
  simulator = await KinesisSimulator.listen();
  const { streamArn } = simulator.createStream({ streamName: "clicks", shardCount: 1 });
  client = simulator.client();
  const seen: string[] = [];
  let wake: (() => void) | undefined;
  const consumer = new Consumer({
    streamName: "clicks",
    applicationName: "clicks-app",
    leaseTable: new MemoryLeaseTable(),
    client,
    retrieval: "fan-out",
    leaseDiscoveryIntervalMs: 50,
    onEvent: () => wake?.(),
  });
  const put = (text: string) =>
    simulator?.kinesis.putRecords({ streamName: "clicks", records: [{ data: Buffer.from(text), partitionKey: "k" }] });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await put("before");
  const running = consumer.run(async (shard) => {
    for await (const batch of shard) {
      for (const record of batch.records) seen.push(record.text());
      await batch.checkpoint();
      wake?.();
    }
  });
  await until(() => seen.length === 1);
  await client.send(new DeregisterStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: "clicks-app" }));
  await put("after");
  await until(() => seen.length === 2);
  await consumer.close();
  await running;
  expect(seen).toEqual(["before", "after"]);
});
