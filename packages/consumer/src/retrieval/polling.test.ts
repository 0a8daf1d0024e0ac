import type { KinesisPort, StartingPosition } from "@millrace/core/kinesis";
import { KinesisSimulator, Timeline, type FaultKind } from "@millrace/simulator";
import { beforeEach, describe, expect, test } from "vitest";
import type { ConsumerEvent } from "../events.ts";
import { ByteBudget } from "./byte-budget.ts";
import { PollingReader, type PollingOptions } from "./polling.ts";

let timeline: Timeline;
let simulator: KinesisSimulator;
let events: ConsumerEvent[];
let positions: StartingPosition[];
const shardId = "shardId-000000000000";
const { signal } = new AbortController();

beforeEach(() => {
  timeline = new Timeline({ seed: 3 });
  simulator = new KinesisSimulator({ system: timeline.host("service").system });
  simulator.createStream({ streamName: "clicks", shardCount: 1 });
  events = [];
  positions = [];
});

/** The simulator's port, which notes where iterators were asked for. */
function notingPort(): KinesisPort {
  const { kinesis } = simulator;
  return {
    ...kinesis,
    getRecords: (request, options) => kinesis.getRecords(request, options),
    getShardIterator: (request, options) => {
      positions.push(request.position);
      return kinesis.getShardIterator(request, options);
    },
  };
}

function open(options: Partial<PollingOptions> = {}): PollingReader {
  return new PollingReader({
    kinesis: notingPort(),
    system: timeline.host("reader").system,
    events: { hasListeners: true, publish: (event) => void events.push(event) },
    stream: { streamName: "clicks" },
    shardId,
    position: { type: "TRIM_HORIZON" },
    prefetchMaxBytes: 1_000_000,
    budget: new ByteBudget(1_000_000),
    pollIntervalMs: 1_000,
    maxRecordsPerCall: 10,
    ...options,
  });
}

async function put(from: number, count: number, bytes = 10): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    data: Buffer.from(String(from + index).padStart(bytes)),
    partitionKey: "k",
  }));
  const answer = await simulator.kinesis.putRecords({ streamName: "clicks", records });
  expect(answer.ok).toBe(true);
}

