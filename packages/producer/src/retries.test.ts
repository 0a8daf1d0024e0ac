import type { PutRecordsResponse, PutRecordsResultEntry } from "@millrace/core/kinesis";
import { describe, expect, test } from "vitest";
import { PutError } from "./errors.ts";
import { createGate, records, refusal, World } from "./testing-support/world.ts";

const failedEntry = (errorCode: string): PutRecordsResultEntry => ({ ok: false, errorCode, errorMessage: "test" });

describe("partial failure", () => {
  test("only what failed is sent again, each with its own history", async () => {
    const world = new World({ stream: { shardCount: 2 } });
    let requests = 0;
    world.port.on("putRecords", async (request, forward) => {
      requests += 1;
      if (requests > 1) return forward();
      const { records: sent } = request;
      const answer = await world.simulator.kinesis.putRecords({
        ...request,
        records: sent.filter((_, i) => i % 2 === 0),
      });
      if (!answer.ok) return answer;
      const stored = answer.value.records.values();
      const codes = ["ProvisionedThroughputExceededException", "InternalFailure"];
      const results = sent.map((_, index) =>
        index % 2 === 0 ? (stored.next().value ?? failedEntry("")) : failedEntry(codes[(index >> 1) % 2] ?? ""),
      );
      return { ...answer, value: { records: results } };
    });
    const producer = world.producer({ aggregation: false });
    const results = await world.until(Promise.all(records(20).map((record) => producer.put(record))));
    expect(results.map((result) => result.attempts.length)).toEqual(Array.from({ length: 20 }, (_, i) => 1 + (i % 2)));
    expect(results[1]?.attempts[0]).toMatchObject({ success: false, errorMessage: "test" });
    expect(results[1]?.attempts[1]?.delayMs).toBeGreaterThan(0);
    expect(await world.readBack()).toHaveLength(20);
    expect(world.eventsOf("throttled").length).toBeGreaterThan(0);
    expect(new Set(world.eventsOf("retry").map((event) => event.code))).toEqual(
      new Set(["ProvisionedThroughputExceededException", "InternalFailure"]),
    );
  });

  test("a shard that is really too slow gets everything, only later", async () => {
    const world = new World({ stream: { shardCount: 1 } });
    const producer = world.producer({ aggregation: false });
    const startedAt = world.system.now();
    await world.until(Promise.all(records(5_000).map((record) => producer.put(record))));
    // 5,000 records into 1,000 a second, with a burst of one second.
    expect(world.system.now() - startedAt).toBeGreaterThan(3_500);
    expect(world.system.now() - startedAt).toBeLessThan(15_000);
    expect(await world.readBack()).toHaveLength(5_000);
  });

  test("failIfThrottled lets a throttled record fail at once", async () => {
    const world = new World();
    world.port.on("putRecords", (request) =>
      Promise.resolve({
        ok: true,
        value: { records: request.records.map(() => failedEntry("ProvisionedThroughputExceededException")) },
        serviceTime: undefined,
      }),
    );
    const put = world.producer({ failIfThrottled: true }).put({ partitionKey: "a", data: "x" });
    await expect(world.until(put, 10, 1_000)).rejects.toMatchObject({
      code: "ProvisionedThroughputExceededException",
      scope: "lifetime",
    });
  });
});

describe("a request that fails as a whole", () => {
  test.each([
    ["ServiceUnavailable", "transient"],
    ["ProvisionedThroughputExceededException", "throttle"],
    ["ExpiredTokenException", "transient"],
    ["CredentialsProviderError", "transient"],
    ["TimeoutError", "transient"],
    ["ECONNRESET", "transient"],
    ["ECONNREFUSED", "transient"],
  ] as const)("%s is tried again until it passes", async (code, kind) => {
    const world = new World();
    let requests = 0;
    world.port.on("putRecords", (_request, forward) =>
      ++requests <= 3 ? Promise.resolve(refusal(code, kind)) : forward(),
    );
    const result = await world.until(world.producer().put({ partitionKey: "a", data: "x" }));
    expect(result.attempts.map((attempt) => attempt.errorCode)).toEqual([code, code, code, undefined]);
  });

  test("a record that is tried until its time is over fails with the first real cause", async () => {
    const world = new World();
    world.port.on("putRecords", () => Promise.resolve(refusal("ServiceUnavailable", "transient", 503)));
    const startedAt = world.system.now();
    const put = world.producer({ recordTtlMs: 5_000 }).put({ partitionKey: "a", data: "x" });
    const error = await world.until(put).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(PutError);
    expect((error as PutError).message).toMatch(/within its lifetime of 5000 ms .*ServiceUnavailable/);
    expect((error as PutError).attempts.length).toBeGreaterThan(3);
    expect(world.system.now() - startedAt).toBeLessThanOrEqual(5_020);
  });

  test("an answer with too few results is no answer", async () => {
    const world = new World();
    let requests = 0;
    world.port.on("putRecords", (_request, forward) => {
      const short: PutRecordsResponse = { records: [] };
      return ++requests === 1 ? Promise.resolve({ ok: true, value: short, serviceTime: undefined }) : forward();
    });
    const result = await world.until(world.producer().put({ partitionKey: "a", data: "x" }));
    expect(result.attempts.map((attempt) => attempt.errorCode)).toEqual(["Record Count Mismatch", undefined]);
  });
});

