import { gzipSync } from "node:zlib";
import { Aggregator, wrapCompressed } from "@millrace/aggregation";
import { afterEach, expect, test } from "vitest";
import { attemptsAttribute, parseAttempts } from "../leases/attempts.ts";
import { textOf } from "../leases/table-row.ts";
import { Scene } from "../testing-support/scene.ts";
import type { FailedRecord } from "./dead-letter.ts";
import type { BatchOptions, EachOptions } from "./each-options.ts";

const shardId = "shardId-000000000000";
let scene: Scene;

afterEach(() => scene.close());

/** Lives of one worker that dies in every call with the poison, and is started again. */
class Lives {
  /** Calls by text, over all lives. */
  readonly calls = new Map<string, number>();
  readonly done: string[] = [];
  readonly failed: FailedRecord[] = [];
  deaths = 0;

  /** Starts a life; `host` dies in the middle of a call with `poison`. */
  begin(host: string, options: EachOptions, poison: string): void {
    scene.begin(host, (consumer) =>
      consumer.runEach(async (record) => {
        const text = record.text();
        this.calls.set(text, (this.calls.get(text) ?? 0) + 1);
        if (text === poison) await this.#die(host);
        this.done.push(text);
      }, options),
    );
  }

  beginBatches(host: string, options: BatchOptions, poison: string): void {
    scene.begin(host, (consumer) =>
      consumer.runBatches(async (records) => {
        const texts = records.map((record) => record.text());
        for (const text of texts) this.calls.set(text, (this.calls.get(text) ?? 0) + 1);
        if (texts.includes(poison)) await this.#die(host);
        this.done.push(...texts);
      }, options),
    );
  }

  get deadLetter(): { send(failed: FailedRecord): Promise<void> } {
    return {
      send: async (failed) => {
        this.failed.push(failed);
      },
    };
  }

  /** As SIGKILL: nothing after this line runs, and nothing more is written. */
  #die(host: string): Promise<never> {
    this.deaths++;
    scene.kill(host);
    return new Promise(() => undefined);
  }
}

/** Lets lives follow each other until the condition holds. */
async function liveOn(lives: Lives, begin: (host: string) => void, until: () => boolean): Promise<void> {
  for (let life = 1; life <= 12 && !until(); life++) {
    const { deaths } = lives;
    begin(`life-${life}`);
    await scene.timeline.run({ until: () => lives.deaths > deaths || until(), forMs: 120_000 });
  }
}

const texts = Array.from({ length: 12 }, (_, index) => `r${index}`);

test("a record that kills its worker in the call goes to the dead letter after its attempts, and no other does [C1]", async () => {
  // Two deaths pass before it is certain which record it is: the first worker has not stored that it was called at all,
  // the second goes one record at a time. From then on each call is counted before it is made.
  scene = new Scene(1);
  const lives = new Lives();
  await scene.put(...texts);
  const options = { maxAttempts: 2, onFailure: lives.deadLetter };
  await liveOn(
    lives,
    (host) => lives.begin(host, options, "r7"),
    () => new Set(lives.done).size === 11 && lives.failed.length > 0,
  );
  expect(new Set(lives.done)).toEqual(new Set(texts.filter((text) => text !== "r7")));
  expect(lives.failed.map(({ record }) => record.text())).toEqual(["r7"]);
  expect(lives.failed[0]).toMatchObject({ attempts: 2, why: "attempts" });
  expect(lives.deaths).toBe(3);
  expect(lives.calls.get("r7")).toBe(3);
});

