/**
 * Pure. What a strategy of assignment is given, and what it is asked.
 */
import type { Lease } from "./lease.ts";
import type { CounterObservations } from "./lease-expiry.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";

/** How the leader evens the fleet out. */
export type AssignmentStrategy = "utilization" | "count";

/** One decision. `hand-off` asks a live owner to drain; `assign` takes effect at once. */
export interface AssignmentDecision {
  readonly type: "assign" | "hand-off";
  readonly lease: Lease;
  readonly receiver: string;
  readonly cause: "unowned" | "expired" | "hand-off-timed-out" | "balance";
}

/** The bounds of every strategy. */
export interface AssignmentLimits {
  readonly maxLeasesPerWorker: number;
  /** Utilisation only: a worker with this much throughput or more gets nothing. */
  readonly maxThroughputPerWorkerKBps: number;
  /** Utilisation only: distance from the fleet's average, in percent of it, up to which a worker is left alone. */
  readonly rebalanceThresholdPercent: number;
  /** Utilisation only: share of a worker's excess that moves at a time. */
  readonly rebalanceDampeningPercent: number;
}

export interface AssignmentInput extends AssignmentLimits {
  readonly strategy: AssignmentStrategy;
  readonly leases: readonly Lease[];
  /** Workers that may receive leases. */
  readonly workers: readonly WorkerMetrics[];
  /** Workers whose reports do not show yet what the last moves did: they neither give nor get by balancing. */
  readonly settling: ReadonlySet<string>;
  readonly observations: CounterObservations;
  readonly now: number;
  readonly failoverTimeMs: number;
  /** Whether owned leases may be moved to even the fleet out. */
  readonly balance: boolean;
  /** True when a pending hand-off of this lease has taken too long. */
  readonly isHandOffOverdue: (lease: Lease) => boolean;
}

/** The state of one round of decisions. */
export interface Placement {
  /** The worker that the next lease should go to; undefined where none may have more. */
  receiver(): string | undefined;
  /** Counts a lease for its new owner. */
  give(worker: string, lease: Lease): void;
  /** Moves of live leases that even the fleet out. */
  balance(movable: ReadonlyMap<string, readonly Lease[]>): AssignmentDecision[];
}

/** The move of a live lease. */
export function balanceMove(lease: Lease, receiver: string): AssignmentDecision {
  return { type: "hand-off", lease, receiver, cause: "balance" };
}
