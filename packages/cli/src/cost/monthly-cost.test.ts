import { listPrices } from "@millrace/simulator";
import { expect, test } from "vitest";
import { monthlyCosts, type Workload } from "./monthly-cost.ts";

const workload: Workload = {
  recordsPerSecond: 10_000,
  recordBytes: 200,
  shards: 1,
  producers: 1,
  lingerMs: 100,
  fanOutConsumers: 0,
};

function costs(change: Partial<Workload> = {}) {
  const [plain, aggregated] = monthlyCosts({ ...workload, ...change }, listPrices);
  if (plain === undefined || aggregated === undefined) throw new Error("expected two ways of writing");
  return { plain, aggregated };
}

test("10,000 records of 200 bytes a second: ten shards for their number, three for their bytes", () => {
  const { plain, aggregated } = costs();
  // 10 shards x $0.015 and 36 units of a million x $0.014 an hour, for 36 million records.
  expect(plain).toMatchObject({ shards: 10, kinesisRecordsPerSecond: 10_000 });
  expect(plain.usdPerMillionRecords).toBeCloseTo((10 * 0.015 + 36 * 0.014) / 36, 6);
  expect(aggregated.shards).toBe(3);
  expect(aggregated.usdPerMillionRecords).toBeLessThan(0.0015);
});

test("what is too slow to fill an aggregate within its linger costs as much as one by one", () => {
  const { plain, aggregated } = costs({ recordsPerSecond: 10, lingerMs: 100 });
  expect(aggregated).toEqual({ ...plain, name: aggregated.name });
  expect(costs({ recordsPerSecond: 10, lingerMs: 1000 }).aggregated.kinesisRecordsPerSecond).toBe(1);
});

test("a record above the aggregate's size goes alone, in payload units of its own", () => {
  const { plain, aggregated } = costs({ recordBytes: 60_000, recordsPerSecond: 100 });
  expect(aggregated.kinesisRecordsPerSecond).toBe(100);
  expect(aggregated.putUsd).toBe(plain.putUsd);
  expect(plain.putUsd).toBeCloseTo(100 * 3 * 730 * 3600 * 0.014e-6, 6);
});

test("fan-out is billed by shard hour and by byte", () => {
  const { plain } = costs({ fanOutConsumers: 2 });
  const gigabytes = (10_000 * 216 * 730 * 3600) / 1e9;
  expect(plain.fanOutUsd).toBeCloseTo(2 * (10 * 730 * 0.015 + gigabytes * 0.013), 6);
});
