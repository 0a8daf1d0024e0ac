import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { deadLetterFile } from "../io/dead-letter-file.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import { textOf } from "../leases/table-row.ts";
import { Fleet } from "../testing-support/fleet.ts";
import { resolveEachOptions } from "./each-options.ts";
import { decideAfterFailure } from "./failure-policy.ts";
import { FinishedPrefix } from "./finished-prefix.ts";
import { KeyedRunner } from "./keyed-runner.ts";

let fleet: Fleet;

afterEach(() => fleet?.close());

describe("runEach", () => {
  test("keeps each key's order at any concurrency, and checkpoints only a finished prefix [C11]", async () => {
    const table = new MemoryLeaseTable();
    fleet = new Fleet({ shardCount: 1, leaseTable: table });
    const records = Array.from({ length: 120 }, (_, index) => ({
      data: Buffer.from(`${index % 7}:${index}`),
      partitionKey: `k${index % 7}`,
    }));
    await fleet.putRecords(records);
    const consumer = fleet.consumer("a");
    const last = new Map<string, number>();
    let running = 0;
    let mostRunning = 0;
    let outOfOrder = 0;
    let firstRecord: (() => void) | undefined;
    const run = consumer.runEach(
      async (record, { shardId }) => {
        running++;
        mostRunning = Math.max(mostRunning, running);
        const [key = "", index = ""] = record.text().split(":");
        if (Number(index) <= (last.get(key) ?? -1)) outOfOrder++;
        last.set(key, Number(index));
        // The first record is held back while all others finish: nothing may be checkpointed past it.
        if (index === "0") await new Promise<void>((resolve) => (firstRecord = resolve));
        else await Promise.resolve();
        running--;
        fleet.note("a", shardId, record);
      },
      { concurrency: 8 },
    );
    // Six keys of seven run on while the first one waits.
    await fleet.until(() => fleet.deliveries.length >= 100);
    await fleet.event("lease-acquired");
    expect(textOf(table.rows.get("shardId-000000000000") ?? {}, "checkpoint")).toBe("TRIM_HORIZON");
    firstRecord?.();
    await fleet.until(() => fleet.deliveries.length >= 120);
    await consumer.close();
    await run;
    expect(outOfOrder).toBe(0);
    expect(mostRunning).toBeGreaterThan(1);
    expect(mostRunning).toBeLessThanOrEqual(8);
    const stored = textOf(table.rows.get("shardId-000000000000") ?? {}, "checkpoint");
    const sequenceNumbers = fleet.deliveries.map((delivery) => BigInt(delivery.record.sequenceNumber));
    expect(BigInt(stored ?? "0")).toBe(sequenceNumbers.reduce((a, b) => (a > b ? a : b)));
  });

  test("sends a record that fails for good to the dead letter, and goes on", async () => {
    fleet = new Fleet({ shardCount: 1 });
    const path = join(await mkdtemp(join(tmpdir(), "dead-letter-")), "failed.jsonl");
    const consumer = fleet.consumer("a");
    const run = consumer.runEach(
      async (record, { shardId }) => {
        if (record.text() === "r2") throw new Error("poison");
        fleet.note("a", shardId, record);
      },
      { maxAttempts: 2, onFailure: deadLetterFile(path) },
    );
    await fleet.put(5);
    await fleet.until(() => fleet.deliveries.length === 4);
    await consumer.close();
    await run;
    const lines = (await readFile(path, "utf8")).trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      shardId: "shardId-000000000000",
      attempts: 2,
      why: "attempts",
      error: "Error: poison",
      data: Buffer.from("r2").toString("base64"),
    });
    expect(fleet.events.filter((event) => event.type === "record-failed")).toHaveLength(2);
  });

  test("keeps a record until its dead letter is taken", async () => {
    fleet = new Fleet({ shardCount: 1 });
    let sends = 0;
    const consumer = fleet.consumer("a");
    const run = consumer.runEach(
      async (record, { shardId }) => {
        if (record.text() === "r0") throw new Error("poison");
        fleet.note("a", shardId, record);
      },
      {
        maxAttempts: 1,
        onFailure: {
          async send() {
            sends++;
            if (sends === 1) throw new Error("the queue is down");
          },
        },
      },
    );
    await fleet.put(2);
    await fleet.until(() => fleet.deliveries.length === 1);
    expect(sends).toBe(2);
    await consumer.close();
    await run;
  });

  test("stops the shard at a record that fails for good: leased, unhealthy, nothing lost [C1]", async () => {
    const table = new MemoryLeaseTable();
    fleet = new Fleet({ shardCount: 1, leaseTable: table });
    const consumer = fleet.consumer("a");
    let isPoisoned = true;
    const handler = async (record: { text(): string }) => {
      if (isPoisoned && record.text() === "r1") throw new Error("poison");
    };
    const run = consumer.runEach(handler, { maxAttempts: 1 });
    await fleet.put(3);
    await fleet.event("shard-stopped");
    const [shard] = consumer.health().shards;
    expect(consumer.health().isHealthy).toBe(false);
    expect(shard?.trouble).toMatch(/poison/);
    await consumer.close();
    await run;
    expect(fleet.events.some((event) => event.type === "lease-lost")).toBe(false);
    isPoisoned = false;
    const next = fleet.consumer("b");
    const attempts: number[] = [];
    const nextRun = next.runEach(async (record, context) => {
      attempts.push(context.attempt);
      fleet.note("b", context.shardId, record);
    });
    await fleet.until(() => fleet.deliveries.length === 2);
    await next.close();
    await nextRun;
    expect(fleet.deliveries.map((delivery) => delivery.text)).toEqual(["r1", "r2"]);
    // The attempt of the worker before counts.
    expect(attempts).toEqual([2, 1]);
  });

  test("leaves a record that fails to the next owner when it closes, within the pause between two tries", async () => {
    // Closing waits for calls that are under way, not for a record that is tried again and again to succeed.
    fleet = new Fleet({ shardCount: 1 });
    await fleet.put(3);
    const consumer = fleet.consumer("a");
    const isRetried = (): boolean =>
      fleet.events.filter((event) => event.type === "record-failed" && event.attempt >= 4).length > 0;
    const run = consumer.runEach(async (record) => {
      if (record.text() === "r1") throw new Error("down");
    });
    await fleet.until(isRetried);
    const [shard] = consumer.health().shards;
    expect(shard?.trouble).toMatch(/^record \d+ has failed 4 times and is tried again: Error: down$/);
    await consumer.close();
    await run;
    expect(fleet.events.some((event) => event.type === "lease-lost")).toBe(false);
    const attempts: string[] = [];
    const next = fleet.consumer("b");
    const nextRun = next.runEach(async (record, { attempt }) => {
      attempts.push(`${record.text()} ${attempt}`);
      fleet.tick();
    });
    await fleet.until(() => attempts.length === 2);
    await next.close();
    await nextRun;
    expect(attempts).toEqual(["r1 5", "r2 1"]);
  });

  test("ends its tries when the lease is lost in the pause between two, and nothing is left unsettled", async () => {
    const table = new MemoryLeaseTable();
    fleet = new Fleet({ shardCount: 1, leaseTable: table });
    await fleet.put(1);
    const consumer = fleet.consumer("a");
    const run = consumer.runEach(async () => {
      throw new Error("down");
    });
    await fleet.until(() => fleet.events.some((event) => event.type === "record-failed" && event.attempt >= 3));
    await table.update({
      key: "shardId-000000000000",
      conditions: [],
      set: { leaseOwner: { S: "thief" } },
      add: { leaseCounter: 1 },
    });
    await fleet.event("lease-lost");
    // A lost lease is no failure of the handler, and it is not called again.
    expect(fleet.events.some((event) => event.type === "handler-failed")).toBe(false);
    await consumer.close();
    await run;
  });

  test("leaves filtered records alone and is done with them", async () => {
    fleet = new Fleet({ shardCount: 1 });
    const consumer = fleet.consumer("a");
    const run = consumer.runEach(async (record, { shardId }) => fleet.note("a", shardId, record), {
      filter: (record) => record.text() === "r3",
    });
    await fleet.put(5);
    await fleet.until(() => fleet.deliveries.length === 1);
    await consumer.close();
    await run;
    expect(fleet.deliveries[0]?.text).toBe("r3");
  });

  test.each([
    [{ concurrency: 0 }, "concurrency"],
    [{ onFailure: "skip" }, '"stop" or an object'],
    [{ onFailure: { send: async () => undefined } }, "maxAttempts or maxRecordAgeMs"],
    [{ maxAttempt: 3 }, "Did you mean maxAttempts"],
  ])("refuses %j", (options, text) => {
    expect(() => resolveEachOptions(options as never)).toThrow(text);
  });
});

