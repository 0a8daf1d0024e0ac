import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { parseLease } from "../leases/lease.ts";
import type { ConsumedRecord } from "../record.ts";
import { Scene } from "../testing-support/scene.ts";
import type { FailedRecord } from "./dead-letter.ts";
import { resolveBatchOptions, type BatchOptions } from "./each-options.ts";
import type { BatchFailure } from "./per-batch.ts";

const shardId = "shardId-000000000000";
let scene: Scene;

afterEach(() => scene?.close());

function textsOf(records: readonly ConsumedRecord[]): string[] {
  return records.map((record) => record.text());
}

/** Runs batches on one shard of a new scene; gives the calls as they come. */
function runBatches(
  options: BatchOptions,
  handle: (texts: string[], records: readonly ConsumedRecord[]) => BatchFailure | undefined | void = () => undefined,
): string[][] {
  const calls: string[][] = [];
  scene.begin("a", (consumer) =>
    consumer.runBatches(async (records) => {
      const texts = textsOf(records);
      calls.push(texts);
      return handle(texts, records) ?? undefined;
    }, options),
  );
  return calls;
}

const ten = Array.from({ length: 10 }, (_, index) => `r${index}`);

describe("runBatches", () => {
  test("cuts what was read to size, by records and by bytes", async () => {
    scene = new Scene(1);
    await scene.put(...ten, "a long record of 33 bytes, alone.");
    const calls = runBatches({ maxBatchRecords: 4, maxBatchBytes: 20 });
    await scene.timeline.run({ until: () => calls.flat().length === 11, forMs: 60_000 });
    expect(calls).toEqual([
      ["r0", "r1", "r2", "r3"],
      ["r4", "r5", "r6", "r7"],
      ["r8", "r9"],
      ["a long record of 33 bytes, alone."],
    ]);
  });

  test("gathers for its window, and no longer", async () => {
    scene = new Scene(1);
    const calls = runBatches({ maxBatchRecords: 4, batchWindowMs: 10_000 });
    await scene.timeline.run({ until: () => scene.of("lease-acquired").length > 0, forMs: 60_000 });
    await scene.put("r0");
    await scene.timeline.run({ forMs: 5_000 });
    await scene.put("r1");
    expect(calls).toEqual([]);
    await scene.timeline.run({ forMs: 7_000 });
    expect(calls).toEqual([["r0", "r1"]]);
    // A full batch waits for nothing.
    await scene.put("r2", "r3", "r4", "r5", "r6");
    await scene.timeline.run({ forMs: 3_000 });
    expect(calls.slice(1)).toEqual([["r2", "r3", "r4", "r5"]]);
    await scene.timeline.run({ forMs: 10_000 });
    expect(calls.slice(2)).toEqual([["r6"]]);
  });

  test("gives what it gathered at the end of the shard before the children begin [C5]", async () => {
    scene = new Scene(1);
    const calls = runBatches({ maxBatchRecords: 100, batchWindowMs: 300_000 });
    await scene.put("r0", "r1");
    await scene.timeline.run({ until: () => scene.of("batch-delivered").length > 0, forMs: 60_000 });
    scene.simulator.reshard({ streamName: "clicks", split: shardId });
    await scene.timeline.run({ until: () => scene.of("shard-finished").length > 0, forMs: 60_000 });
    expect(calls).toEqual([["r0", "r1"]]);
    expect(scene.of("shard-finished")).toHaveLength(1);
  });

  test("splits a batch that fails down to the record that fails alone, and loses no other [C1]", async () => {
    scene = new Scene(1);
    await scene.put(...ten);
    const failed: FailedRecord[] = [];
    const done: string[] = [];
    const calls = runBatches(
      {
        maxAttempts: 2,
        onFailure: {
          async send(record) {
            failed.push(record);
          },
        },
      },
      (texts) => {
        if (texts.includes("r6")) throw new Error("poison");
        done.push(...texts);
      },
    );
    await scene.timeline.run({ until: () => done.length === 9, forMs: 60_000 });
    expect(done).toEqual(ten.filter((text) => text !== "r6"));
    expect(failed.map(({ record, attempts, why }) => [record.text(), attempts, why])).toEqual([["r6", 2, "attempts"]]);
    const sizes = calls.map((texts) => texts.length);
    // The first half is done at once; of the second what comes before the poison, then the poison twice, then the rest.
    expect(sizes).toEqual([10, 5, 5, 3, 2, 1, 1, 1, 1, 2]);
  });

  test("takes from the handler which record failed, and calls none before it again", async () => {
    scene = new Scene(1);
    await scene.put(...ten);
    let isDown = true;
    const calls = runBatches({}, (texts, records) => {
      const failedAt = records.find((record) => record.text() === "r4");
      if (failedAt === undefined || !isDown) return undefined;
      isDown = texts[0] !== "r4";
      return { failedAt, error: new Error("told") };
    });
    await scene.timeline.run({ until: () => calls.length === 3, forMs: 60_000 });
    expect(calls).toEqual([ten, ten.slice(4), ten.slice(4)]);
    expect(scene.of("record-failed")).toMatchObject([
      { attempt: 1, records: 6, error: "Error: told" },
      { attempt: 2, records: 6 },
    ]);
  });

  test("a failedAt of another batch is a failure of this one, which says so", async () => {
    scene = new Scene(1);
    await scene.put("r0");
    let stranger: ConsumedRecord | undefined;
    const calls = runBatches({}, (_, [record]) => {
      if (stranger === undefined && record !== undefined) stranger = Object.create(record) as ConsumedRecord;
      return calls.length < 2 && stranger !== undefined ? { failedAt: stranger } : undefined;
    });
    await scene.timeline.run({ until: () => calls.length === 2, forMs: 60_000 });
    expect(scene.of("record-failed")[0]?.error).toMatch(/failedAt is not in the batch/);
  });

  test("without bisect a batch fails as a whole, and by age as far as it is too old", async () => {
    scene = new Scene(1);
    await scene.put("old0", "old1");
    // A timeline on which nothing is due does not move.
    scene.timeline.host("clock").system.schedule(100_000, () => undefined);
    await scene.timeline.run({ forMs: 100_000 });
    await scene.put("r0", "r1");
    const failed: string[] = [];
    const onFailure = {
      async send({ record, why }: FailedRecord) {
        failed.push(`${record.text()} ${why}`);
      },
    };
    const options = { bisect: false, maxRecordAgeMs: 60_000, maxAttempts: 3, onFailure };
    const calls = runBatches(options, () => {
      throw new Error("down");
    });
    await scene.timeline.run({ until: () => failed.length === 4, forMs: 60_000 });
    expect(failed).toEqual(["old0 age", "old1 age", "r0 attempts", "r1 attempts"]);
    expect(calls).toEqual([
      ["old0", "old1", "r0", "r1"],
      ["r0", "r1"],
      ["r0", "r1"],
    ]);
  });

  test.each([
    [{ maxBatchRecords: 0 }, "maxBatchRecords"],
    [{ batchWindowMs: 300_001 }, "batchWindowMs"],
    [{ bisect: "yes" }, "bisect"],
    [{ maxBatchRecord: 3 }, "Did you mean maxBatchRecords"],
  ])("refuses %j", (options, text) => {
    scene = new Scene(1);
    expect(() => resolveBatchOptions(options as never)).toThrow(text);
  });
});

