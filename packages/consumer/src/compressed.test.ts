import { gzipSync } from "node:zlib";
import { Aggregator, COMPRESSION_TAG, wrapCompressed, type AggregatedRecord } from "@millrace/aggregation";
import { afterEach, expect, test } from "vitest";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import type { RecordBatch, ShardHandler } from "./record.ts";
import { Fleet } from "./testing-support/fleet.ts";

let fleet: Fleet;

afterEach(() => fleet?.close());

type Entry = Omit<AggregatedRecord, "count">;

const plain = (text: string): Entry => ({ partitionKey: "k", data: Buffer.from(text), explicitHashKey: "0" });

function compressed(texts: readonly string[]): Entry {
  const aggregator = new Aggregator();
  for (const text of texts) aggregator.add({ partitionKey: "k", data: text, explicitHashKey: 0n });
  const aggregate = aggregator.build({ wrap: true });
  const wrapped = wrapCompressed(aggregate, gzipSync(aggregate.data), "gzip");
  if (wrapped === undefined) throw new Error("not to be opened");
  return wrapped;
}

const members = ["c0", "c1", "c2", "c3", "c4"];

/** Calls `first` with the first batch that has the record, then fails; notes where each call of the handler started. */
function failingAt(text: string, first: (batch: RecordBatch) => Promise<void>) {
  const startedFrom: Checkpoint[] = [];
  const batches: string[][] = [];
  const handler: ShardHandler = async (shard) => {
    startedFrom.push(shard.startedFrom);
    for await (const batch of shard) {
      batches.push(batch.records.map((record) => record.text()));
      if (startedFrom.length > 1 || !batches.at(-1)?.includes(text)) {
        await batch.checkpoint();
        continue;
      }
      await first(batch);
      throw new Error("told to fail");
    }
  };
  return { handler, startedFrom, batches };
}

const upTo = (text: string) => async (batch: RecordBatch) =>
  batch.checkpoint(batch.records.find((record) => record.text() === text));

test("a checkpoint inside a compressed record is that of the record before it [C1] [C3]", async () => {
  fleet = new Fleet({ shardCount: 1 });
  await fleet.putRecords([plain("before"), compressed(members), plain("after")]);
  const { handler, startedFrom, batches } = failingAt("c2", upTo("c2"));
  fleet.start("a", handler);
  await fleet.until(() => batches.length === 2);
  expect(startedFrom[0]?.sequenceNumber).toBe("TRIM_HORIZON");
  expect(startedFrom[1]?.sequenceNumber).toMatch(/^\d+$/);
  expect(batches).toEqual([
    ["before", ...members, "after"],
    [...members, "after"],
  ]);
});

test("with nothing before it, it leaves the checkpoint where it is", async () => {
  fleet = new Fleet({ shardCount: 1 });
  await fleet.putRecords([compressed(members)]);
  const { handler, startedFrom, batches } = failingAt("c2", async (batch) => {
    await upTo("c1")(batch);
    await batch.checkpoint(batch.records[3], { durable: false });
  });
  fleet.start("a", handler);
  await fleet.until(() => batches.length === 2);
  expect(startedFrom.map(({ sequenceNumber }) => sequenceNumber)).toEqual(["TRIM_HORIZON", "TRIM_HORIZON"]);
  expect(batches).toEqual([members, members]);
});

test("at its end, it is that of its last member", async () => {
  fleet = new Fleet({ shardCount: 1 });
  await fleet.putRecords([compressed(members), plain("after")]);
  const { handler, startedFrom, batches } = failingAt("c4", upTo("c4"));
  fleet.start("a", handler);
  await fleet.until(() => batches.length === 2);
  expect(startedFrom[1]?.subSequenceNumber).toBe(4);
  expect(batches[1]).toEqual(["after"]);
});

test("a batch holds a compressed record whole or not at all", async () => {
  fleet = new Fleet({ shardCount: 1 });
  await fleet.putRecords([
    plain("a"),
    plain("b"),
    compressed(members),
    plain("c"),
    plain("d"),
    compressed(["z0", "z1"]),
  ]);
  const { handler, batches } = failingAt("none", upTo("none"));
  fleet.start("a", handler, { maxBatchRecords: 4 });
  await fleet.until(() => batches.flat().length === 11);
  expect(batches).toEqual([["a", "b"], members, ["c", "d", "z0", "z1"]]);
});

test("one that cannot be opened is treated as asked for, and counted", async () => {
  fleet = new Fleet({ shardCount: 1 });
  const aggregator = new Aggregator();
  aggregator.add({ partitionKey: "k", data: "junk", explicitHashKey: 0n, tags: { [COMPRESSION_TAG]: "gzip" } });
  await fleet.putRecords([aggregator.build(), plain("after")]);
  fleet.start("a", undefined, { deaggregation: { onBadCompression: "skip" } });
  await fleet.until(() => fleet.deliveries.length > 0);
  await fleet.event("aggregate-defects", ({ badCompression }) => badCompression === 1);
  expect(fleet.deliveries.map((delivery) => delivery.text)).toEqual(["after"]);
});
