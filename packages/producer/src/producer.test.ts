import { describe, expect, test } from "vitest";
import { BufferFullError, ProducerClosedError, PutAllError, PutError, RecordError } from "./errors.ts";
import { collect, records, refusal, World } from "./testing-support/world.ts";

describe("put", () => {
  test("resolves with the place where the record was stored", async () => {
    const world = new World({ stream: { shardCount: 1 } });
    const producer = world.producer();
    const [first, second] = await world.until(
      Promise.all([producer.put({ partitionKey: "a", data: "x" }), producer.put({ partitionKey: "b", data: "y" })]),
    );
    expect(first).toMatchObject({ shardId: "shardId-000000000000", subSequenceNumber: 0 });
    expect(second).toMatchObject({ sequenceNumber: first.sequenceNumber, subSequenceNumber: 1 });
    expect(first.attempts).toEqual([expect.objectContaining({ success: true })]);
    await world.until(producer.close());
    expect(producer.buffered).toEqual({ records: 0, bytes: 0 });
    expect((await world.readBack()).map((read) => [read.view.partitionKey, read.text])).toEqual([
      ["a", "x"],
      ["b", "y"],
    ]);
  });

  test("packs thousands of records into few Kinesis records of their shards, and every one arrives", async () => {
    const world = new World({ stream: { shardCount: 4 } });
    const producer = world.producer();
    const input = records(5_000);
    const puts = input.map((record) => producer.put(record));
    await world.until(producer.flush());
    await Promise.all(puts);
    const read = await world.readBack();
    expect(read.map((record) => record.text).toSorted()).toEqual(input.map((record) => record.data).toSorted());
    expect(read.filter((record) => record.isDropped)).toEqual([]);
    const [completed] = world.eventsOf("request-completed");
    expect(completed?.userRecords).toBeGreaterThan(1_000);
    expect(completed?.kinesisRecords).toBeLessThan(10);
  });

  test("waits no longer than recordMaxBufferedMs for company", async () => {
    const world = new World();
    const producer = world.producer({ recordMaxBufferedMs: 250 });
    let isStored = false;
    const put = producer.put({ partitionKey: "a", data: "x" }).then(() => (isStored = true));
    await world.system.advance(240);
    expect(isStored).toBe(false);
    await world.system.advance(10);
    expect(isStored).toBe(true);
    await put;
  });

  test("calls nothing and starts no timer before the first put, and keeps none when idle", async () => {
    const world = new World();
    const producer = world.producer();
    await world.system.advance(10_000);
    expect([world.port.calls, world.producerSystem.timers]).toEqual([[], 0]);
    await world.until(producer.put({ partitionKey: "a", data: "x" }));
    expect(world.port.calls.toSorted()).toEqual(["describeStreamSummary", "listShards", "putRecords"]);
    expect(world.producerSystem.timers).toBe(0);
    await world.until(producer.put({ partitionKey: "a", data: "y" }));
    expect(world.port.calls).toHaveLength(4);
    expect(world.producerSystem.timers).toBe(0);
  });

  test("rejects what breaks a rule, and stores the rest", async () => {
    const world = new World();
    const producer = world.producer();
    const bad = producer.put({ partitionKey: "", data: "x" });
    const good = producer.put({ partitionKey: "a", data: "x" });
    await expect(bad).rejects.toMatchObject({ name: "RecordError", path: "partitionKey", scope: "record" });
    await expect(bad).rejects.toBeInstanceOf(RecordError);
    await expect(bad).rejects.toBeInstanceOf(PutError);
    await world.until(good);
  });

  test("gives up on a missing stream at once, with the service's code", async () => {
    const world = new World();
    const producer = world.producer({ streamName: "elsewhere" });
    const put = producer.put({ partitionKey: "a", data: "x" });
    await expect(put).rejects.toMatchObject({ code: "ResourceNotFoundException", scope: "stream", retryable: false });
    expect(world.producerSystem.timers).toBe(0);
  });
});

describe("flush", () => {
  test("is a barrier for everything accepted so far, and lets failures be awaited after it", async () => {
    const world = new World();
    const producer = world.producer();
    world.port.on("putRecords", () => Promise.resolve(refusal("AccessDeniedException", "permanent")));
    const puts = [
      ...records(10).map((record) => producer.put(record)),
      // Refused before anything was sent: it must not become an unhandled rejection either.
      producer.put({ partitionKey: "", data: "x" }),
    ];
    const flushThenAwait = async () => {
      await producer.flush();
      return Promise.allSettled(puts);
    };
    const settled = await world.until(flushThenAwait());
    expect(settled.map((put) => put.status)).toEqual(Array.from({ length: 11 }, () => "rejected"));
  });

  test("resolves at once when nothing is held", async () => {
    const world = new World();
    await world.producer().flush();
    expect(world.port.calls).toEqual([]);
  });
});