describe("what is known of the stream", () => {
  test("records wait for the first shard map, and go alone once ListShards has failed", async () => {
    const world = new World({ stream: { shardCount: 2 } });
    let listings = 0;
    world.port.on("listShards", (_request, forward) =>
      ++listings <= 1 ? Promise.resolve(refusal("InternalFailure", "transient", 500)) : forward(),
    );
    const producer = world.producer();
    const results = await world.until(Promise.all(records(10).map((record) => producer.put(record))));
    expect(results.every((result) => result.subSequenceNumber === undefined)).toBe(true);
    expect(world.eventsOf("shard-map-failed")).toHaveLength(1);
    await world.system.advance(2_000);
    // The next traffic asks again, and is aggregated from then on.
    await world.until(producer.put({ partitionKey: "a", data: "x" }));
    const later = await world.until(Promise.all(records(10).map((record) => producer.put(record))));
    expect(later.some((result) => result.subSequenceNumber !== undefined)).toBe(true);
  });

  test("an old map serves on while a refresh fails", async () => {
    const world = new World({ stream: { shardCount: 2 } });
    const producer = world.producer();
    await world.until(producer.put({ partitionKey: "a", data: "x" }));
    world.port.on("listShards", () => Promise.resolve(refusal("LimitExceededException", "throttle")));
    await world.system.advance(900_000);
    const results = await world.until(Promise.all(records(50).map((record) => producer.put(record))));
    expect(results.every((result) => result.subSequenceNumber !== undefined)).toBe(true);
    expect(world.eventsOf("shard-map-failed")).toHaveLength(1);
  });

  test("on a stream with AUTO record distribution nothing is aggregated, and nothing is astray", async () => {
    const world = new World({ stream: { streamMode: "ON_DEMAND", recordDistributionStrategy: "AUTO" } });
    const producer = world.producer();
    const results = await world.until(Promise.all(records(40).map((record) => producer.put(record))));
    expect(results.every((result) => result.subSequenceNumber === undefined && result.attempts.length === 1)).toBe(
      true,
    );
    expect(world.eventsOf("record-distribution")).toEqual([{ type: "record-distribution", auto: true }]);
    expect(world.eventsOf("wrong-shard")).toEqual([]);
  });
});

describe("a signal", () => {
  test("withdraws a record that is in no request, and the rest of its aggregate is sent without it", async () => {
    const world = new World();
    const producer = world.producer();
    await world.until(producer.put({ partitionKey: "a", data: "first" }));
    const abort = new AbortController();
    const puts = ["x", "y", "z"].map((data) =>
      producer.put({ partitionKey: "a", data }, data === "y" ? { signal: abort.signal } : undefined),
    );
    await world.system.advance(50);
    abort.abort(new Error("changed my mind"));
    await expect(puts[1]).rejects.toThrow("changed my mind");
    await world.until(Promise.all([puts[0], puts[2]]));
    expect((await world.readBack()).map((read) => read.text)).toEqual(["first", "x", "z"]);
  });

  test("does not take back a record that is in a request: it reports what became of it", async () => {
    const world = new World();
    const producer = world.producer();
    const gate = createGate();
    world.port.on("putRecords", async (_request, forward) => {
      await gate.opened;
      return forward();
    });
    const abort = new AbortController();
    const put = producer.put({ partitionKey: "a", data: "x" }, { signal: abort.signal });
    await world.system.advance(200);
    abort.abort(new Error("too late"));
    gate.open();
    await expect(world.until(put)).resolves.toMatchObject({ shardId: "shardId-000000000000" });
  });

  test.each([
    [refusal<PutRecordsResponse>("ServiceUnavailable", "transient", 503), { code: "Aborted", mayHaveBeenStored: true }],
    [refusal<PutRecordsResponse>("ThrottlingException", "throttle"), { message: "too late" }],
  ])("a record whose request failed after the abort is not sent again", async (answer, expected) => {
    const world = new World();
    const producer = world.producer();
    const gate = createGate();
    world.port.on("putRecords", () => gate.opened.then(() => answer));
    const abort = new AbortController();
    const put = producer.put({ partitionKey: "a", data: "x" }, { signal: abort.signal });
    await world.system.advance(200);
    abort.abort(new Error("too late"));
    gate.open();
    await expect(world.until(put)).rejects.toMatchObject(expected);
    expect(world.port.calls.filter((call) => call === "putRecords")).toHaveLength(1);
  });

  test("that is none is named, and nothing is put", async () => {
    const world = new World({ stream: { shardCount: 1 } });
    const producer = world.producer();
    const put = producer.put({ partitionKey: "a", data: "x" }, { signal: "now" as never });
    await expect(put).rejects.toThrow('signal: expected an AbortSignal, got "now".');
    expect(producer.buffered.records).toBe(0);
    await expect(producer.close({ signal: 5 as never })).rejects.toThrow("signal: expected an AbortSignal, got 5.");
    await world.until(producer.close());
  });

  test("that has aborted already refuses the record with its reason", async () => {
    const producer = new World().producer();
    const put = producer.put({ partitionKey: "a", data: "x" }, { signal: AbortSignal.abort(new Error("no")) });
    await expect(put).rejects.toThrow("no");
    expect(producer.buffered.records).toBe(0);
  });
});
