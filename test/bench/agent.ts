/**
 * Driver. `pnpm bench agent`: the agent from files to a destination in memory that stores at once, from files into a
 * stream, and its cost when nothing happens.
 *
 * In memory it is finding, reading, framing, keys, settling and saving that is measured. The stream is a process of its
 * own that answers as fast as it can.
 */
import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Agent, type Destination } from "@millrace/agent";
import { createKinesisClient } from "@millrace/core/aws";
import type { Report, Row } from "./support/report.ts";

const lineBytes = 120;
const fileBytes = 64 * 1_048_576;
/** A shard takes 1 MiB a second, and the producer keeps to it: enough of them to be no bound. */
const streamShards = 64;
const streamBytes = 48 * 1_048_576;
const idleFiles = 10_000;
const idleSeconds = 10;

/** Stores every record at once. */
const sink: Destination = {
  put: () => Promise.resolve(undefined),
  ready: () => Promise.resolve(),
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Adds the agent's tables to the report. */
export async function run(report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-bench-agent-"));
  try {
    await shipLines(report, directory);
    await shipIntoStream(report, directory);
    await stayIdle(report, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function shipLines(report: Report, directory: string): Promise<void> {
  const line = `${"x".repeat(lineBytes - 1)}\n`;
  writeFileSync(join(directory, "big.log"), line.repeat(Math.floor(fileBytes / lineBytes)));
  const seconds: number[] = [];
  for (let round = 0; round < 5; round++) {
    const agent = start(join(directory, "big.log"), join(directory, `positions-${round}.db`));
    const before = process.cpuUsage();
    await agent.drain();
    const { user, system } = process.cpuUsage(before);
    seconds.push((user + system) / 1e6);
  }
  const fastest = Math.min(...seconds);
  const values = { "MB/CPU-s": fileBytes / fastest / 1e6 };
  report.add({ title: `agent: lines of ${lineBytes} B, a promise per line`, rows: [{ name: "millrace", values }] });
}

async function shipIntoStream(report: Report, directory: string): Promise<void> {
  const line = `${"x".repeat(lineBytes - 1)}\n`;
  const filePattern = join(directory, "stream.log");
  writeFileSync(filePattern, line.repeat(Math.floor(streamBytes / lineBytes)));
  const sinkProcess = fork(new URL("support/sink.ts", import.meta.url), [String(streamShards)]);
  const { http1 } = await new Promise<{ http1: number }>((resolve) =>
    sinkProcess.once("message", (ports) => resolve(ports as { http1: number })),
  );
  const client = createKinesisClient({
    endpoint: `http://127.0.0.1:${http1}`,
    region: "us-east-1",
    credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
  });
  try {
    const rows: Row[] = [];
    for (const aggregation of [true, false]) {
      const positionsPath = join(directory, `positions-stream-${aggregation}.db`);
      const flow = { filePattern, kinesisStream: "bench", initialPosition: "START_OF_FILE", aggregation } as const;
      const agent = new Agent({ flows: [flow], positionsPath, client });
      const cpuBefore = process.cpuUsage();
      const startedMs = performance.now();
      agent.start();
      await agent.drain();
      const seconds = (performance.now() - startedMs) / 1_000;
      const { user, system } = process.cpuUsage(cpuBefore);
      await agent.close();
      const cpuSeconds = (user + system) / 1e6;
      rows.push({
        name: aggregation ? "aggregated" : "one Kinesis record for each line",
        values: {
          "MB/s": streamBytes / seconds / 1e6,
          "MB/CPU-s": streamBytes / cpuSeconds / 1e6,
          "% of a core at 20 MB/s": (20 / (streamBytes / cpuSeconds / 1e6)) * 100,
        },
      });
    }
    report.add({ title: `agent: lines of ${lineBytes} B into a stream of ${streamShards} shards`, rows });
  } finally {
    client.destroy();
    sinkProcess.disconnect();
  }
}

async function stayIdle(report: Report, directory: string): Promise<void> {
  mkdirSync(join(directory, "idle"));
  for (let file = 0; file < idleFiles; file++)
    writeFileSync(join(directory, "idle", `${file}.log`), `line of ${file}\n`);
  const agent = start(join(directory, "idle", "*.log"), join(directory, "positions-idle.db"));
  await agent.catchUp();
  await wait(5_000);
  const before = process.cpuUsage();
  await wait(idleSeconds * 1_000);
  const { user, system } = process.cpuUsage(before);
  const values = {
    "% of a core": ((user + system) / 1e6 / idleSeconds) * 100,
    "MB RSS": process.memoryUsage.rss() / 1e6,
  };
  await agent.close();
  report.add({ title: `agent: ${idleFiles} idle files`, rows: [{ name: "millrace", values }] });
}

function start(filePattern: string, positionsPath: string): Agent {
  const flow = { filePattern, kinesisStream: "bench", initialPosition: "START_OF_FILE" } as const;
  const agent = new Agent({ flows: [flow], positionsPath }, { createDestination: () => sink });
  agent.start();
  return agent;
}