describe("close", () => {
  test("refuses new records, stores those it has, and can be called twice [C7]", async () => {
    const world = new World();
    const producer = world.producer();
    const puts = records(100).map((record) => producer.put(record));
    const closes = [producer.close(), producer[Symbol.asyncDispose]()];
    await expect(producer.put({ partitionKey: "a", data: "x" })).rejects.toBeInstanceOf(ProducerClosedError);
    expect(() => producer.offer({ partitionKey: "a", data: "x" })).toThrow(ProducerClosedError);
    await world.until(Promise.all(closes));
    expect(await Promise.all(puts)).toHaveLength(100);
    expect(world.producerSystem.timers).toBe(0);
  });

  test("gives up when its signal aborts: every put settles, then it rejects with the reason [C7]", async () => {
    const world = new World();
    const producer = world.producer();
    world.port.on("putRecords", () => new Promise(() => {}));
    const puts = records(20).map((record) => producer.put(record));
    await world.system.advance(200);
    puts.push(...records(20).map((record) => producer.put(record)));
    const abort = new AbortController();
    const close = producer.close({ signal: abort.signal });
    abort.abort(new Error("enough"));
    const settled = await Promise.allSettled(puts);
    expect(settled.map((put) => (put as PromiseRejectedResult).reason.code)).toEqual(
      Array.from({ length: 40 }, () => "ERR_PRODUCER_CLOSED"),
    );
    await expect(close).rejects.toThrow("enough");
    expect(producer.buffered).toEqual({ records: 0, bytes: 0 });
    expect(world.producerSystem.timers).toBe(0);
  });
});

describe("a full buffer", () => {
  test("makes puts wait in order, and refuses those past maxWaitingRecords", async () => {
    const world = new World();
    const producer = world.producer({ maxBufferedRecords: 10, maxWaitingRecords: 5 });
    const puts = records(16).map((record) => producer.put(record));
    expect(producer.buffered.records).toBe(15);
    expect(producer.offer({ partitionKey: "a", data: "x" })).toBe(false);
    await expect(puts[15]).rejects.toBeInstanceOf(BufferFullError);
    await world.until(producer.ready());
    await world.until(Promise.all(puts.slice(0, 15)));
    expect((await world.readBack()).map((read) => read.text)).toEqual(records(15).map((record) => record.data));
    expect(world.eventsOf("buffer-full")).toHaveLength(1);
    expect(world.eventsOf("buffer-ready")).toHaveLength(1);
  });

  test("does not make waiting puts wait for the linger as well", async () => {
    const world = new World();
    const producer = world.producer({ maxBufferedRecords: 1, recordMaxBufferedMs: 10_000 });
    const puts = records(21).map((record) => producer.put(record));
    // The last one has nobody waiting behind it, so it lingers as any other.
    expect(await world.until(Promise.all(puts.slice(0, 20)), 1, 100)).toHaveLength(20);
  });

  test("lets a waiting put be withdrawn", async () => {
    const world = new World();
    const producer = world.producer({ maxBufferedRecords: 1 });
    world.port.on("putRecords", () => new Promise(() => {}));
    void producer.put({ partitionKey: "a", data: "x" }).catch(() => {});
    const abort = new AbortController();
    const waiting = producer.put({ partitionKey: "b", data: "y" }, { signal: abort.signal });
    abort.abort(new Error("changed my mind"));
    await expect(waiting).rejects.toThrow("changed my mind");
    expect(producer.buffered.records).toBe(1);
    await world.until(producer.close({ signal: AbortSignal.abort(new Error("end")) }).catch(() => {}));
  });
});

