import { Aggregator, partitionKeyHash } from "@millrace/aggregation";
import { realSystem } from "@millrace/core/runtime";
import { afterEach, describe, expect, test } from "vitest";
import { Consumer } from "../consumer.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import { Fleet } from "../testing-support/fleet.ts";
import { checkDeaggregation } from "./deaggregation.ts";

let fleet: Fleet;

afterEach(() => fleet?.close());

/** An aggregate whose members belong to both halves of the hash keys, sent to the first half. */
function straddling(): { data: Uint8Array; partitionKey: string; explicitHashKey: string } {
  const aggregator = new Aggregator();
  for (let index = 0; index < 20; index++) aggregator.add({ partitionKey: `k${index}`, data: `k${index}` });
  return { data: aggregator.build().data, partitionKey: "any", explicitHashKey: "0" };
}

const half = 2n ** 127n;
const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);

describe("user records outside their shard's range", () => {
  test("are all delivered by default, where KCL drops the whole aggregate [C1]", async () => {
    fleet = new Fleet({ shardCount: 2 });
    await fleet.putRecords([straddling()]);
    fleet.start("a");
    await fleet.until(() => fleet.deliveries.length === 20);
    expect(fleet.deliveries.map((delivery) => delivery.text)).toEqual(keys);
  });

  test("are left out alone and counted where that is asked for", async () => {
    fleet = new Fleet({ shardCount: 2 });
    await fleet.putRecords([straddling()]);
    fleet.start("a", undefined, { deaggregation: { onOutOfRange: "skip" } });
    const inRange = keys.filter((key) => partitionKeyHash(key) < half);
    await fleet.until(() => fleet.deliveries.length === inRange.length);
    await fleet.event("aggregate-defects", ({ outOfRange }) => outOfRange === 20 - inRange.length);
    expect(fleet.deliveries.map((delivery) => delivery.text)).toEqual(inRange);
  });
});

test("a broken digest passes the Kinesis record whole, and is counted [C1]", async () => {
  fleet = new Fleet({ shardCount: 1 });
  const record = straddling();
  const data = Uint8Array.from(record.data);
  data[data.length - 1] = (data.at(-1) ?? 0) ^ 0xff;
  await fleet.putRecords([{ ...record, data }]);
  fleet.start("a");
  await fleet.event("aggregate-defects", ({ badDigest }) => badDigest === 1);
  expect(fleet.deliveries).toHaveLength(1);
  expect(Buffer.from(fleet.deliveries[0]?.record.data ?? []).equals(Buffer.from(data))).toBe(true);
});

test("records that retention removed before they were read are told, not passed over in silence [C1]", async () => {
  fleet = new Fleet({ shardCount: 1 });
  const first = fleet.start("first");
  await fleet.put(1);
  await fleet.allDelivered();
  await first.close();
  await fleet.put(1);
  fleet.simulator.clock.advance(25 * 3_600_000);
  await fleet.put(1);
  fleet.start("second");
  await fleet.event("records-trimmed");
  await fleet.until(() => fleet.seen.has("r2"));
  expect(fleet.seen.has("r1")).toBe(false);
});

test("an option that is none is refused", () => {
  expect(() => checkDeaggregation({ onBadDigest: "drop" } as never)).toThrow(/deaggregation.onBadDigest/);
  expect(() => checkDeaggregation({ onBadDigests: "skip" } as never)).toThrow(/Did you mean/);
});

test("between two batches of a huge aggregate, and between two steps of checking it, other work runs [C6]", async () => {
  fleet = new Fleet({ shardCount: 1 });
  const aggregator = new Aggregator({ maxBytes: 1_000_000 });
  while (aggregator.add({ partitionKey: "k", data: "" }));
  await fleet.putRecords([{ data: aggregator.build().data, partitionKey: "k" }]);
  const trace: string[] = [];
  const system = {
    ...realSystem,
    breathe: () => {
      trace.push("breathe");
      return realSystem.breathe();
    },
  };
  const consumer = new Consumer(
    { streamName: "clicks", applicationName: "app", leaseTable: new MemoryLeaseTable(), leaseDiscoveryIntervalMs: 50 },
    { kinesis: fleet.simulator.kinesis, system },
  );
  let count = 0;
  let largest = 0;
  await consumer.run(async (shard) => {
    for await (const batch of shard) {
      trace.push("batch");
      largest = Math.max(largest, batch.records.length);
      count += batch.records.length;
      await batch.checkpoint(undefined, { durable: false });
      if (count === aggregator.count) void consumer.close();
    }
  });
  expect(count).toBeGreaterThan(150_000);
  expect(largest).toBe(10_000);
  const batches = trace.filter((step) => step === "batch").length;
  expect(batches).toBe(Math.ceil(count / 10_000));
  // A step checks 128 KiB of it.
  expect(trace.indexOf("batch")).toBeGreaterThanOrEqual(Math.floor(1_000_000 / 131_072));
  expect(trace.join(" ")).not.toContain("batch batch");
});
