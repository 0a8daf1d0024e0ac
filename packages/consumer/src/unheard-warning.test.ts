import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createEventPublisher } from "@millrace/core/observe";
import { realSystem } from "@millrace/core/runtime";
import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { once } from "node:events";
import { expect, test } from "vitest";
import { Consumer } from "./consumer.ts";
import { ConsumerError } from "./errors.ts";
import type { ConsumerEvent } from "./events.ts";
import { DynamoDbLeaseTable } from "./io/dynamodb-lease-table.ts";
import { MemoryLeaseTable } from "./io/memory-lease-table.ts";
import { Fleet } from "./testing-support/fleet.ts";
import { warnWhereUnheard } from "./unheard-warning.ts";

interface ProcessWarning extends Error {
  readonly code?: string;
}

/** The next warning of the process with the consumer's code. */
async function nextWarning(): Promise<string> {
  for (;;) {
    const [warning] = (await once(process, "warning")) as [ProcessWarning];
    if (warning.code === "MILLRACE_CONSUMER_IN_TROUBLE") return warning.message;
  }
}

const withoutCredentials = new DynamoDBClient({
  region: "us-east-1",
  credentials: () =>
    Promise.reject(
      Object.assign(new Error("Could not load credentials from any providers"), { name: "CredentialsProviderError" }),
    ),
});
const unreachable = new DynamoDBClient({
  region: "us-east-1",
  endpoint: "http://127.0.0.1:1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});

test.each([
  ["credentials", withoutCredentials, /app: the lease table .* \(open\): .*Could not load credentials/],
  ["an endpoint", unreachable, /app: the lease table .* \(open\): .*ECONNREFUSED/],
])(
  "a start without %s is told by a process warning, goes on trying, and can be closed",
  async (_name, dynamodb, text) => {
    const { kinesis } = new KinesisSimulator();
    const consumer = new Consumer({ streamName: "clicks", applicationName: "app", dynamodb }, { kinesis });
    const warning = nextWarning();
    let isOver = false;
    const run = consumer
      .run(async () => undefined)
      .finally(() => {
        isOver = true;
      });
    expect(await warning).toMatch(text);
    expect(isOver).toBe(false);
    await consumer.close();
    await run;
  },
);

test("a start that can never succeed rejects at once", async () => {
  const { kinesis } = new KinesisSimulator();
  const denied = new MemoryLeaseTable();
  const error = Object.assign(new Error("not authorized to perform dynamodb:DescribeTable"), {
    name: "AccessDeniedException",
  });
  denied.open = () => Promise.resolve({ ok: false, reason: "refused", error });
  const consumer = new Consumer({ streamName: "clicks", applicationName: "app", leaseTable: denied }, { kinesis });
  await expect(consumer.run(async () => undefined)).rejects.toThrow(ConsumerError);
});

test("a handler that always throws is told where nobody hears its events", async () => {
  const fleet = new Fleet({ shardCount: 1 });
  await fleet.put(1);
  const consumer = new Consumer(
    { streamName: "clicks", applicationName: "app", leaseTable: fleet.leaseTable, failoverTimeMs: 600 },
    { kinesis: fleet.simulator.kinesis },
  );
  const warning = nextWarning();
  const run = consumer.run(async () => {
    throw new TypeError("no such column");
  });
  expect(await warning).toMatch(/app: the handler of shard shardId-000000000000 failed .*no such column/);
  await consumer.close();
  await run;
  await fleet.close();
});

test("warnings come once a minute for each kind of trouble, none for what passes once or is heard", async () => {
  let now = 0;
  const system = { ...realSystem, now: () => now };
  const texts: string[] = [];
  const listen = (warning: ProcessWarning): void => void texts.push(warning.message);
  process.on("warning", listen);
  const failed: ConsumerEvent = { type: "lease-table-failed", operation: "scan", error: "slow" };
  const heard: ConsumerEvent[] = [];
  const loud = warnWhereUnheard(
    createEventPublisher("millrace:t", (event: ConsumerEvent) => heard.push(event)),
    system,
    "a",
  );
  for (let index = 0; index < 5; index++) loud.publish(failed);
  const quiet = warnWhereUnheard(createEventPublisher<ConsumerEvent>("millrace:t2", undefined), system, "b");
  quiet.publish(failed);
  quiet.publish({ type: "stopped", workerId: "w" });
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(texts).toEqual([]);
  for (let second = 0; second < 150; second++) {
    quiet.publish(failed);
    now += 1_000;
  }
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  process.off("warning", listen);
  expect(heard).toHaveLength(5);
  expect(texts.map((text) => /\((\d+) times\)/.exec(text)?.[1])).toEqual(["2", "60", "60"]);
});

test("a table whose connection hangs is given up after 15 s a call, and asked again", async () => {
  const timeline = new Timeline({ seed: 1 });
  let calls = 0;
  const hanging = new DynamoDBClient({
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    requestHandler: {
      handle() {
        calls++;
        return new Promise<never>(() => undefined);
      },
    },
  });
  const { system } = timeline.host("w");
  const table = new DynamoDbLeaseTable({ client: hanging, tableName: "t-t", system });
  expect(await timeline.settle(table.open())).toMatchObject({ ok: false, reason: "unknown" });
  expect(timeline.nowMs).toBe(15_000);
  expect(calls).toBeLessThanOrEqual(1);
});

test("a leader whose ListShards hangs gives it up and asks again", async () => {
  const timeline = new Timeline({ seed: 1 });
  const simulator = new KinesisSimulator({ system: timeline.host("service").system });
  simulator.createStream({ streamName: "clicks", shardCount: 1 });
  let hangs = 2;
  const kinesis = Object.assign(Object.create(simulator.kinesis) as typeof simulator.kinesis, {
    listShards: (...args: Parameters<typeof simulator.kinesis.listShards>) =>
      hangs-- > 0 ? new Promise<never>(() => undefined) : simulator.kinesis.listShards(...args),
  });
  const events: ConsumerEvent[] = [];
  const consumer = new Consumer(
    {
      streamName: "clicks",
      applicationName: "app",
      leaseTable: new MemoryLeaseTable(),
      onEvent: (event) => events.push(event),
    },
    { kinesis, system: timeline.host("w").system },
  );
  const run = consumer.run(async (shard) => {
    for await (const batch of shard) await batch.checkpoint();
  });
  await timeline.run({ forMs: 120_000, until: () => events.some(({ type }) => type === "lease-acquired") });
  expect(events.some(({ type }) => type === "lease-acquired")).toBe(true);
  await timeline.settle(consumer.close());
  await timeline.settle(run);
});
