import { createEventPublisher } from "@millrace/core/observe";
import { Timeline } from "@millrace/simulator";
import { expect, test } from "vitest";
import type { ConsumerEvent } from "../events.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import type { CpuSource } from "./cpu-usage.ts";
import { MetricsReporter } from "./metrics-reporter.ts";

/** A reporter on a timeline, and what its row says. */
function reporting(read: () => number) {
  const timeline = new Timeline({ seed: 1 });
  const { system } = timeline.host("w");
  const table = new MemoryLeaseTable();
  const events: ConsumerEvent[] = [];
  const source: CpuSource = { platform: "host", read: async () => read() };
  const reporter = new MetricsReporter({
    table,
    workerId: "w",
    system,
    events: createEventPublisher<ConsumerEvent>("millrace:test-report", (event) => events.push(event)),
    findCpuSource: async () => source,
    onCrash: (error) => {
      throw error;
    },
  });
  return { timeline, table, events, reporter };
}

const seriesIn = (table: MemoryLeaseTable): unknown => table.rows.get("w")?.["sts"];
const numbers = (...values: number[]): unknown => ({ M: { C: { L: values.map((value) => ({ N: String(value) })) } } });

test("a report has KCL's form: means of an interval, the last ten, and the operating range", async () => {
  let cpu = 0;
  const { timeline, table, reporter } = reporting(() => cpu);
  await timeline.settle(reporter.start());
  // The first reading tells nothing, but the worker is one that reports its CPU.
  expect(seriesIn(table)).toEqual(numbers(0));
  cpu = 20;
  await timeline.run({ forMs: 2_500 });
  expect(seriesIn(table)).toEqual(numbers(20));
  for (let interval = 1; interval <= 12; interval++) {
    cpu = interval;
    await timeline.run({ forMs: 30_000 });
  }
  expect(table.rows.get("w")).toMatchObject({
    entityType: { S: "WORKER_METRIC_STATS" },
    opr: { M: { C: { L: [{ N: "100" }] } } },
    sup: { N: "1" },
  });
  const { M } = seriesIn(table) as { M: { C: { L: { N: string }[] } } };
  expect(M.C.L).toHaveLength(10);
  expect(Number(M.C.L.at(-1)?.N)).toBeCloseTo(12, 0);
  await timeline.settle(reporter.withdraw());
  expect(table.rows.size).toBe(0);
});

test("an interval without a reading is -1, and told once until it can be read again", async () => {
  let isBroken = false;
  const { timeline, table, events, reporter } = reporting(() => {
    if (isBroken) throw new Error("no such file");
    return 50;
  });
  await timeline.settle(reporter.start());
  await timeline.run({ forMs: 2_500 });
  // The interval that has just begun has a reading already.
  isBroken = true;
  await timeline.run({ forMs: 30_000 });
  await timeline.run({ forMs: 30_000 });
  expect(seriesIn(table)).toEqual(numbers(50, 50, -1));
  isBroken = false;
  await timeline.run({ forMs: 30_000 });
  expect(seriesIn(table)).toEqual(numbers(50, 50, -1, 50));
  expect(events.filter(({ type }) => type === "cpu-unreadable")).toEqual([
    { type: "cpu-unreadable", platform: "host", error: "Error: no such file" },
  ]);
  await timeline.settle(reporter.stop());
});

test("a source that cannot be read at the start is done without: the worker is balanced by throughput", async () => {
  const { timeline, table, events, reporter } = reporting(() => {
    throw new Error("no such file");
  });
  await timeline.settle(reporter.start());
  await timeline.run({ forMs: 60_000 });
  expect(seriesIn(table)).toEqual({ M: {} });
  expect(events.map(({ type }) => type)).toEqual(["cpu-unreadable"]);
  await timeline.settle(reporter.stop());
});
