/**
 * Pure. How loaded each worker is, by what it reports of itself and by the throughput of its leases.
 *
 * Source: kcl.md 2.4 steps 2, 3 and 6. A worker that reports nothing is measured by its share of the throughput, on a
 * scale on which 100 is a fair share (KCL's default metric). Three things differ from KCL, each of which lets its leader
 * give everything to one worker or two (kcl.md 2.4, tie pathology): without any throughput a share is one of the number
 * of leases, not 0/0; headroom is told in parts of the average, so that a worker without load has the most; and workers
 * whose headroom differs by less than a hundredth are ordered by count.
 */
import type { Lease } from "./lease.ts";
import type { AssignmentInput } from "./placement.ts";
import { smoothedSeries, type WorkerMetrics } from "./worker-metrics.ts";

/** The metric of workers without series; its average is a fair share. */
const share = "share";
const fairShare = 100;

interface MutableLoad {
  readonly workerId: string;
  readonly isSettling: boolean;
  leases: number;
  throughputKBps: number;
  readonly values: Map<string, number>;
  readonly ranges: ReadonlyMap<string, number>;
}

/** One worker's load. Values are percent by metric; `ranges` has the highest sensible value where there is one. */
export type WorkerLoad = Readonly<Omit<MutableLoad, "values">> & { readonly values: ReadonlyMap<string, number> };

/** The loads of a fleet, which change with each lease that is given or moved. */
export class FleetLoads {
  /** A worker's fair share, KB/s; 0 when no lease has delivered anything. */
  readonly fairThroughputKBps: number;
  readonly averages: ReadonlyMap<string, number>;
  readonly #fairLeases: number;
  readonly #averageLeaseKBps: number;
  readonly #loads = new Map<string, MutableLoad>();

  constructor(
    input: Pick<AssignmentInput, "leases" | "workers" | "settling">,
    held: ReadonlyMap<string, readonly Lease[]>,
  ) {
    const known = input.leases.flatMap(({ throughputKBps }) => throughputKBps ?? []);
    this.#averageLeaseKBps = known.length === 0 ? 0 : known.reduce((sum, value) => sum + value, 0) / known.length;
    const workers = Math.max(1, input.workers.length);
    this.fairThroughputKBps = input.leases.reduce((sum, lease) => sum + this.throughputOf(lease), 0) / workers;
    this.#fairLeases = Math.max(1, input.leases.length / workers);
    for (const worker of input.workers) {
      this.#loads.set(worker.workerId, this.#loadOf(worker, held.get(worker.workerId) ?? [], input.settling));
    }
    this.averages = averagesOf(this.all);
  }

  get all(): readonly WorkerLoad[] {
    return [...this.#loads.values()];
  }

  get(workerId: string): WorkerLoad | undefined {
    return this.#loads.get(workerId);
  }

  /** What a lease carries, KB/s; one that has delivered nothing yet is taken for an average one. */
  throughputOf(lease: Lease): number {
    return lease.throughputKBps ?? this.#averageLeaseKBps;
  }

  /** What a lease adds to each metric of its owner. */
  growth(lease: Lease, metric: string): number {
    const average = this.averages.get(metric) ?? 0;
    if (this.fairThroughputKBps === 0) return average / this.#fairLeases;
    return (this.throughputOf(lease) * average) / this.fairThroughputKBps;
  }

  /** Counts a lease for a worker (`sign` 1) or no longer (-1). */
  add(workerId: string, lease: Lease, sign: 1 | -1): void {
    const load = this.#loads.get(workerId);
    if (load === undefined) return;
    load.leases += sign;
    load.throughputKBps += sign * this.throughputOf(lease);
    for (const [metric, value] of load.values) load.values.set(metric, value + sign * this.growth(lease, metric));
  }

  /** Room up to the fleet's average, in parts of it, by the metric that has the least. */
  headroom(load: WorkerLoad, extra?: Lease): number {
    let least = 1;
    for (const [metric, value] of load.values) {
      const average = this.averages.get(metric) ?? 0;
      const after = value + (extra === undefined ? 0 : this.growth(extra, metric));
      if (average > 0) least = Math.min(least, (average - after) / average);
    }
    return least;
  }

  /** True when a metric is past its range, or would be with one more lease. */
  isOverRange(load: WorkerLoad, extra?: Lease): boolean {
    for (const [metric, value] of load.values) {
      const after = value + (extra === undefined ? 0 : this.growth(extra, metric));
      if (after > (load.ranges.get(metric) ?? Infinity)) return true;
    }
    return false;
  }

  /** Negative when `a` should get the next lease rather than `b`. */
  compare(a: WorkerLoad, b: WorkerLoad): number {
    return (
      Number(this.isOverRange(a)) - Number(this.isOverRange(b)) ||
      Math.round(this.headroom(b) * 100) - Math.round(this.headroom(a) * 100) ||
      a.leases - b.leases ||
      (a.workerId < b.workerId ? -1 : 1)
    );
  }

  #loadOf(worker: WorkerMetrics, leases: readonly Lease[], settling: ReadonlySet<string>): MutableLoad {
    const throughputKBps = leases.reduce((sum, lease) => sum + this.throughputOf(lease), 0);
    const values = new Map<string, number>();
    const ranges = new Map<string, number>();
    for (const [metric, series] of Object.entries(worker.series)) {
      const value = smoothedSeries(series);
      if (value === undefined) continue;
      values.set(metric, value);
      ranges.set(metric, worker.operatingRange[metric] ?? 100);
    }
    if (values.size === 0) {
      const part =
        this.fairThroughputKBps === 0 ? leases.length / this.#fairLeases : throughputKBps / this.fairThroughputKBps;
      values.set(share, fairShare * part);
    }
    const { workerId } = worker;
    return { workerId, isSettling: settling.has(workerId), leases: leases.length, throughputKBps, values, ranges };
  }
}

function averagesOf(loads: readonly WorkerLoad[]): ReadonlyMap<string, number> {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { values } of loads) {
    for (const [metric, value] of values) {
      const { sum, count } = sums.get(metric) ?? { sum: 0, count: 0 };
      sums.set(metric, { sum: sum + value, count: count + 1 });
    }
  }
  const averages = new Map([...sums].map(([metric, { sum, count }]) => [metric, sum / count]));
  if (averages.has(share)) averages.set(share, fairShare);
  return averages;
}