test("such a record in a compressed one too, though no checkpoint can stand before it [C1]", async () => {
  scene = new Scene(1);
  const lives = new Lives();
  const aggregator = new Aggregator();
  for (const text of texts) aggregator.add({ partitionKey: "k", data: text });
  const aggregate = aggregator.build();
  const wrapped = wrapCompressed(aggregate, gzipSync(aggregate.data), "gzip");
  if (wrapped === undefined) throw new Error("not to be opened");
  await scene.simulator.kinesis.putRecords({ streamName: "clicks", records: [wrapped] });
  const options = { maxAttempts: 2, onFailure: lives.deadLetter };
  await liveOn(
    lives,
    (host) => lives.begin(host, options, "r7"),
    () => new Set(lives.done).size === 11 && lives.failed.length > 0,
  );
  expect(new Set(lives.done)).toEqual(new Set(texts.filter((text) => text !== "r7")));
  expect(lives.failed.map(({ record }) => record.text())).toEqual(["r7"]);
  expect(lives.deaths).toBe(3);
});

test("a batch with such a record comes down to it alone", async () => {
  scene = new Scene(1);
  const lives = new Lives();
  await scene.put(...texts);
  const options = { maxAttempts: 1, onFailure: lives.deadLetter, maxBatchRecords: 5 };
  await liveOn(
    lives,
    (host) => lives.beginBatches(host, options, "r7"),
    () => new Set(lives.done).size === 11 && lives.failed.length > 0,
  );
  expect(new Set(lives.done)).toEqual(new Set(texts.filter((text) => text !== "r7")));
  expect(lives.failed.map(({ record }) => record.text())).toEqual(["r7"]);
});

test("with stop the shard stays at such a record instead of killing one worker after another", async () => {
  scene = new Scene(1);
  const lives = new Lives();
  await scene.put(...texts);
  const isStopped = (): boolean => scene.of("shard-stopped").length > 0;
  await liveOn(lives, (host) => lives.begin(host, { maxAttempts: 2 }, "r7"), isStopped);
  expect(lives.deaths).toBe(3);
  const [consumer] = scene.consumers;
  expect(consumer?.health().shards[0]?.trouble).toMatch(/stopped: record \d+ failed for good: .*worker ended/);
  // A restart on purpose tries it again: this time the record has been mended.
  if (consumer !== undefined) await scene.timeline.settle(consumer.close(), { forMs: 60_000 });
  lives.begin("mended", { maxAttempts: 2 }, "none");
  await scene.timeline.run({ until: () => new Set(lives.done).size === 12, forMs: 60_000 });
  expect(new Set(lives.done)).toEqual(new Set(texts));
});

test("a worker that goes on purpose leaves no suspicion behind, and one that vanished does", async () => {
  scene = new Scene(1);
  const lives = new Lives();
  await scene.put(...texts);
  const options = { maxAttempts: 2 };
  const attempts = (): string | undefined => textOf(scene.table.rows.get(shardId) ?? {}, attemptsAttribute);
  lives.begin("a", options, "none");
  await scene.timeline.run({ until: () => lives.done.length === 12, forMs: 60_000 });
  // Calls are under way as far as the lease knows, until what is done rides with a renewal.
  expect(attempts()).toBe("0 under-way TRIM_HORIZON");
  const [a] = scene.consumers;
  if (a !== undefined) await scene.timeline.settle(a.close(), { forMs: 60_000 });
  expect(attempts() ?? "0 ended").toMatch(/^0 ended/);
});

test("what a Java owner left standing is not held against another record", () => {
  // We count three calls on the record after 10; a Java worker checkpoints 20 and knows nothing of the attribute.
  const row = { [attemptsAttribute]: { S: "3 under-way 10:0" } };
  expect(parseAttempts(row, { sequenceNumber: "10", subSequenceNumber: 0 })).toEqual({ made: 3, isUnderWay: true });
  const further = { [attemptsAttribute]: { S: "3 ended TRIM_HORIZON 20:4" } };
  expect(parseAttempts(further, { sequenceNumber: "TRIM_HORIZON", subSequenceNumber: 0 })).toEqual({
    made: 3,
    isUnderWay: false,
    at: { sequenceNumber: "20", subSequenceNumber: 4 },
  });
  expect(parseAttempts(row, { sequenceNumber: "20", subSequenceNumber: 0 })).toBeUndefined();
  expect(parseAttempts(row, { sequenceNumber: "10", subSequenceNumber: 1 })).toBeUndefined();
});