/** Reads until so many records have come; gives their numbers. */
function read(reader: PollingReader, count: number): Promise<number[]> {
  const seen: number[] = [];
  const reading = (async () => {
    while (seen.length < count) {
      const chunk = await reader.next(signal);
      if (chunk.type === "shard-end") break;
      for (const { data } of chunk.records) seen.push(Number(Buffer.from(data).toString()));
    }
    return seen;
  })();
  return timeline.settle(reading, { forMs: 900_000 });
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("polling goes on with every record in order", () => {
  const kinds: readonly FaultKind[] = [
    "throttle",
    "internal-failure",
    "service-unavailable",
    "kms-throttle",
    "non-json-body",
    "answer-lost",
    "reset",
    "hang",
    "empty-answer",
    "expired-iterator",
  ];
  test.each(kinds)("after %s of either call, again and again [C1] [C2]", async (kind) => {
    await put(0, 100);
    simulator.fault({ kind, rate: 0.5, count: 12 });
    const reader = open();
    expect(await read(reader, 100)).toEqual(numbers(100));
    await timeline.settle(reader.stop(), { forMs: 60_000 });
    const waits = events.flatMap((event) => (event.type === "read-failed" ? [event.retryInMs] : []));
    expect(Math.max(0, ...waits)).toBeLessThanOrEqual(10_000);
  });

  test("after a call that never answers, once its time is up", async () => {
    await put(0, 5);
    simulator.fault({ kind: "hang", action: "GetRecords", count: 1 });
    const reader = open();
    expect(await read(reader, 5)).toEqual(numbers(5));
    expect(events).toMatchObject([{ type: "read-failed", code: "TimeoutError" }]);
    await timeline.settle(reader.stop(), { forMs: 1_000 });
  });

  test("after a refusal that lasts, such as of access, as soon as it is lifted", async () => {
    await put(0, 5);
    const kinesis = notingPort();
    let isDenied = true;
    const reader = open({
      kinesis: {
        ...kinesis,
        getRecords: async (request, options) => {
          const answer = await kinesis.getRecords(request, options);
          if (!isDenied) return answer;
          return kinesis.getRecords({ ...request, shardIterator: "none" }, options);
        },
      },
    });
    await timeline.run({ forMs: 120_000 });
    expect(events.length).toBeGreaterThan(5);
    isDenied = false;
    expect(await read(reader, 5)).toEqual(numbers(5));
    await timeline.settle(reader.stop(), { forMs: 1_000 });
  });
});

test("an iterator that expires before anything was read is asked for at the same time, not at LATEST [C1]", async () => {
  const timestamp = new Date(timeline.host("service").system.wallNow());
  simulator.fault({ kind: "expired-iterator", action: "GetRecords", script: "..x..xx" });
  const reader = open({ position: { type: "AT_TIMESTAMP", timestamp } });
  const reading = read(reader, 2);
  await put(0, 2);
  expect(await reading).toEqual([0, 1]);
  expect(positions.every((position) => position.type !== "LATEST")).toBe(true);
  expect(positions[0]).toEqual({ type: "AT_TIMESTAMP", timestamp });
  await timeline.settle(reader.stop(), { forMs: 1_000 });
});

describe("what is fetched ahead is bounded in bytes [C6]", () => {
  const recordBytes = 10_000;

  test("per shard", async () => {
    await put(0, 100, recordBytes);
    const reader = open({ prefetchMaxBytes: 200_000 });
    await timeline.run({ forMs: 300_000 });
    expect(reader.bufferedBytes).toBeGreaterThanOrEqual(200_000);
    // One answer of ten records may pass the bound.
    expect(reader.bufferedBytes).toBeLessThan(200_000 + 10 * (recordBytes + 500));
    expect(await read(reader, 100)).toEqual(numbers(100));
    await timeline.settle(reader.stop(), { forMs: 1_000 });
  });

  test("over all shards, whose handlers all get what they wait for", async () => {
    await put(0, 100, recordBytes);
    const limitBytes = 11_000_000;
    const budget = new ByteBudget(limitBytes);
    const readers = Array.from({ length: 20 }, () => open({ budget }));
    let mostBytes = 0;
    const until = (): boolean => {
      mostBytes = Math.max(mostBytes, budget.usedBytes);
      return false;
    };
    await timeline.run({ forMs: 300_000, until });
    // Nobody waits for what is fetched: only an answer that is larger than the one before passes the bound.
    expect(mostBytes).toBeGreaterThan(limitBytes / 3);
    expect(mostBytes).toBeLessThan(limitBytes + 10 * (recordBytes + 500));
    for (const reader of readers) {
      expect(await read(reader, 100)).toEqual(numbers(100));
    }
    for (const reader of readers) await timeline.settle(reader.stop(), { forMs: 1_000 });
    expect(budget.usedBytes).toBe(0);
  });

  test("at nothing where nothing is to be fetched ahead", async () => {
    await put(0, 20);
    const reader = open({ prefetchMaxBytes: 0 });
    await timeline.run({ forMs: 60_000 });
    expect(reader.bufferedBytes).toBe(0);
    expect(await read(reader, 20)).toEqual(numbers(20));
    await timeline.settle(reader.stop(), { forMs: 1_000 });
  });
});

test("a shard that is stopped in the middle of a call that hangs ends at once", async () => {
  simulator.fault({ kind: "hang" });
  const reader = open();
  await timeline.run({ forMs: 1_000 });
  const stopped = timeline.settle(reader.stop(), { forMs: 1 });
  await expect(stopped).resolves.toBeUndefined();
});

test("the end of a shard is told with its children, after its last record, whatever fails meanwhile [C5]", async () => {
  await put(0, 30);
  simulator.reshard({ streamName: "clicks", split: shardId });
  for (const kind of ["internal-failure", "expired-iterator", "throttle"] as const) {
    simulator.fault({ kind, rate: 0.4, count: 6 });
  }
  const reader = open();
  expect(await read(reader, 30)).toEqual(numbers(30));
  const end = await timeline.settle(reader.next(signal), { forMs: 600_000 });
  expect(end).toMatchObject({
    type: "shard-end",
    childShards: [{ parentShardIds: [shardId] }, { parentShardIds: [shardId] }],
  });
  await timeline.settle(reader.stop(), { forMs: 1_000 });
});
