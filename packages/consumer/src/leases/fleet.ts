/**
 * Pure. The fleet as the leader sees it in one scan: leases, workers, and whom not to trust with more.
 */
import { isShardEnd } from "../checkpoint/checkpoint.ts";
import { actualOwner, isLeaseRow, parseLease, type Lease } from "./lease.ts";
import { isExpired, type CounterObservations } from "./lease-expiry.ts";
import type { AssignmentStrategy } from "./placement.ts";
import type { TableLayout } from "./table-layout.ts";
import type { Row } from "./table-row.ts";
import {
  isWorkerActive,
  isWorkerFailing,
  isWorkerRow,
  parseWorkerMetrics,
  type WorkerMetrics,
} from "./worker-metrics.ts";

/** Rows of one or more tables, told apart. */
export interface FleetRows {
  readonly leases: readonly Lease[];
  readonly workers: readonly WorkerMetrics[];
  /** Rows that look like leases or workers and lack what those must have. */
  readonly unreadableLeases: number;
  readonly unreadableWorkers: number;
}

/** Reads leases and workers out of the rows of a table with this key attribute. */
export function readFleet(rows: readonly Row[], keyAttribute: string): FleetRows {
  const leases: Lease[] = [];
  const workers: WorkerMetrics[] = [];
  let unreadableLeases = 0;
  let unreadableWorkers = 0;
  for (const row of rows) {
    if (keyAttribute === "leaseKey" && isLeaseRow(row)) {
      const lease = parseLease(row);
      if (lease === undefined) unreadableLeases++;
      else leases.push(lease);
    } else if (isWorkerRow(row, keyAttribute)) {
      const worker = parseWorkerMetrics(row, keyAttribute);
      if (worker === undefined) unreadableWorkers++;
      else workers.push(worker);
    }
  }
  return { leases, workers, unreadableLeases, unreadableWorkers };
}

/** Workers that let leases expire, with the report that they had made by then. */
export type Suspects = ReadonlyMap<string, number>;

/**
 * The suspects after a scan: a worker whose leases have all expired is dead or paused although its report still looks
 * fresh, for up to 60 s; it gets nothing until it reports again.
 */
export function suspectsAfter(
  before: Suspects,
  fleet: Pick<FleetRows, "leases" | "workers">,
  observations: CounterObservations,
  now: number,
  failoverTimeMs: number,
): Suspects {
  const held = new Map<string, { expired: number; live: number }>();
  for (const lease of fleet.leases) {
    const owner = actualOwner(lease);
    if (owner === undefined || isShardEnd(lease.checkpoint)) continue;
    const counts = held.get(owner) ?? { expired: 0, live: 0 };
    if (isExpired(lease, observations, now, failoverTimeMs)) counts.expired++;
    else counts.live++;
    held.set(owner, counts);
  }
  const suspects = new Map<string, number>();
  for (const worker of fleet.workers) {
    const reported = before.get(worker.workerId);
    if (reported === worker.lastUpdateSeconds) suspects.set(worker.workerId, reported);
    const counts = held.get(worker.workerId);
    if (counts !== undefined && counts.expired > 0 && counts.live === 0) {
      suspects.set(worker.workerId, worker.lastUpdateSeconds);
    }
  }
  return suspects;
}

/**
 * The suspects of a leader that is new: it has not seen who let leases expire. In a fleet that has owners, a worker
 * without any lease and without a report as young as the failover time may have died minutes ago; it proves itself with
 * its next report. Given to the dead, a lease would stand still for a failover time more, and perhaps again.
 */
export function firstSuspects(
  fleet: Pick<FleetRows, "leases" | "workers">,
  leader: string,
  wallNowMs: number,
  failoverTimeMs: number,
): Suspects {
  const owners = new Set(
    fleet.leases.filter((lease) => !isShardEnd(lease.checkpoint)).flatMap((lease) => actualOwner(lease) ?? []),
  );
  if (owners.size === 0) return new Map();
  const isUnproven = (worker: WorkerMetrics): boolean =>
    worker.workerId !== leader &&
    !owners.has(worker.workerId) &&
    wallNowMs - worker.lastUpdateSeconds * 1000 > failoverTimeMs;
  return new Map(fleet.workers.filter(isUnproven).map((worker) => [worker.workerId, worker.lastUpdateSeconds]));
}

/**
 * Workers that may be given leases, in a fixed order. Those whose last measurement failed get none, as with KCL; where
 * it failed for all, a lease with an owner who cannot measure itself is better than one without [C8].
 */
export function eligibleWorkers(
  fleet: Pick<FleetRows, "workers">,
  suspects: Suspects,
  wallNowMs: number,
): readonly WorkerMetrics[] {
  const active = fleet.workers
    .filter((worker) => isWorkerActive(worker, wallNowMs) && !suspects.has(worker.workerId))
    .toSorted((a, b) => (a.workerId < b.workerId ? -1 : 1));
  const measured = active.filter((worker) => !isWorkerFailing(worker));
  return measured.length > 0 ? measured : active;
}

/** What the leader's options ask for. */
export type StrategyOption = AssignmentStrategy | "auto";

/**
 * The strategy of a round. By itself it is KCL's default, by utilisation, as soon as the fleet's rows say that utilisation
 * counts there: a worker reports its own, or is KCL's, so that a Java leader before or after this one goes by it and
 * leases would move with every change of the leader.
 */
export function chooseStrategy(option: StrategyOption, workers: readonly WorkerMetrics[]): AssignmentStrategy {
  if (option !== "auto") return option;
  const isUtilized = workers.some((worker) => worker.process === undefined || Object.keys(worker.series).length > 0);
  return isUtilized ? "utilization" : "count";
}

/**
 * True when a worker of KCL should lead instead of this one: from 3.5 on its leader carries an application of three tables
 * over to one, which ours does not. Without such a worker a fleet with a leader is better than one without, and the
 * migration waits.
 */
export function standsAside(layout: TableLayout, workers: readonly WorkerMetrics[], wallNowMs: number): boolean {
  if (layout === "single") return false;
  return workers.some(
    (worker) => worker.process === undefined && worker.supportCode >= 1 && isWorkerActive(worker, wallNowMs),
  );
}
