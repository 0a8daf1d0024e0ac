import type { PutRecordsResponse, PutRecordsResultEntry } from "@millrace/core/kinesis";
import { describe, expect, test } from "vitest";
import { records, refusal, streamName, World } from "./testing-support/world.ts";

/** The texts of first copies by key, in the order of the shards and of their sequence numbers. */
async function firstCopies(world: World): Promise<Map<string, string[]>> {
  const byKey = new Map<string, string[]>();
  for (const { view, text, isDropped } of await world.readBack()) {
    const key = view.partitionKey ?? "";
    const texts = byKey.get(key) ?? [];
    if (!isDropped && !texts.includes(text)) texts.push(text);
    byKey.set(key, texts);
  }
  return byKey;
}

function expected(input: readonly { partitionKey: string; data: string }[]): Map<string, string[]> {
  const byKey = new Map<string, string[]>();
  for (const { partitionKey, data } of input) byKey.set(partitionKey, [...(byKey.get(partitionKey) ?? []), data]);
  return byKey;
}

const sorted = (byKey: Map<string, string[]>) => [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1));
const failed = (errorCode: string): PutRecordsResultEntry => ({ ok: false, errorCode, errorMessage: "test" });

describe('ordering: "perKey"', () => {
  test.each([true, false])(
    "keeps each key's order through random failures, aggregation %s [C12]",
    async (aggregation) => {
      const world = new World({ stream: { shardCount: 3 }, simulator: { limits: false } });
      world.port.on("putRecords", async (request, forward) => {
        const draw = world.system.random();
        if (draw < 0.1) return refusal<PutRecordsResponse>("ServiceUnavailable", "transient", 503);
        const answer = await forward();
        // Stored, but the answer is lost.
        if (draw < 0.2 || !answer.ok) return refusal<PutRecordsResponse>("ECONNRESET", "transient", 0);
        const lies = answer.value.records.map((entry) =>
          world.system.random() < 0.1 ? failed("InternalFailure") : entry,
        );
        return { ...answer, value: { records: lies.slice(0, request.records.length) } };
      });
      const producer = world.producer({
        ordering: "perKey",
        aggregation,
        aggregationMaxBytes: 500,
        recordTtlMs: 600_000,
      });
      const input = records(1_500);
      const puts: Promise<unknown>[] = [];
      for (const [index, record] of input.entries()) {
        puts.push(producer.put(record));
        if (index % 10 === 0) await world.system.advance(5);
      }
      await world.until(producer.close(), 50, 2_000_000);
      await Promise.all(puts);
      expect(sorted(await firstCopies(world))).toEqual(sorted(expected(input)));
    },
  );

  test("keeps it through a split and a merge [C12]", async () => {
    const world = new World({ stream: { shardCount: 1 }, simulator: { limits: false } });
    const producer = world.producer({ ordering: "perKey", aggregationMaxBytes: 2_000 });
    const input = records(3_000);
    const puts: Promise<unknown>[] = [];
    let shards = ["shardId-000000000000"];
    for (const [index, record] of input.entries()) {
      puts.push(producer.put(record));
      if (index % 20 === 19) await world.system.advance(10);
      if (index === 1_010) shards = [...world.simulator.reshard({ streamName, split: shards[0] }).opened];
      if (index === 2_010) world.simulator.reshard({ streamName, merge: [shards[0] ?? "", shards[1] ?? ""] });
    }
    await world.until(producer.close());
    await Promise.all(puts);
    expect(world.eventsOf("wrong-shard").length).toBeGreaterThan(0);
    expect(sorted(await firstCopies(world))).toEqual(sorted(expected(input)));
  });

  test.each([
    ["fail", ["rejected", "rejected", "rejected"], []],
    ["continue", ["rejected", "fulfilled", "fulfilled"], ["second", "third"]],
  ] as const)("a failed record lets its followers %s", async (onOrderBreak, outcomes, stored) => {
    const world = new World();
    const producer = world.producer({ ordering: "perKey", onOrderBreak, aggregation: false, failIfThrottled: true });
    let requests = 0;
    world.port.on("putRecords", (request, forward) => {
      if (++requests > 1) return forward();
      const refused = request.records.map(() => failed("ProvisionedThroughputExceededException"));
      return Promise.resolve({ ok: true, value: { records: refused }, serviceTime: undefined });
    });
    const puts = ["first", "second", "third"].map((data) => producer.put({ partitionKey: "k", data }));
    const settled = await world.until(Promise.allSettled(puts));
    expect(settled.map((put) => put.status)).toEqual(outcomes);
    expect((await world.readBack()).map((read) => read.text)).toEqual(stored);
    expect(producer.buffered.records).toBe(0);
  });

  test("a long lifetime holds a key's records through an outage, and stores them in order [C12]", async () => {
    const world = new World();
    const producer = world.producer({ ordering: "perKey", recordTtlMs: 3_600_000, aggregationMaxBytes: 200 });
    let isOut = true;
    world.port.on("putRecords", (_request, forward) =>
      isOut ? Promise.resolve(refusal<PutRecordsResponse>("ServiceUnavailable", "transient", 503)) : forward(),
    );
    const input = records(400);
    const puts = Promise.all(input.map((record) => producer.put(record)));
    await world.system.advance(120_000);
    isOut = false;
    await world.until(puts);
    expect(sorted(await firstCopies(world))).toEqual(sorted(expected(input)));
  });

  test("a withdrawn record does not hold the later ones of its key", async () => {
    const world = new World();
    const producer = world.producer({ ordering: "perKey", aggregation: false });
    await world.until(producer.put({ partitionKey: "k", data: "zero" }));
    const abort = new AbortController();
    const first = producer.put({ partitionKey: "k", data: "first" }, { signal: abort.signal });
    const second = producer.put({ partitionKey: "k", data: "second" });
    abort.abort(new Error("no"));
    await expect(first).rejects.toThrow("no");
    await world.until(second);
    expect((await world.readBack()).map((read) => read.text)).toEqual(["zero", "second"]);
  });

  test("settles everything when the network is dead [C7]", async () => {
    const world = new World();
    world.port.on("putRecords", () => new Promise(() => {}));
    const producer = world.producer({ ordering: "perKey", recordTtlMs: 2_000, onOrderBreak: "continue" });
    const puts = records(500).map((record) => producer.put(record));
    const settled = await world.until(Promise.allSettled(puts), 10, 5_000);
    expect(settled.every((put) => put.status === "rejected")).toBe(true);
    expect(producer.buffered).toEqual({ records: 0, bytes: 0 });
    expect(world.producerSystem.timers).toBe(0);
  });

  test("is refused where the service ignores keys", async () => {
    const world = new World({ stream: { streamMode: "ON_DEMAND", recordDistributionStrategy: "AUTO" } });
    const put = world.producer({ ordering: "perKey" }).put({ partitionKey: "k", data: "x" });
    await expect(world.until(put)).rejects.toMatchObject({ code: "ERR_ORDERING_UNAVAILABLE", scope: "stream" });
  });
});
