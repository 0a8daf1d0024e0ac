import zlib from "node:zlib";
import { COMPRESSION_TAG, isAggregated } from "@millrace/aggregation";
import type { PutRecordsEntry, PutRecordsResponse } from "@millrace/core/kinesis";
import { describe, expect, test } from "vitest";
import type { Compress } from "./compressor.ts";
import { resolveProducerOptions } from "./options.ts";
import { compressNow, refusal, streamName, World } from "./testing-support/world.ts";

/** Lines that compress as access logs do. */
function lines(count: number, keys = 97): { partitionKey: string; data: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    partitionKey: `key-${index % keys}`,
    data: JSON.stringify({
      index,
      path: `/items/${index % 31}`,
      status: 200,
      agent: "Mozilla/5.0 (X11; Linux x86_64)",
    }),
  }));
}

function entriesSentIn(world: World): PutRecordsEntry[] {
  const sent: PutRecordsEntry[] = [];
  world.port.on("putRecords", (request, forward) => {
    sent.push(...request.records);
    return forward();
  });
  return sent;
}

/** What the compression mark of an entry says, read as by one who does not open it. */
function markOf({ data }: PutRecordsEntry): string | undefined {
  if (!isAggregated(data)) return undefined;
  const bytes = Buffer.from(data);
  const at = bytes.indexOf(COMPRESSION_TAG);
  return at < 0 ? undefined : bytes.toString("latin1", at + COMPRESSION_TAG.length + 2).slice(0, 4);
}

const options = (more: object) => () => resolveProducerOptions({ streamName, ...more });
const bytesOf = (entries: readonly PutRecordsEntry[]) => entries.reduce((sum, entry) => sum + entry.data.byteLength, 0);

/** Waits for the test to say when each compression is done. */
function heldBack(): { readonly compress: Compress; readonly release: () => void; readonly waiting: () => number } {
  const waiting: (() => void)[] = [];
  return {
    compress: async (bytes, algorithm) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return compressNow(bytes, algorithm);
    },
    release: () => {
      for (const done of waiting.splice(0)) done();
    },
    waiting: () => waiting.length,
  };
}

describe.each(["gzip", "zstd"] as const)('compression: "%s"', (compression) => {
  test("stores the records in fewer bytes, in their shards, and gives them back", async () => {
    const world = new World({ stream: { shardCount: 3 }, simulator: { limits: false } });
    const sent = entriesSentIn(world);
    const producer = world.producer({ compression, aggregationMaxBytes: 10_000 });
    const input = lines(6_000);
    await world.until(producer.putAll(input));
    await world.until(producer.close());
    // What came last may be too little.
    const marks = sent.map(markOf);
    expect(marks.filter((mark) => mark === compression).length).toBeGreaterThan(0.9 * marks.length);
    const plainBytes = input.reduce((sum, { data }) => sum + data.length, 0);
    expect(bytesOf(sent)).toBeLessThan(plainBytes / 3);
    const read = await world.readBack();
    expect(read.map(({ text }) => text).toSorted()).toEqual(input.map(({ data }) => data).toSorted());
    expect(read.some(({ isDropped }) => isDropped)).toBe(false);
  });

  test("fills aggregates until they have aggregationMaxBytes once compressed", async () => {
    const world = new World({ simulator: { limits: false } });
    const sent = entriesSentIn(world);
    const producer = world.producer({ compression, aggregationMaxBytes: 4_000, recordMaxBufferedMs: 10_000 });
    for (const [index, record] of lines(12_000).entries()) {
      void producer.put(record);
      if (index % 50 === 0) await world.system.advance(1);
    }
    await world.until(producer.close());
    const settled = sent.slice(10, -1).map((entry) => entry.data.byteLength);
    expect(settled.length).toBeGreaterThan(10);
    for (const bytes of settled) expect(bytes).toBeLessThanOrEqual(4_000 * 1.1);
    const average = settled.reduce((sum, bytes) => sum + bytes, 0) / settled.length;
    expect(average).toBeGreaterThan(4_000 * 0.75);
  });
});

