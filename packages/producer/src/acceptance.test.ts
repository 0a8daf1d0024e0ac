import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PutRecordsResponse } from "@millrace/core/kinesis";
import { describe, expect, test } from "vitest";
import { BufferFullError, PutError } from "./errors.ts";
import { records, refusal, streamName, World } from "./testing-support/world.ts";

const denied = () => Promise.resolve(refusal<never>("AccessDeniedException", "permanent"));
const never = () => new Promise<never>(() => {});

describe("a dead network", () => {
  test("every promise settles within the lifetime, and nothing stays buffered [C7]", async () => {
    const world = new World({ stream: { shardCount: 2 } });
    const producer = world.producer({ recordTtlMs: 10_000 });
    await world.until(producer.put({ partitionKey: "a", data: "before" }));
    // The answer never comes: the connection is dead, and nothing under the producer notices.
    world.port.on("putRecords", never);
    const settledAt: number[] = [];
    const startedAt = world.system.now();
    const puts = records(2_000).map((record) =>
      producer
        .put(record)
        .catch((error: unknown) => error)
        .finally(() => settledAt.push(world.system.now() - startedAt)),
    );
    const errors = await world.until(Promise.all(puts));
    expect(Math.max(...settledAt)).toBeLessThanOrEqual(10_010);
    expect(producer.buffered).toEqual({ records: 0, bytes: 0 });
    expect(world.producerSystem.timers).toBe(0);
    const [error] = errors;
    expect(error).toBeInstanceOf(PutError);
    expect(error).toMatchObject({ code: "Expired", scope: "lifetime", retryable: true, mayHaveBeenStored: true });
    // Every message tells the first real cause, not only that time ran out, be it another request's.
    for (const failed of errors) expect((failed as PutError).message).toContain("RequestTimeout");
    expect((error as PutError).message).toContain("RequestTimeout");
    expect((error as PutError).attempts.length).toBeGreaterThan(0);
  });

  test("a stored record whose answer was lost is sent again, and only ever more than once, never less [C1]", async () => {
    const world = new World();
    const producer = world.producer();
    let lost = 0;
    world.port.on("putRecords", async (_request, forward) => {
      const answer = await forward();
      return lost++ < 2 ? refusal<PutRecordsResponse>("ECONNRESET", "transient", 0) : answer;
    });
    const result = await world.until(producer.put({ partitionKey: "a", data: "x" }));
    expect(result.attempts.map((attempt) => attempt.errorCode)).toEqual(["ECONNRESET", "ECONNRESET", undefined]);
    expect((await world.readBack()).map((read) => read.text)).toEqual(["x", "x", "x"]);
  });
});

describe("an error that will not go away", () => {
  test("a missing stream fails in under a second, with the service's code", async () => {
    const world = new World();
    const put = world.producer({ streamName: "elsewhere" }).put({ partitionKey: "a", data: "x" });
    await expect(world.until(put, 10, 1_000)).rejects.toMatchObject({
      code: "ResourceNotFoundException",
      scope: "stream",
      retryable: false,
    });
  });

  test("denied access fails in under a second, with the service's code", async () => {
    const world = new World();
    for (const method of ["listShards", "describeStreamSummary", "putRecords"] as const) world.port.on(method, denied);
    const put = world.producer().put({ partitionKey: "a", data: "x" });
    await expect(world.until(put, 10, 1_000)).rejects.toMatchObject({ code: "AccessDeniedException", scope: "stream" });
    expect(world.eventsOf("prediction-off")).toHaveLength(1);
  });

  test.each(["KMSDisabledException", "KMSAccessDeniedException", "UnrecognizedClientException"])(
    "%s fails at once",
    async (code) => {
      const world = new World();
      world.port.on("putRecords", () => Promise.resolve(refusal(code, "permanent")));
      const put = world.producer().put({ partitionKey: "a", data: "x" });
      await expect(world.until(put, 10, 1_000)).rejects.toMatchObject({ code, attempts: [{ success: false }] });
    },
  );
});