describe("offer", () => {
  test("takes records without a promise and reports what fails as events", async () => {
    const world = new World();
    const producer = world.producer();
    expect(producer.offer({ partitionKey: "a", data: "x" })).toBe(true);
    expect(producer.offer({ partitionKey: "", data: "x" })).toBe(true);
    expect(world.eventsOf("records-failed")).toMatchObject([{ code: "ERR_RECORD", offeredRecords: 1 }]);
    await world.until(producer.flush());
    expect(await world.readBack()).toHaveLength(1);
  });

  test("calls back once for each record that it took, never within the call itself", async () => {
    const world = new World({ stream: { shardCount: 1 } });
    const producer = world.producer({ maxBufferedRecords: 2 });
    const answers: unknown[] = [];
    let isInside = true;
    const offer = (partitionKey: string) =>
      producer.offer({ partitionKey, data: "x" }, (result, error) => {
        answers.push([partitionKey, isInside, result?.shardId ?? error?.code]);
      });
    expect([offer("a"), offer(""), offer("b"), offer("c")]).toEqual([true, true, true, false]);
    isInside = false;
    await world.until(producer.flush());
    expect(answers).toEqual([
      ["", false, "ERR_RECORD"],
      ["a", false, "shardId-000000000000"],
      ["b", false, "shardId-000000000000"],
    ]);
    expect(world.eventsOf("records-failed")).toEqual([]);
  });

  test("calls back with the error of what was not stored, and counts it as heard of", async () => {
    const world = new World();
    const producer = world.producer({ streamName: "absent" });
    const failed: unknown[] = [];
    producer.offer({ partitionKey: "a", data: "x" }, (result, error) => failed.push(result, error));
    await world.until(producer.flush());
    expect(failed).toEqual([
      undefined,
      expect.objectContaining({ code: "ResourceNotFoundException", scope: "stream" }),
    ]);
    expect(world.eventsOf("records-failed")).toMatchObject([{ userRecords: 1, offeredRecords: 0 }]);
  });

  test("goes on when a callback throws: that is an uncaught error of the caller's, and of no other record", async () => {
    const world = new World();
    const producer = world.producer();
    const uncaught: unknown[] = [];
    const listeners = process.rawListeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => uncaught.push(error));
    try {
      const bug = new Error("a bug in the callback");
      producer.offer({ partitionKey: "a", data: "x" }, () => {
        throw bug;
      });
      const put = producer.put({ partitionKey: "b", data: "y" });
      expect(await world.until(put)).toHaveProperty("sequenceNumber");
      await expect.poll(() => uncaught).toEqual([bug]);
      expect(producer.buffered).toEqual({ records: 0, bytes: 0 });
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener as (error: Error) => void);
    }
  });
});

function* failingSource() {
  yield* records(3);
  throw new Error("disk on fire");
}

async function* sourceWithABadOne() {
  for (const record of records(10)) yield await Promise.resolve(record);
  yield { partitionKey: "", data: "bad" };
  yield { partitionKey: "a", data: "last" };
}

describe("putAll", () => {
  test("pulls only when there is room, and stores everything", async () => {
    const world = new World({ stream: { shardCount: 2 } });
    const producer = world.producer({ maxBufferedRecords: 50 });
    let mostHeld = 0;
    function* source() {
      for (const record of records(1_000)) {
        mostHeld = Math.max(mostHeld, producer.buffered.records);
        yield record;
      }
    }
    expect(await world.until(producer.putAll(source()))).toEqual({ stored: 1_000 });
    expect(mostHeld).toBeLessThan(50);
    expect(await world.readBack()).toHaveLength(1_000);
  });

  test("takes async sources, and rejects with counts once everything has settled", async () => {
    const world = new World();
    const producer = world.producer();
    const error = await world.until(producer.putAll(sourceWithABadOne())).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(PutAllError);
    expect(error).toMatchObject({ stored: 11, failed: 1, errors: [{ path: "partitionKey" }] });
  });

  test("tells what was stored when the source fails", async () => {
    const world = new World();
    const put = world.producer().putAll(failingSource());
    await expect(world.until(put)).rejects.toMatchObject({ stored: 3, failed: 0, cause: { message: "disk on fire" } });
  });

  test("stops pulling and withdraws when its signal aborts", async () => {
    const world = new World();
    const producer = world.producer({ maxBufferedRecords: 20 });
    world.port.on("putRecords", () => Promise.resolve(refusal("ServiceUnavailable", "transient", 503)));
    const abort = new AbortController();
    let isReturned = false;
    function* source() {
      try {
        for (;;) yield { partitionKey: "a", data: "x" };
      } finally {
        isReturned = true;
      }
    }
    const put = producer.putAll(source(), { signal: abort.signal });
    put.catch(() => {});
    await world.system.advance(1_000);
    abort.abort(new Error("stop"));
    await expect(world.until(put)).rejects.toThrow("stop");
    expect([isReturned, producer.buffered.records]).toEqual([true, 0]);
  });
});

describe("putEach", () => {
  test("gives every outcome in input order", async () => {
    const world = new World({ stream: { shardCount: 3 } });
    const producer = world.producer({ maxBufferedRecords: 40 });
    const input = records(200).toSpliced(7, 0, { partitionKey: "", data: "bad" });
    const outcomes = await world.until(collect(producer.putEach(input)));
    expect(outcomes.map((outcome) => outcome.record)).toEqual(input);
    expect(outcomes.filter((outcome) => !outcome.ok)).toMatchObject([{ error: { path: "partitionKey" } }]);
  });

  test("ends the source when its reader leaves", async () => {
    const world = new World();
    const producer = world.producer({ maxBufferedRecords: 10 });
    let isReturned = false;
    async function* source() {
      try {
        for (;;) yield await Promise.resolve({ partitionKey: "a", data: "x" });
      } finally {
        isReturned = true;
      }
    }
    const reading = (async () => {
      let count = 0;
      for await (const outcome of producer.putEach(source())) if (outcome.ok && ++count === 5) break;
    })();
    await world.until(reading);
    await world.until(producer.close());
    expect(isReturned).toBe(true);
  });
});
