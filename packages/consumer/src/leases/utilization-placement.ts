/**
 * Pure. Leases by utilisation: each worker is about as busy as any other.
 *
 * Source: kcl.md 2.4, WORKER_UTILIZATION_AWARE. What differs from KCL keeps leases from moving for ever: a worker is out
 * of balance only when it is away from the average by a share of it and by some points (CPU of 2 against 1 percent is no
 * reason to move anything), leases without throughput do not move for balance, and a lease moves only to a worker that
 * is less loaded with it than its owner was before. Each move so lowers the sum of squared loads, and balancing ends.
 */
import { CountPlacement } from "./count-placement.ts";
import type { Lease } from "./lease.ts";
import { balanceMove, type AssignmentDecision, type AssignmentInput, type Placement } from "./placement.ts";
import { FleetLoads, type WorkerLoad } from "./worker-load.ts";

/** Distance from the average, in points of percent, that is never worth a move. */
const ignoredPoints = 5;

interface Donor {
  readonly load: WorkerLoad;
  readonly amountKBps: number;
}

export class UtilizationPlacement implements Placement {
  readonly #input: AssignmentInput;
  readonly #loads: FleetLoads;
  readonly #held: ReadonlyMap<string, readonly Lease[]>;
  readonly #given: { readonly worker: string; readonly lease: Lease }[] = [];

  constructor(input: AssignmentInput, held: ReadonlyMap<string, readonly Lease[]>) {
    this.#input = input;
    this.#held = held;
    this.#loads = new FleetLoads(input, held);
  }

  receiver(): string | undefined {
    return this.#best(() => true)?.workerId;
  }

  give(worker: string, lease: Lease): void {
    this.#given.push({ worker, lease });
    this.#loads.add(worker, lease, 1);
  }

  balance(movable: ReadonlyMap<string, readonly Lease[]>): AssignmentDecision[] {
    // Without throughput nothing tells leases apart, and their number is all that there is to even out.
    if (this.#loads.fairThroughputKBps === 0) return this.#balanceCounts(movable);
    const decisions: AssignmentDecision[] = [];
    for (const { load, amountKBps } of this.#donors()) {
      decisions.push(...this.#relieve(load, amountKBps, movable.get(load.workerId) ?? []));
    }
    return decisions;
  }

  #balanceCounts(movable: ReadonlyMap<string, readonly Lease[]>): AssignmentDecision[] {
    const counts = new CountPlacement(this.#input, this.#held);
    for (const { worker } of this.#given) counts.give(worker);
    return counts.balance(movable);
  }

  /** Whom to relieve by how much: by the metric for which most is to move. */
  #donors(): readonly Donor[] {
    let chosen: readonly Donor[] = [];
    for (const metric of [...this.#loads.averages.keys()].toSorted()) {
      const donors = this.#donorsBy(metric);
      if (totalOf(donors) > totalOf(chosen)) chosen = donors;
    }
    return chosen.toSorted((a, b) => b.amountKBps - a.amountKBps || (a.load.workerId < b.load.workerId ? -1 : 1));
  }

  #donorsBy(metric: string): readonly Donor[] {
    const average = this.#loads.averages.get(metric) ?? 0;
    const band = Math.max((average * this.#input.rebalanceThresholdPercent) / 100, ignoredPoints);
    const measured = this.#loads.all.filter((load) => load.values.has(metric));
    const valueOf = (load: WorkerLoad): number => load.values.get(metric) ?? 0;
    const isHigh = (load: WorkerLoad): boolean =>
      valueOf(load) > average + band || valueOf(load) > (load.ranges.get(metric) ?? Infinity);
    if (!measured.some((load) => isHigh(load) || valueOf(load) < average - band)) return [];
    let donors = measured.filter(isHigh);
    // Somebody has too little although nobody has far too much: the most loaded gives.
    if (donors.length === 0) donors = measured.toSorted((a, b) => valueOf(b) - valueOf(a)).slice(0, 1);
    return donors.flatMap((load) => {
      const excess = (valueOf(load) - average) / valueOf(load);
      const amountKBps = (load.throughputKBps * excess * this.#input.rebalanceDampeningPercent) / 100;
      return amountKBps > 0 && !load.isSettling ? [{ load, amountKBps }] : [];
    });
  }

  /** Moves leases of one worker that together stay below the amount; or its smallest, where that alone is more. */
  #relieve(donor: WorkerLoad, amountKBps: number, movable: readonly Lease[]): AssignmentDecision[] {
    const throughputOf = (lease: Lease): number => this.#loads.throughputOf(lease);
    // The largest first: the fewest hand-offs.
    const candidates = movable
      .filter((lease) => throughputOf(lease) > 0)
      .toSorted((a, b) => throughputOf(b) - throughputOf(a) || (a.leaseKey < b.leaseKey ? -1 : 1));
    const decisions: AssignmentDecision[] = [];
    let leftKBps = amountKBps;
    for (const lease of candidates) {
      if (throughputOf(lease) >= leftKBps) continue;
      const decision = this.#move(donor, lease);
      if (decision === undefined) continue;
      leftKBps -= throughputOf(lease);
      decisions.push(decision);
    }
    const smallest = candidates.at(-1);
    const overshot = decisions.length > 0 || smallest === undefined ? undefined : this.#move(donor, smallest);
    return overshot === undefined ? decisions : [overshot];
  }

  #move(donor: WorkerLoad, lease: Lease): AssignmentDecision | undefined {
    const before = this.#loads.headroom(donor);
    const receiver = this.#best(
      (load) =>
        load.workerId !== donor.workerId &&
        !load.isSettling &&
        !this.#loads.isOverRange(load, lease) &&
        this.#loads.headroom(load, lease) > before + 1e-9,
    );
    if (receiver === undefined) return undefined;
    this.#loads.add(donor.workerId, lease, -1);
    this.#loads.add(receiver.workerId, lease, 1);
    return balanceMove(lease, receiver.workerId);
  }

  #best(isFit: (load: WorkerLoad) => boolean): WorkerLoad | undefined {
    const { maxLeasesPerWorker, maxThroughputPerWorkerKBps } = this.#input;
    let best: WorkerLoad | undefined;
    for (const load of this.#loads.all) {
      if (load.leases >= maxLeasesPerWorker || load.throughputKBps >= maxThroughputPerWorkerKBps) continue;
      if (isFit(load) && (best === undefined || this.#loads.compare(load, best) < 0)) best = load;
    }
    return best;
  }
}

function totalOf(donors: readonly Donor[]): number {
  return donors.reduce((sum, donor) => sum + donor.amountKBps, 0);
}