test("trying ends by count or by age", () => {
  const limits = { maxAttempts: 3, maxRecordAgeMs: 1_000, bisect: true };
  const whole = { ...limits, bisect: false };
  const step = (rules: typeof limits, attempts: number, agesMs: (number | undefined)[], isFirstTold = false) =>
    decideAfterFailure(rules, { attempts, agesMs, isFirstTold });
  expect(step(limits, 1, [10])).toEqual({ next: "retry" });
  expect(step(limits, 3, [10])).toEqual({ next: "give-up", why: "attempts", records: 1 });
  expect(step(limits, 1, [1_001])).toEqual({ next: "give-up", why: "age", records: 1 });
  expect(step(limits, 2, [undefined])).toEqual({ next: "retry" });
  // A batch is split before anything is given up, unless the handler has told which record it is.
  expect(step(limits, 3, [1_001, 10])).toEqual({ next: "split" });
  expect(step(limits, 3, [10, 10], true)).toEqual({ next: "give-up", why: "attempts", records: 1 });
  expect(step(limits, 1, [10, 10], true)).toEqual({ next: "retry" });
  // One that is not split goes as a whole by count, and by age as far as it is too old.
  expect(step(whole, 3, [10, 10])).toEqual({ next: "give-up", why: "attempts", records: 2 });
  expect(step(whole, 1, [1_001, 1_002, 10])).toEqual({ next: "give-up", why: "age", records: 2 });
  expect(step(whole, 1, [10, 1_002])).toEqual({ next: "retry" });
});