describe("compression", () => {
  test("is not used where it does not pay", async () => {
    const world = new World({ simulator: { limits: false } });
    const sent = entriesSentIn(world);
    const producer = world.producer({ compression: "gzip", aggregationMaxBytes: 10_000 });
    const noise = () => Buffer.from(Array.from({ length: 1_000 }, () => Math.floor(world.system.random() * 256)));
    await world.until(producer.put({ partitionKey: "small", data: "x".repeat(500) }));
    await world.until(
      producer.putAll(Array.from({ length: 60 }, (_, index) => ({ partitionKey: `k${index}`, data: noise() }))),
    );
    expect(sent.map(markOf)).toEqual(sent.map(() => undefined));
    expect(Math.max(...sent.map((entry) => entry.data.byteLength))).toBeLessThanOrEqual(10_000);
    expect(await world.readBack()).toHaveLength(61);
  });

  test("takes a large record of its own too, with its tags and hash key", async () => {
    const world = new World({ stream: { shardCount: 2 } });
    const sent = entriesSentIn(world);
    const producer = world.producer({ compression: "gzip" });
    const record = { partitionKey: "k", data: "ab".repeat(100_000), tags: { a: "1" }, explicitHashKey: 1n << 127n };
    const results = await world.until(Promise.all([producer.put(record), producer.put({ ...record, tags: {} })]));
    expect(sent.map(markOf)).toEqual(["gzip", "gzip"]);
    expect(new Set(results.map(({ shardId }) => shardId))).toEqual(new Set(["shardId-000000000001"]));
    expect((await world.readBack()).map(({ view }) => [view.tags, view.explicitHashKey, view.data.byteLength])).toEqual(
      [
        [{ a: "1" }, (1n << 127n).toString(), 200_000],
        [undefined, (1n << 127n).toString(), 200_000],
      ],
    );
  });

  test("goes without where it fails", async () => {
    const world = new World();
    world.compress = () => Promise.reject(new Error("no threads"));
    const sent = entriesSentIn(world);
    await world.until(world.producer({ compression: "gzip" }).putAll(lines(500)));
    expect(sent.map(markOf)).toEqual(sent.map(() => undefined));
    expect(await world.readBack()).toHaveLength(500);
  });

  test("keeps each key's order, however late a compression ends [C12]", async () => {
    const world = new World({ stream: { shardCount: 2 }, simulator: { limits: false } });
    world.compress = async (bytes, algorithm) => {
      const ends = world.system.now() + world.system.random() * 40;
      await new Promise<void>((resolve) => void world.system.schedule(ends - world.system.now(), resolve));
      return compressNow(bytes, algorithm);
    };
    world.port.on("putRecords", (_request, forward) =>
      world.system.random() < 0.2
        ? Promise.resolve(refusal<PutRecordsResponse>("ServiceUnavailable", "transient", 503))
        : forward(),
    );
    const producer = world.producer({
      compression: "gzip",
      ordering: "perKey",
      aggregationMaxBytes: 3_000,
      recordTtlMs: 600_000,
    });
    const input = lines(3_000, 13);
    const puts: Promise<unknown>[] = [];
    for (const [index, record] of input.entries()) {
      puts.push(producer.put(record));
      if (index % 20 === 19) await world.system.advance(10);
      if (index === 1_500) world.simulator.reshard({ streamName, split: "shardId-000000000000" });
    }
    await world.until(producer.close(), 50, 2_000_000);
    await Promise.all(puts);
    const firstCopies = new Map<string, string[]>();
    for (const { view, text } of await world.readBack()) {
      const texts = firstCopies.get(view.partitionKey ?? "") ?? [];
      if (!texts.includes(text)) texts.push(text);
      firstCopies.set(view.partitionKey ?? "", texts);
    }
    for (const [key, texts] of firstCopies) {
      expect(texts).toEqual(input.filter((record) => record.partitionKey === key).map((record) => record.data));
    }
    expect(firstCopies.size).toBe(13);
  });

  test("a record withdrawn while it is compressed, or after that, is not stored", async () => {
    const world = new World();
    const held = heldBack();
    world.compress = held.compress;
    const producer = world.producer({ compression: "gzip", maxConnections: 1 });
    // The only connection is busy, so that what is compressed has to wait.
    const connection = { isFree: false };
    world.port.on("putRecords", async (_request, forward) => {
      while (!connection.isFree) await world.system.breathe();
      return forward();
    });
    const first = producer.put({ partitionKey: "first", data: "x" });
    await world.system.advance(200);
    const aborts = [new AbortController(), new AbortController()];
    const puts = lines(200).map((record, index) => producer.put(record, { signal: aborts[index]?.signal }));
    const settled = Promise.allSettled([first, ...puts]);
    await world.system.advance(200);
    connection.isFree = true;
    await world.until(first);
    connection.isFree = false;
    void producer.put({ partitionKey: "busy", data: "y" });
    await world.system.advance(200);
    expect(held.waiting()).toBe(1);
    aborts[0]?.abort(new Error("while it is compressed"));
    held.release();
    await world.system.settle();
    // Without the withdrawn one, from the start.
    expect(held.waiting()).toBe(1);
    held.release();
    await world.system.settle();
    aborts[1]?.abort(new Error("when it was compressed"));
    connection.isFree = true;
    const releasing = producer.flush();
    for (let turn = 0; turn < 20; turn++) {
      await world.system.advance(20);
      held.release();
    }
    await releasing;
    const outcomes = (await settled).map(({ status }) => status);
    expect(outcomes.filter((status) => status === "rejected")).toHaveLength(2);
    expect(outcomes.slice(0, 4)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    const texts = (await world.readBack()).map(({ text }) => text);
    expect(texts).toHaveLength(200);
    expect(texts).not.toContain(lines(1)[0]?.data);
    expect(texts).not.toContain(lines(2)[1]?.data);
    expect(producer.buffered).toEqual({ records: 0, bytes: 0 });
  });

  test("a flush does not let what is being compressed wait for company", async () => {
    const world = new World();
    const held = heldBack();
    world.compress = held.compress;
    const producer = world.producer({ compression: "gzip", recordMaxBufferedMs: 20_000, aggregationMaxBytes: 5_000 });
    const puts = Promise.all(lines(60).map((record) => producer.put(record)));
    await world.system.advance(10);
    expect(held.waiting()).toBe(1);
    const flushed = producer.flush();
    for (let turn = 0; turn < 5; turn++) {
      await world.system.advance(1);
      held.release();
    }
    await world.until(flushed, 1, 100);
    await puts;
  });

  test("settles everything when the network is dead, or when it is closed amid compressions [C7]", async () => {
    const world = new World();
    const held = heldBack();
    world.compress = held.compress;
    const producer = world.producer({ compression: "gzip", recordTtlMs: 2_000 });
    const puts = Promise.allSettled(lines(500).map((record) => producer.put(record)));
    await world.system.advance(1_000);
    const abort = new AbortController();
    const closed = producer.close({ signal: abort.signal });
    abort.abort(new Error("give up"));
    await expect(closed).rejects.toThrow("give up");
    held.release();
    expect((await world.until(puts)).every(({ status }) => status === "rejected")).toBe(true);

    world.compress = compressNow;
    world.port.on("putRecords", () => new Promise(() => {}));
    const other = world.producer({ compression: "gzip", recordTtlMs: 2_000 });
    const settled = await world.until(Promise.allSettled(lines(500).map((record) => other.put(record))), 10, 5_000);
    expect(settled.every(({ status }) => status === "rejected")).toBe(true);
    expect(other.buffered).toEqual({ records: 0, bytes: 0 });
  });

  test("members of a compressed aggregate that landed wrong are sent again, each as it is", async () => {
    const world = new World({ simulator: { limits: false } });
    const producer = world.producer({ compression: "gzip" });
    const input = lines(300);
    await world.until(producer.put({ partitionKey: "first", data: "x" }));
    const puts = producer.putAll(input);
    await world.system.advance(50);
    world.simulator.reshard({ streamName, split: "shardId-000000000000" });
    await world.until(puts);
    expect(world.eventsOf("wrong-shard")).toHaveLength(1);
    const kept = (await world.readBack()).filter(({ isDropped }) => !isDropped);
    expect(new Set(kept.map(({ text }) => text))).toEqual(new Set(["x", ...input.map(({ data }) => data)]));
  });

  test("is refused without aggregation, and where this Node.js lacks the algorithm", () => {
    expect(options({ compression: "gzip", aggregation: false })).toThrow(
      /compression: expected "none" without aggregation/,
    );
    expect(options({ compression: "brotli" })).toThrow(/compression: expected/);
    expect(options({ compression: "zstd" })().compression).toBe("zstd");
    const { zstdDecompressSync } = zlib;
    try {
      Reflect.deleteProperty(zlib, "zstdDecompressSync");
      expect(options({ compression: "zstd" })).toThrow(/Node 22\.15/);
    } finally {
      Object.assign(zlib, { zstdDecompressSync });
    }
  });
});
