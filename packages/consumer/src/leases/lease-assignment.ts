/**
 * Pure. Who gets which lease, decided by the leader from one scan: by count.
 *
 * Source: kcl.md 2.4, LEASE_COUNT_BASED, with ties broken by the number of leases and then by name, and balancing that
 * stops at a difference of one [C8].
 */
import { isShardEnd } from "../checkpoint/checkpoint.ts";
import { actualOwner, type Lease } from "./lease.ts";
import { isExpired, type CounterObservations } from "./lease-expiry.ts";

/** One decision. `hand-off` asks a live owner to drain; `assign` takes effect at once. */
export interface AssignmentDecision {
  readonly type: "assign" | "hand-off";
  readonly lease: Lease;
  readonly receiver: string;
  readonly cause: "unowned" | "expired" | "hand-off-timed-out" | "balance";
}

export interface AssignmentInput {
  readonly leases: readonly Lease[];
  /** Workers that may receive leases. */
  readonly workers: readonly string[];
  readonly observations: CounterObservations;
  readonly now: number;
  readonly failoverTimeMs: number;
  readonly maxLeasesPerWorker: number;
  /** Whether owned leases may be moved to even the counts out. */
  readonly balance: boolean;
  /** True when a pending hand-off of this lease has taken too long. */
  readonly isHandOffOverdue: (lease: Lease) => boolean;
}

/** Decides. Leases that nobody can take stay as they are and come again in the next round. */
export function planAssignment(input: AssignmentInput): readonly AssignmentDecision[] {
  const counts = new Map<string, number>(input.workers.map((worker) => [worker, 0]));
  const decisions: AssignmentDecision[] = [];
  const waiting: { lease: Lease; cause: AssignmentDecision["cause"]; since: number }[] = [];
  const movable: Lease[] = [];
  for (const lease of input.leases) {
    const owner = actualOwner(lease);
    const since = input.observations.get(lease.leaseKey)?.since ?? input.now;
    if (owner === undefined) {
      waiting.push({ lease, cause: "unowned", since });
    } else if (isExpired(lease, input.observations, input.now, input.failoverTimeMs)) {
      waiting.push({ lease, cause: "expired", since });
    } else if (lease.checkpointOwner !== undefined) {
      if (input.isHandOffOverdue(lease)) waiting.push({ lease, cause: "hand-off-timed-out", since });
      // A lease on its way counts for whom it goes to.
      else addTo(counts, lease.leaseOwner ?? owner, 1);
    } else {
      addTo(counts, owner, 1);
      if (!isShardEnd(lease.checkpoint)) movable.push(lease);
    }
  }
  waiting.sort((a, b) => a.since - b.since || compareText(a.lease.leaseKey, b.lease.leaseKey));
  for (const { lease, cause } of waiting) {
    const receiver = leastLoaded(counts, input.workers, input.maxLeasesPerWorker);
    if (receiver === undefined) break;
    addTo(counts, receiver, 1);
    decisions.push({ type: "assign", lease, receiver, cause });
  }
  if (input.balance) decisions.push(...planBalance(input, counts, movable));
  return decisions;
}

/** Moves leases from the most to the least loaded worker until their counts differ by at most one. */
function planBalance(
  input: AssignmentInput,
  counts: Map<string, number>,
  movable: readonly Lease[],
): AssignmentDecision[] {
  const decisions: AssignmentDecision[] = [];
  const byOwner = new Map<string, Lease[]>();
  for (const lease of movable.toSorted((a, b) => compareText(a.leaseKey, b.leaseKey))) {
    const owner = actualOwner(lease) ?? "";
    const owned = byOwner.get(owner);
    if (owned === undefined) byOwner.set(owner, [lease]);
    else owned.push(lease);
  }
  for (;;) {
    const receiver = leastLoaded(counts, input.workers, input.maxLeasesPerWorker);
    if (receiver === undefined) return decisions;
    const donor = mostLoaded(counts, byOwner);
    if (donor === undefined || (counts.get(donor) ?? 0) - (counts.get(receiver) ?? 0) < 2) return decisions;
    const lease = byOwner.get(donor)?.pop();
    if (lease === undefined) return decisions;
    addTo(counts, donor, -1);
    addTo(counts, receiver, 1);
    decisions.push({ type: "hand-off", lease, receiver, cause: "balance" });
  }
}

function addTo(counts: Map<string, number>, worker: string, amount: number): void {
  counts.set(worker, (counts.get(worker) ?? 0) + amount);
}

function leastLoaded(counts: Map<string, number>, workers: readonly string[], max: number): string | undefined {
  let best: string | undefined;
  for (const worker of workers) {
    const count = counts.get(worker) ?? 0;
    if (count >= max) continue;
    const bestCount = best === undefined ? Infinity : (counts.get(best) ?? 0);
    if (count < bestCount || (count === bestCount && best !== undefined && worker < best)) best = worker;
  }
  return best;
}

/** The most loaded worker that has a lease left to give. */
function mostLoaded(counts: Map<string, number>, byOwner: Map<string, Lease[]>): string | undefined {
  let best: string | undefined;
  for (const [worker, leases] of byOwner) {
    if (leases.length === 0) continue;
    const bestCount = best === undefined ? -1 : (counts.get(best) ?? 0);
    const count = counts.get(worker) ?? 0;
    if (count > bestCount || (count === bestCount && best !== undefined && worker < best)) best = worker;
  }
  return best;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
