import { describe, expect, test } from "vitest";
import { KinesisSimulator } from "./simulator.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function unwrap<T>(answer: Promise<{ ok: true; value: T } | { ok: false; error: Error }>): Promise<T> {
  const settled = await answer;
  if (!settled.ok) throw settled.error;
  return settled.value;
}

async function readAll(simulator: KinesisSimulator, streamName: string, shardId: string) {
  const texts: string[] = [];
  const numbers: string[] = [];
  let { shardIterator: iterator } = (await unwrap(
    simulator.kinesis.getShardIterator({ streamName, shardId, position: { type: "TRIM_HORIZON" } }),
  )) as { shardIterator: string | undefined };
  let last;
  do {
    last = await unwrap(simulator.kinesis.getRecords({ shardIterator: iterator ?? "" }));
    texts.push(...last.records.map((record) => new TextDecoder().decode(record.data)));
    numbers.push(...last.records.map((record) => record.sequenceNumber));
    iterator = last.nextShardIterator;
    simulator.clock.advance(1000);
  } while (iterator !== undefined && last.millisBehindLatest > 0);
  return { texts, numbers, last };
}

describe("a simulator in process", () => {
  test("gives back what was put, in order, with rising 56-digit sequence numbers", async () => {
    const simulator = new KinesisSimulator();
    simulator.createStream({ streamName: "clicks", shardCount: 1 });
    const records = ["a", "b", "c"].map((text) => ({ data: bytes(text), partitionKey: text }));
    const put = await unwrap(simulator.kinesis.putRecords({ streamName: "clicks", records }));
    expect(put.records.every((entry) => entry.ok)).toBe(true);
    const { texts, numbers } = await readAll(simulator, "clicks", "shardId-000000000000");
    expect(texts).toEqual(["a", "b", "c"]);
    expect(numbers.every((number) => number.length === 56)).toBe(true);
    expect(numbers.map(BigInt)).toEqual(numbers.map(BigInt).toSorted((a, b) => (a < b ? -1 : 1)));
  });

  test("keeps the caller's bytes apart from its own", async () => {
    const simulator = new KinesisSimulator();
    simulator.createStream({ streamName: "clicks" });
    const data = bytes("before");
    await unwrap(simulator.kinesis.putRecords({ streamName: "clicks", records: [{ data, partitionKey: "k" }] }));
    data.fill(0);
    const first = await readAll(simulator, "clicks", "shardId-000000000000");
    expect(first.texts).toEqual(["before"]);
  });

  test("answers ChildShards and no iterator at the end of a split shard", async () => {
    const simulator = new KinesisSimulator();
    simulator.createStream({ streamName: "clicks" });
    const { closed, opened } = simulator.reshard({ streamName: "clicks", split: "shardId-000000000000" });
    expect(closed).toEqual(["shardId-000000000000"]);
    expect(opened).toEqual(["shardId-000000000001", "shardId-000000000002"]);
    const { last } = await readAll(simulator, "clicks", "shardId-000000000000");
    expect(last.nextShardIterator).toBeUndefined();
    expect(last.childShards.map((child) => child.shardId)).toEqual(opened);
    expect(last.childShards[0]?.parentShardIds).toEqual(closed);
    expect(last.childShards[0]?.endingHashKey).toBe(2n ** 127n - 1n);
  });

  test("throttles single records of a request, and takes the others", async () => {
    const simulator = new KinesisSimulator();
    simulator.createStream({ streamName: "clicks" });
    const records = Array.from({ length: 500 }, (_, index) => ({ data: bytes("x"), partitionKey: `${index}` }));
    const outcomes = [];
    for (let call = 0; call < 3; call++) {
      const put = await unwrap(simulator.kinesis.putRecords({ streamName: "clicks", records }));
      outcomes.push(put.records.filter((entry) => !entry.ok).length);
    }
    expect(outcomes.slice(0, 2)).toEqual([0, 0]);
    expect(outcomes[2]).toBeGreaterThan(400);
  });

  test("says what is wrong with an option", () => {
    expect(() => new KinesisSimulator({ limits: { putRecordRecords: false } as never })).toThrow(
      /limits\.putRecordRecords: expected the name of a limit, got false\. Did you mean putRecordsRecords\?/,
    );
    expect(() => new KinesisSimulator({ accountId: "12" })).toThrow(/accountId: expected a string of 12 digits/);
  });
});