test("the finished prefix never covers an unfinished record [C11]", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 10 }), (order) => {
      const prefix = new FinishedPrefix<number>();
      const finish = Array.from({ length: 10 }, (_, index) => prefix.admit(index));
      const finished = new Set<number>();
      for (const index of order) {
        finished.add(index);
        const covered = finish[index]?.();
        if (covered === undefined) continue;
        for (let i = 0; i <= covered; i++) expect(finished.has(i)).toBe(true);
      }
      expect(prefix.size).toBe(0);
    }),
  );
});

test("the runner keeps keys in order, within its bounds, whatever ends when [C11]", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 })), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      async (items, concurrency) => {
        const done: { key: number; index: number }[] = [];
        let running = 0;
        const runner = new KeyedRunner<{ key: number; index: number; turns: number }>({
          concurrency,
          maxAdmitted: concurrency * 2,
          run: async ({ key, index, turns }) => {
            running++;
            expect(running).toBeLessThanOrEqual(concurrency);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            running--;
            done.push({ key, index });
          },
        });
        for (const [index, [key, turns]] of items.entries()) await runner.admit({ key, index, turns }, `${key}`);
        await runner.idle();
        expect(done).toHaveLength(items.length);
        for (let key = 0; key <= 4; key++) {
          const indexes = done.filter((item) => item.key === key).map((item) => item.index);
          expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
        }
      },
    ),
    { numRuns: 50 },
  );
});
