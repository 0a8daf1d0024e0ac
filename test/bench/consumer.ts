/**
 * Driver. Reading shards, from the answer of GetRecords to a handler, against the SDK with AWS's library for Node.
 *
 * All ask the same process over HTTP/1.1 with keep-alive for the same answers of 2 MB, check every digest, and look at every
 * user record's payload. The consumer's rows are the whole of it: leases (in memory), pacing, prefetch, batches, checkpoints.
 * The peers are loops without any of that.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Report, Row } from "./support/report.ts";
import { measureFanOut } from "./support/fan-out-latency.ts";
import type { HostileCost } from "./support/hostile-reader.ts";
import type { Shape } from "./support/reading-answer.ts";

const rounds = 3;
const warmUpMs = 3_000;
const roundMs = 2_000;

interface Contender {
  readonly name: string;
  /** As `support/reading-contender.ts` knows it. */
  readonly way: string;
}

interface Measured {
  readonly records: number;
  readonly bytes: number;
  readonly cpuSeconds: number;
}

const ours: readonly Contender[] = [
  { name: "Millrace Consumer, JSON", way: "consumer-json" },
  { name: "Millrace Consumer, JSON, handler takes keys", way: "consumer-json-keys" },
  { name: "Millrace Consumer, CBOR", way: "consumer-cbor" },
  { name: "Millrace decoding alone, JSON", way: "decode-json" },
  { name: "Millrace decoding alone, CBOR", way: "decode-cbor" },
];
const shapes: readonly (Shape & { readonly title: string; readonly peer: Contender })[] = [
  {
    title: "200 B user records in aggregates",
    dataBytes: 200,
    isAggregated: true,
    peer: { name: "SDK GetRecords loop and aws-kinesis-agg", way: "sdk-agg" },
  },
  {
    title: "1 KB user records in aggregates",
    dataBytes: 1_000,
    isAggregated: true,
    peer: { name: "SDK GetRecords loop and aws-kinesis-agg", way: "sdk-agg" },
  },
  {
    title: "1 KB records, plain",
    dataBytes: 1_000,
    isAggregated: false,
    peer: { name: "SDK GetRecords loop", way: "sdk" },
  },
];

/** Measures each shape; CPU is of the reading process alone, the shards' does not count. */
export async function run(report: Report): Promise<void> {
  report.begin(
    "consumer",
    "CPU time (user and system, all threads) of a process per contender, the shards' not counted; median of " +
      `${rounds} interleaved rounds of ${roundMs / 1_000} s after a warm-up of ${warmUpMs / 1_000} s; higher is better.`,
  );
  for (const shape of shapes) await compareReaders(report, shape);
  await measureFanOut(report);
  await measureHostile(report);
}

/** Bounds: 64 MB more memory, 50 ms without a turn of the event loop. */
async function measureHostile(report: Report): Promise<void> {
  const costs: HostileCost[] = [];
  for (let round = 0; round < rounds; round++) {
    const child = fork(new URL("support/hostile-reader.ts", import.meta.url));
    const [cost] = (await once(child, "message")) as [HostileCost];
    costs.push(cost);
  }
  report.add({
    title: "an aggregate of 10 MiB with user records as small as can be: what it takes beyond ordinary ones",
    rows: costs.map((cost, round): Row => ({
      name: `round ${round + 1}`,
      values: {
        "M user records": cost.userRecords / 1e6,
        "MB more (64)": cost.moreMegabytes,
        "ms blocked (50)": cost.longestBlockMs,
      },
    })),
  });
}

async function compareReaders(report: Report, shape: (typeof shapes)[number]): Promise<void> {
  const { dataBytes, isAggregated } = shape;
  const server = fork(new URL("support/shard-server.ts", import.meta.url), [
    JSON.stringify({ dataBytes, isAggregated }),
  ]);
  const children: ChildProcess[] = [server];
  try {
    const [{ port }] = (await once(server, "message")) as [{ port: number }];
    const contenders = [...ours, shape.peer];
    const measured = contenders.map((): Measured[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [place, { way }] of contenders.entries()) {
        // A consumer reads on by itself, so it lives for its own turn only.
        const child = fork(new URL("support/reading-contender.ts", import.meta.url), [way, String(port)]);
        children.push(child);
        await once(child, "message");
        await turn(child, warmUpMs);
        const result = await turn(child, roundMs);
        if (result.records === 0) throw new Error(`${way} read nothing within ${roundMs} ms`);
        measured[place]?.push(result);
        child.disconnect();
        await once(child, "exit");
      }
    }
    const first = rowValue(measured[0]);
    report.add({
      title: shape.title,
      rows: contenders.map(({ name }, place): Row => {
        const value = rowValue(measured[place]);
        return {
          name,
          values: { "M user records/CPU-s": value, "MB/CPU-s": value * dataBytes },
          ratio: value / first,
        };
      }),
    });
  } finally {
    for (const child of children) if (child.connected) child.disconnect();
  }
}

async function turn(child: ChildProcess, forMs: number): Promise<Measured> {
  child.send(forMs);
  const [measured] = (await once(child, "message")) as [Measured];
  return measured;
}

/** Millions of records per CPU-second, the median of the rounds. */
function rowValue(rows: readonly Measured[] = []): number {
  const values = rows.map(({ records, cpuSeconds }) => records / cpuSeconds / 1e6).toSorted((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}
