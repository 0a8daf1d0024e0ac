/**
 * Driver. Enhanced fan-out: how much a core takes, and how late records are at half of that.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { FanOutMeasured } from "./fan-out-reader.ts";
import type { Report, Row } from "./report.ts";

const rounds = 3;
const warmUpMs = 4_000;
const turnMs = 3_000;

/** Bound: 10 ms at the 99th percentile from an event's frame to the handler, at half load. */
export async function measureFanOut(report: Report): Promise<void> {
  const rows: Row[] = [];
  for (let round = 1; round <= rounds; round++) {
    const server = fork(new URL("fan-out-shards.ts", import.meta.url));
    const [{ http1, http2 }] = (await once(server, "message")) as [{ http1: number; http2: number }];
    const reader = fork(new URL("fan-out-reader.ts", import.meta.url), [String(http1), String(http2)]);
    await once(reader, "message");
    await turn(reader, warmUpMs);
    const full = await turn(reader, turnMs);
    server.send(full.events / (turnMs / 1_000) / 2);
    // What was queued at full load is worked off first.
    await turn(reader, warmUpMs);
    const half = await turn(reader, turnMs);
    rows.push(row(`round ${round}, as fast as it goes`, full), row(`round ${round}, at half of that`, half));
    reader.disconnect();
    server.disconnect();
  }
  report.add({ title: "enhanced fan-out: events of 50 KB of 200 B user records over HTTP/2, four shards", rows });
}

function row(name: string, { userRecords, bytes, cpuSeconds, p50Ms, p99Ms }: FanOutMeasured): Row {
  return {
    name,
    values: {
      "M user records/CPU-s": userRecords / cpuSeconds / 1e6,
      "MB/CPU-s": bytes / cpuSeconds / 1e6,
      "MB/s": bytes / turnMs / 1_000,
      "p50 ms": p50Ms,
      "p99 ms (10)": p99Ms,
    },
  };
}

async function turn(reader: ChildProcess, forMs: number): Promise<FanOutMeasured> {
  reader.send(forMs);
  const [measured] = (await once(reader, "message")) as [FanOutMeasured];
  return measured;
}
