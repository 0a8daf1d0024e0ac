/**
 * Driver. Measures contenders against each other in one run: turn by turn, in CPU time.
 *
 * CPU time of the whole process (user and system, all threads) and not wall time: other processes of the machine then cost
 * less of the truth, and garbage collection on another core still counts. The contenders take turns in rounds, each round
 * beginning with another one, so that a machine that slows down slows all of them.
 */
import type { Report, Row } from "./report.ts";

export interface Contender {
  readonly name: string;
  /** Does all operations once. */
  run(): void | Promise<void>;
}

export interface Comparison {
  readonly title: string;
  /** What one operation is, in the plural: "records". */
  readonly what: string;
  /** How many operations one `run` does. */
  readonly operations: number;
  /** Payload bytes of one `run`, where throughput in bytes says something. */
  readonly bytes?: number;
  /** The first is ours; the others are compared with it. */
  readonly contenders: readonly Contender[];
  /** @default 9 */
  readonly rounds?: number;
}

/** How `compare` measures, for a report. */
export const comparisonMethod =
  "CPU time of the process (all threads), median of interleaved rounds after two warm-up rounds; higher is better; " +
  "a ratio below 1 means slower than the first row.";

/** Runs the contenders in turns and adds a table of medians to the report. */
export async function compare(report: Report, comparison: Comparison): Promise<void> {
  const { title, what, operations, bytes, contenders, rounds = 9 } = comparison;
  const seconds = contenders.map((): number[] => []);
  const warmUps = 2;
  for (let round = 0; round < warmUps + rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const place = (round + turn) % contenders.length;
      const spent = await cpuSecondsOf(contenders[place]);
      if (round >= warmUps) seconds[place]?.push(spent);
    }
  }
  const medians = seconds.map(median);
  const rows = contenders.map(({ name }, place): Row => {
    const spent = medians[place] ?? Number.NaN;
    const values: Record<string, number> = { [`M ${what}/CPU-s`]: operations / spent / 1e6 };
    if (bytes !== undefined) values["MB/CPU-s"] = bytes / spent / 1e6;
    return { name, values, ratio: (medians[0] ?? Number.NaN) / spent };
  });
  report.add({ title, rows });
}

async function cpuSecondsOf(contender: Contender | undefined): Promise<number> {
  const before = process.cpuUsage();
  await contender?.run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
