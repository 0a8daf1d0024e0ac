/**
 * Driver. What it costs to store records: Millrace against AWS's library for Node with the SDK, and the SDK alone.
 *
 * One sink in a process of its own answers everybody; each contender has a process of its own too. Millrace gives a
 * promise per record and awaits each; the others give none.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Report, Row } from "./support/report.ts";
import type { Sink } from "./support/put-contenders.ts";
import type { Latencies } from "./support/put-latency.ts";
import type { Round } from "./support/put-process.ts";

const rounds = 5;

const aggregated = ["Millrace, JSON", "Millrace, CBOR", "Millrace, CBOR, offer", "aws-kinesis-agg + SDK, keep-alive"];
const plain = ["Millrace, JSON, plain", "Millrace, CBOR, plain", "SDK, keep-alive", "SDK, default"];

const shapes = [
  { name: "100 B", dataBytes: 100, distinct: 20_000, times: 20, plainTimes: 8 },
  { name: "200 B", dataBytes: 200, distinct: 20_000, times: 20, plainTimes: 8 },
  { name: "1 KB", dataBytes: 1_000, distinct: 10_000, times: 10, plainTimes: 8 },
  { name: "50 KB", dataBytes: 50_000, distinct: 400, times: 10, plainTimes: 10 },
];
type Shape = (typeof shapes)[number];

/** Measures each size; CPU is of the contender's process alone, the sink's does not count. */
export async function run(report: Report): Promise<void> {
  report.begin(
    "producer",
    `CPU-seconds (user and system, all threads, without the sink) per million records; median of ${rounds} rounds in turn, ` +
      "after a warm-up of the same length; lower is better. The ratio is CPU against the first row: above 1 is dearer.",
  );
  const child = fork(new URL("support/sink.ts", import.meta.url));
  try {
    const [sink] = (await once(child, "message")) as [Sink];
    for (const shape of shapes) {
      await compare(report, `${shape.name}, aggregated`, sink, shape, shape.times, aggregated);
      await compare(report, `${shape.name}, plain records, 500 a request`, sink, shape, shape.plainTimes, plain);
    }
    await measureLatency(report, sink);
  } finally {
    child.disconnect();
  }
}

/** The default linger, which latency is measured against. */
const lingerMs = 100;
const latencySeconds = 10;

async function measureLatency(report: Report, sink: Sink): Promise<void> {
  const rows: Row[] = [];
  for (const perSecond of [1_000, 20_000, 50_000]) {
    const args = [sink.http1, perSecond, latencySeconds].map(String);
    const [taken] = (await once(fork(new URL("support/put-latency.ts", import.meta.url), args), "message")) as [
      Latencies,
    ];
    const values = { "p50 ms": taken.p50Ms, "p99 ms": taken.p99Ms, "p99 past linger, ms": taken.p99Ms - lingerMs };
    rows.push({ name: `${perSecond} puts a second`, values });
  }
  report.add({ title: `200 B, aggregated, JSON: how long a put takes with a linger of ${lingerMs} ms`, rows });
}

async function compare(
  report: Report,
  title: string,
  sink: Sink,
  { dataBytes, distinct }: Shape,
  times: number,
  names: readonly string[],
): Promise<void> {
  const millions = (distinct * times) / 1e6;
  const processes = names.map((name) =>
    fork(new URL("support/put-process.ts", import.meta.url), [
      name,
      ...[sink.http1, sink.http2, dataBytes, distinct, times].map(String),
    ]),
  );
  const taken = names.map((): Round[] => []);
  try {
    for (let round = 0; round <= rounds; round++) {
      for (let turn = 0; turn < processes.length; turn++) {
        const place = (round + turn) % processes.length;
        const result = await roundOf(processes[place]);
        if (round > 0) taken[place]?.push(result);
      }
    }
  } finally {
    for (const contender of processes) if (contender.connected) contender.disconnect();
  }
  const cpu = taken.map((results) => median(results.map(({ cpuSeconds }) => cpuSeconds / millions)));
  const rows = names.map((name, place): Row => {
    const perSecond = median((taken[place] ?? []).map(({ wallSeconds }) => (millions * 1e3) / wallSeconds));
    const cpuPerMillion = cpu[place] ?? Number.NaN;
    return {
      name,
      values: { "CPU-s/M records": cpuPerMillion, "k records/s": perSecond },
      ratio: cpuPerMillion / (cpu[0] ?? Number.NaN),
    };
  });
  report.add({ title, rows });
}

async function roundOf(contender: ChildProcess | undefined): Promise<Round> {
  if (contender === undefined) throw new Error("no such process");
  const answered = once(contender, "message");
  const died = once(contender, "exit").then(([code]) => {
    throw new Error(`a contender ended with ${code} in the middle of a round`);
  });
  contender.send("round");
  const [round] = (await Promise.race([answered, died])) as [Round];
  return round;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