describe("one oversize record among 499 good ones", () => {
  const input = records(500).with(250, { partitionKey: "big", data: "x".repeat(1_100_000) });

  test("is refused by the service; its request is halved until it stands alone, and 499 are stored", async () => {
    const world = new World({ stream: { shardCount: 4 } });
    // Without DescribeStreamSummary the producer cannot know the stream's bound.
    world.port.on("describeStreamSummary", () => Promise.resolve(refusal("AccessDeniedException", "permanent")));
    const producer = world.producer({ aggregation: false, maxRecordBytes: 10_485_760 });
    const settled = await world.until(Promise.allSettled(input.map((record) => producer.put(record))));
    const failed = settled.filter((put) => put.status === "rejected");
    expect(failed.map((put) => put.reason)).toMatchObject([{ scope: "record", retryable: false }]);
    expect(world.eventsOf("request-refused").length).toBeGreaterThan(5);
    expect(await world.readBack()).toHaveLength(499);
  });

  test("is refused before it is sent where the stream's bound is known", async () => {
    const world = new World();
    const producer = world.producer({ maxRecordBytes: 10_485_760 });
    const settled = await world.until(Promise.allSettled(input.map((record) => producer.put(record))));
    const failed = settled.filter((put) => put.status === "rejected");
    expect(failed.map((put) => put.reason)).toMatchObject([{ code: "ERR_RECORD_TOO_LARGE", maxBytes: 1_048_576 }]);
    expect(world.eventsOf("request-refused")).toEqual([]);
    expect(await world.readBack()).toHaveLength(499);
  });

  test("a refusal of everything is no record's fault: nobody may set all records aside", async () => {
    const world = new World();
    world.port.on("putRecords", () => Promise.resolve(refusal("ValidationException", "permanent")));
    const producer = world.producer();
    const settled = await world.until(Promise.allSettled(records(8).map((record) => producer.put(record))));
    expect(settled).toMatchObject(Array.from({ length: 8 }, () => ({ reason: { scope: "stream" } })));
  });
});

describe("a producer twice as fast as its shard that never awaits", () => {
  test("holds no more than its bounds, and every record is stored or refused aloud [C6]", async () => {
    const world = new World({ stream: { shardCount: 1 } });
    const bounds = { maxBufferedBytes: 8_388_608, maxBufferedRecords: 4_000, maxWaitingRecords: 1_000 };
    const producer = world.producer({ ...bounds, recordTtlMs: 60_000 });
    const counts = { stored: 0, full: 0, other: 0 };
    let mostRecords = 0;
    let mostBytes = 0;
    const data = "x".repeat(2_000);
    // 2 MiB/s into a shard that takes 1 MiB/s, for 20 s.
    for (let index = 0; index < 20_000; index++) {
      producer.put({ partitionKey: `key-${index}`, data }).then(
        () => (counts.stored += 1),
        (error: unknown) => (error instanceof BufferFullError ? (counts.full += 1) : (counts.other += 1)),
      );
      mostRecords = Math.max(mostRecords, producer.buffered.records);
      mostBytes = Math.max(mostBytes, producer.buffered.bytes);
      if (index % 10 === 9) await world.system.advance(10);
    }
    await world.until(producer.close());
    expect(counts.stored + counts.full).toBe(20_000);
    expect(counts.other).toBe(0);
    expect(counts.full).toBeGreaterThan(1_000);
    expect(mostRecords).toBeLessThanOrEqual(5_000);
    // One bound for all: what came in and what waits, and the one record that passes it.
    expect(mostBytes).toBeLessThanOrEqual(bounds.maxBufferedBytes + 5_000);
  });

  test.each([
    ["200", "before"],
    ["200", "after"],
    ["20000", "after"],
  ])(
    "in an outage, takes no more heap than it counts: %s bytes, %s the stream is known [C6]",
    async (size, outage) => {
      const script = fileURLToPath(new URL("testing-support/outage-memory.ts", import.meta.url));
      const args = ["--expose-gc", script, size, outage];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
      const told = JSON.parse(stdout) as { refused: number; countedBytes: number; heldBytes: number };
      expect(told.refused).toBeGreaterThan(0);
      // The requests under way and the simulator are in the same process.
      expect(told.heldBytes).toBeLessThanOrEqual(told.countedBytes + 6_291_456);
    },
    40_000,
  );
});