/** What a run of the property below is made from. */
interface Plan {
  readonly keys: readonly number[];
  /** Failures before each record's success. */
  readonly failures: readonly number[];
  readonly delaysMs: readonly number[];
  readonly options: BatchOptions;
  readonly closesAtMs: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  keys: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 40 }),
  failures: fc.array(fc.constantFrom(0, 0, 0, 1, 3), { minLength: 40, maxLength: 40 }),
  delaysMs: fc.array(fc.constantFrom(0, 5, 400, 3_000), { minLength: 8, maxLength: 8 }),
  options: fc.record({
    concurrency: fc.integer({ min: 1, max: 6 }),
    maxBatchRecords: fc.constantFrom(1, 2, 7, 100),
    batchWindowMs: fc.constantFrom(0, 2_000),
    bisect: fc.boolean(),
    maxAttempts: fc.constantFrom(undefined, 2),
  }),
  closesAtMs: fc.integer({ min: 3_000, max: 30_000 }),
});

test("whatever fails, ends and stops when: order per key, and a checkpoint over nothing open [C11]", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async ({ keys, failures, delaysMs, options, closesAtMs }) => {
      scene = new Scene(1);
      const records = keys.map((key, index) => ({ data: Buffer.from(`${index}`), partitionKey: `k${key}` }));
      const answer = await scene.simulator.kinesis.putRecords({ streamName: "clicks", records });
      const places = answer.ok ? answer.value.records.map((put) => (put.ok ? BigInt(put.sequenceNumber) : 0n)) : [];
      const left = [...failures];
      const done = new Set<number>();
      const lastOfKey = new Map<string, number>();
      const inHand = new Set<string>();
      const violations: string[] = [];
      let call = 0;
      const settle = (indexes: readonly number[]): void => {
        for (const index of indexes) done.add(index);
      };
      const run = async (worker: string, batch: readonly ConsumedRecord[]): Promise<void> => {
        const { system } = scene.timeline.host(worker);
        const batchKeys = new Set(batch.map((record) => record.partitionKey ?? ""));
        for (const key of batchKeys) if (inHand.has(key)) violations.push(`${key} is in two calls`);
        for (const key of batchKeys) inHand.add(key);
        await new Promise<void>((resolve) => system.schedule(delaysMs[call++ % delaysMs.length] ?? 0, resolve));
        for (const key of batchKeys) inHand.delete(key);
        const indexes = batch.map((record) => Number(record.text()));
        if (indexes.some((index) => (left[index] ?? 0) > 0)) {
          for (const index of indexes) left[index] = Math.max(0, (left[index] ?? 0) - 1);
          throw new Error("told to fail");
        }
        for (const record of batch) {
          // A new owner may repeat what its checkpoint does not cover, but in order.
          const key = `${worker} ${record.partitionKey}`;
          if (Number(record.text()) <= (lastOfKey.get(key) ?? -1)) violations.push(`${key} goes back`);
          lastOfKey.set(key, Number(record.text()));
        }
        settle(indexes);
      };
      const onFailure = { send: async ({ record }: FailedRecord) => settle([Number(record.text())]) };
      const policy = options.maxAttempts === undefined ? options : { ...options, onFailure };
      const checkPrefix = (): void => {
        const { checkpoint } = parseLease(scene.table.rows.get(shardId) ?? {}) ?? {};
        if (checkpoint === undefined || !/^\d+$/.test(checkpoint.sequenceNumber)) return;
        const covered = places.filter((place) => place <= BigInt(checkpoint.sequenceNumber)).length;
        for (let index = 0; index < covered; index++) expect(done).toContain(index);
      };
      const begin = (worker: string): ReturnType<Scene["begin"]> =>
        scene.begin(worker, (consumer) => consumer.runBatches((batch) => run(worker, batch), policy));
      const first = begin("a");
      await scene.timeline.run({ until: () => (checkPrefix(), done.size === keys.length), forMs: closesAtMs });
      await scene.timeline.settle(first.close(), { forMs: 60_000 });
      checkPrefix();
      begin("b");
      await scene.timeline.run({ until: () => (checkPrefix(), done.size === keys.length), forMs: 400_000 });
      expect(done.size).toBe(keys.length);
      expect(violations).toEqual([]);
      await scene.close();
    }),
    { numRuns: 60 },
  );
});
