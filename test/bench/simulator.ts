/**
 * Driver. PutRecords and GetRecords through the SDK's client, HTTP/1.1 with connections kept open, against the simulator and
 * the two emulators of npm, each in a process of its own.
 */
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { RunningService } from "../contract/service-under-test.ts";
import { startKinesalite, startKinesisLocal, startSimulatorProcess } from "../contract/targets.ts";
import type { Report, Row } from "./support/report.ts";

const contenders: readonly { readonly name: string; readonly start: () => Promise<RunningService> }[] = [
  { name: "simulator", start: startSimulatorProcess },
  { name: "kinesalite", start: startKinesalite },
  { name: "kinesis-local", start: startKinesisLocal },
];
const shapes = [
  { records: 500, bytes: 1000 },
  { records: 500, bytes: 100 },
  { records: 10, bytes: 500_000 },
] as const;

const inFlight = 4;
/** Calls that are made, and how long at most: on a busy machine a server that is fast still gets warm. */
const warmUp = { calls: 400, ms: 5000 };
const measured = { calls: 600, ms: 8000 };
const streamName = "bench";

/** Measures each shape of request on each server. */
export async function run(report: Report): Promise<void> {
  report.begin(
    "simulator",
    `${inFlight} calls in flight, ${measured.calls} calls or ${measured.ms / 1000} s after ${warmUp.calls} calls or ` +
      `${warmUp.ms / 1000} s of warm-up. CPU-s are the server's own, all threads; per second of wall time client and server ` +
      "share this machine. The ratio compares by server CPU.",
  );
  for (const { records, bytes } of shapes) {
    await compareServers(report, `PutRecords, ${records} x ${bytes} B`, bytes, (client) => {
      const Records = Array.from({ length: records }, (_, index) => ({
        Data: new Uint8Array(bytes).fill(index),
        PartitionKey: `partition-key-${index}`,
      }));
      return Promise.resolve(async () => {
        await client.send(new PutRecordsCommand({ StreamName: streamName, Records }));
        return records;
      });
    });
  }
  await compareServers(report, "GetRecords, 1000 x 1000 B", 1000, async (client) => {
    const Records = Array.from({ length: 500 }, () => ({
      Data: new Uint8Array(1000),
      PartitionKey: "k",
      ExplicitHashKey: "0",
    }));
    for (let call = 0; call < 2; call++) await client.send(new PutRecordsCommand({ StreamName: streamName, Records }));
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: streamName,
        ShardId: "shardId-000000000000",
        ShardIteratorType: "TRIM_HORIZON",
      }),
    );
    return async () => (await client.send(new GetRecordsCommand({ ShardIterator, Limit: 1000 }))).Records?.length ?? 0;
  });
}

/** Makes ready what is measured, and gives the call that is made over and over: it says how many records it moved. */
type Prepare = (client: KinesisClient) => Promise<() => Promise<number>>;

async function compareServers(report: Report, title: string, bytes: number, prepare: Prepare): Promise<void> {
  const results: { readonly name: string; readonly values: Record<string, number>; readonly perCpuSecond: number }[] =
    [];
  for (const { name, start } of contenders) {
    const service = await start();
    try {
      const { records, seconds, cpuSeconds } = await measure(service, prepare);
      const perCpuSecond = records / cpuSeconds;
      results.push({
        name,
        perCpuSecond,
        values: {
          "k records/s": records / seconds / 1e3,
          "MB/s": (records * bytes) / seconds / 1e6,
          "k records/CPU-s": perCpuSecond / 1e3,
          "MB/CPU-s": (perCpuSecond * bytes) / 1e6,
        },
      });
    } finally {
      await service.close();
    }
  }
  const first = results[0]?.perCpuSecond ?? Number.NaN;
  report.add({
    title,
    rows: results.map(({ name, values, perCpuSecond }): Row => ({ name, values, ratio: perCpuSecond / first })),
  });
}

async function measure(service: RunningService, prepare: Prepare) {
  const client = new KinesisClient({
    endpoint: service.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true }) }),
  });
  try {
    await client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: 4 }));
    for (let status; status !== "ACTIVE"; await pause(50)) {
      const { StreamDescriptionSummary } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName: streamName }),
      );
      status = StreamDescriptionSummary?.StreamStatus;
    }
    const call = await prepare(client);
    await callFor(call, warmUp);
    const cpuBefore = cpuSecondsOf(service.pid);
    const { records, seconds } = await callFor(call, measured);
    return { records, seconds, cpuSeconds: cpuSecondsOf(service.pid) - cpuBefore };
  } finally {
    client.destroy();
  }
}

async function callFor(call: () => Promise<number>, { calls, ms }: { readonly calls: number; readonly ms: number }) {
  const start = performance.now();
  let made = 0;
  let records = 0;
  const loop = async () => {
    while (made++ < calls && performance.now() - start < ms) {
      // Not in one step with the await, which would add to what the sum was before it.
      const moved = await call();
      records += moved;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  return { records, seconds: (performance.now() - start) / 1000 };
}

/** User and system time of a process so far. Source: proc(5), /proc/PID/stat; not a number where there is none. */
function cpuSecondsOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}