describe("resharding under aggregates", () => {
  test("split then merge while producing: a reader that checks hash ranges loses nothing [C1]", async () => {
    const world = new World({ stream: { shardCount: 1 } });
    const producer = world.producer();
    const puts: Promise<unknown>[] = [];
    const input = records(6_000);
    let shards = ["shardId-000000000000"];
    for (let index = 0; index < input.length; index++) {
      puts.push(producer.put(input[index] ?? { partitionKey: "", data: "" }));
      if (index % 20 === 19) await world.system.advance(10);
      if (index === 2_010) shards = [...world.simulator.reshard({ streamName, split: shards[0] }).opened];
      if (index === 4_010) world.simulator.reshard({ streamName, merge: [shards[0] ?? "", shards[1] ?? ""] });
    }
    await world.until(producer.close());
    await Promise.all(puts);
    const read = await world.readBack();
    const delivered = new Set(read.filter((record) => !record.isDropped).map((record) => record.text));
    expect(input.filter((record) => !delivered.has(record.data))).toEqual([]);
    // Aggregates that straddled the split were sent again: that is what this test is about.
    expect(world.eventsOf("wrong-shard").length).toBeGreaterThan(0);
    expect(world.eventsOf("shard-map-updated").map((event) => event.openShards)).toEqual([1, 2, 1]);
  });

  test("an aggregate that landed whole in a child waits for the new map, and is not sent twice", async () => {
    const world = new World({ stream: { shardCount: 1 } });
    const producer = world.producer();
    await world.until(producer.put({ partitionKey: "a", data: "before" }));
    const { opened } = world.simulator.reshard({ streamName, split: "shardId-000000000000" });
    const results = await world.until(
      Promise.all(["x", "y", "z"].map((data) => producer.put({ partitionKey: "a", data, explicitHashKey: 5n }))),
    );
    expect(new Set(results.map((result) => result.shardId))).toEqual(new Set([opened[0]]));
    expect((await world.readBack()).map((read) => [read.text, read.isDropped])).toEqual([
      ["before", false],
      ["x", false],
      ["y", false],
      ["z", false],
    ]);
    expect(world.eventsOf("wrong-shard")).toEqual([]);
  });
});

describe("what a producer costs at rest", () => {
  test("defaults make no call but the needed ones", async () => {
    const world = new World({ stream: { shardCount: 3 } });
    const producer = world.producer();
    await world.until(Promise.all(records(300).map((record) => producer.put(record))));
    await world.until(producer.close());
    await world.system.advance(3_600_000);
    expect(world.port.calls.toSorted()).toEqual(["describeStreamSummary", "listShards", "putRecords"]);
  });

  test("an idle producer keeps no timer, and the process ends after close without being told to", async () => {
    const script = fileURLToPath(new URL("testing-support/idle-process.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 15_000 });
    expect(JSON.parse(stdout)).toEqual({ stored: 100 });
  });
});

describe("a stream of 10,000 shards", () => {
  test("is read page by page, and again nothing is sent to it but records", async () => {
    const world = new World({ stream: { shardCount: 10_000 } });
    const producer = world.producer();
    await world.until(producer.put({ partitionKey: "a", data: "x" }));
    expect(world.port.calls.filter((call) => call === "listShards")).toHaveLength(10);
    expect(world.eventsOf("shard-map-updated")).toEqual([{ type: "shard-map-updated", openShards: 10_000 }]);
  });
});
