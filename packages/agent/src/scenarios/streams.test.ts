import { deaggregate, isAggregated } from "@millrace/aggregation";
import { KinesisSimulator } from "@millrace/simulator";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Agent } from "../agent.ts";
import type { FlowConfigInput } from "../config/schema.ts";
import { closeBenches, createBench } from "../testing-support/agent-bench.ts";

let simulator: KinesisSimulator;

beforeEach(() => {
  simulator = new KinesisSimulator();
  simulator.createStream({ streamName: "lines", shardCount: 2 });
});

afterEach(async () => {
  await closeBenches();
  await simulator.close();
});

async function runOnce(place: ReturnType<typeof createBench>, flow: Partial<FlowConfigInput>): Promise<Agent> {
  const agent = new Agent(
    {
      flows: [
        {
          filePattern: place.path("*.log"),
          kinesisStream: "lines",
          initialPosition: "START_OF_FILE",
          retryInitialBackoffMillis: 1,
          retryMaxBackoffMillis: 5,
          ...flow,
        },
      ],
      positionsPath: place.positionsPath,
    },
    { kinesis: simulator.kinesis },
  );
  agent.start();
  await agent.drain();
  return agent;
}

/** What the service stored, shard after shard, each in its order. */
async function stored() {
  const { kinesis } = simulator;
  const listed = await kinesis.listShards({ streamName: "lines" });
  if (!listed.ok) throw listed.error;
  const records = [];
  for (const { shardId } of listed.value.shards) {
    const position = { type: "TRIM_HORIZON" } as const;
    const iterator = await kinesis.getShardIterator({ streamName: "lines", shardId, position });
    if (!iterator.ok) throw iterator.error;
    const page = await kinesis.getRecords({ shardIterator: iterator.value.shardIterator, limit: 10_000 });
    if (!page.ok) throw page.error;
    records.push(...page.value.records);
  }
  return records;
}

const text = (data: Uint8Array) => Buffer.from(data).toString();

/** Lines `key 1`, `key 2` and so on of several keys, mixed. */
function linesOfKeys(keys: number, perKey: number): string[] {
  return Array.from({ length: keys * perKey }, (_, index) => `k${index % keys} ${Math.floor(index / keys)}\n`);
}

test("[C12] scenario 67: with ordering perKey, first copies of a key's lines are stored in file order through refusals", async () => {
  const place = createBench();
  const lines = linesOfKeys(8, 40);
  place.write("app.log", lines.join(""));
  simulator.fault({ kind: "partial-failure", rate: 0.2, count: 60 });
  await runOnce(place, { ordering: "perKey", partitionKey: "{regex:^(k\\d)}", maxBufferSizeRecords: 50 });
  const seen = (await stored()).map(({ data }) => text(data));
  expect(seen.toSorted()).toEqual(lines.toSorted());
  for (let key = 0; key < 8; key++) {
    const ofKey = seen.filter((line) => line.startsWith(`k${key} `));
    expect(ofKey).toEqual(lines.filter((line) => line.startsWith(`k${key} `)));
  }
});

test("compressed aggregates hold the same lines in a fraction of the bytes", async () => {
  const place = createBench();
  const lines = linesOfKeys(4, 2_000).map((line) => `${"a line like so many others ".repeat(3)}${line}`);
  place.write("app.log", lines.join(""));
  const agent = await runOnce(place, { aggregation: true, compression: "gzip" });
  const records = await stored();
  const expanded = records.flatMap((record) => deaggregate(record).map(({ data }) => text(data)));
  expect(expanded.toSorted()).toEqual(lines.toSorted());
  const storedBytes = records.reduce((sum, { data }) => sum + data.byteLength, 0);
  expect(storedBytes).toBeLessThan(lines.join("").length / 4);
  expect(agent.status()[0]?.files[0]?.savedBytes).toBe(lines.join("").length);
});

test("records are plain unless the flow asks for aggregates, and hold the same lines then", async () => {
  const place = createBench();
  const lines = linesOfKeys(4, 100);
  place.write("app.log", lines.join(""));
  await runOnce(place, { aggregation: true });
  const records = await stored();
  expect(records.some(({ data }) => isAggregated(data))).toBe(true);
  expect(records.length).toBeLessThan(20);
  const expanded = records.flatMap((record) => deaggregate(record).map(({ data }) => text(data)));
  expect(expanded.toSorted()).toEqual(lines.toSorted());
  simulator.createStream({ streamName: "plain", shardCount: 1 });
  await runOnce(place, { kinesisStream: "plain" });
  expect(simulator.meter.counts().recordsIn).toBe(records.length + lines.length);
});
