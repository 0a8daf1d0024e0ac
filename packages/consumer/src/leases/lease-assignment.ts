/**
 * Pure. Who gets which lease, decided by the leader from one scan.
 *
 * Source: kcl.md 2.4. Leases without a live owner go first, oldest first; then live ones may move to even the fleet out.
 * Which worker is next, and what is even, is the strategy's: by count, or by utilisation.
 */
import { isShardEnd } from "../checkpoint/checkpoint.ts";
import { CountPlacement } from "./count-placement.ts";
import { actualOwner, type Lease } from "./lease.ts";
import { isExpired } from "./lease-expiry.ts";
import type { AssignmentDecision, AssignmentInput, Placement } from "./placement.ts";
import { UtilizationPlacement } from "./utilization-placement.ts";

interface WaitingLease {
  readonly lease: Lease;
  readonly cause: AssignmentDecision["cause"];
  readonly since: number;
}

interface SortedLeases {
  /** Without a live owner, or in a hand-off that takes too long. */
  readonly waiting: readonly WaitingLease[];
  /** What each worker has, or is on the way to have. */
  readonly held: ReadonlyMap<string, readonly Lease[]>;
  /** What each worker could give away. */
  readonly movable: ReadonlyMap<string, Lease[]>;
}

export interface AssignmentPlan {
  readonly decisions: readonly AssignmentDecision[];
  /** Leases that wait for an owner, assigned by this plan or not. */
  readonly waiting: number;
}

/** Decides. Leases that nobody can take stay as they are and come again in the next round. */
export function planAssignment(input: AssignmentInput): AssignmentPlan {
  const { waiting, held, movable } = sortLeases(input);
  const isByCount = input.strategy === "count";
  const placement: Placement = isByCount ? new CountPlacement(input, held) : new UtilizationPlacement(input, held);
  const decisions: AssignmentDecision[] = [];
  for (const { lease, cause } of waiting) {
    const receiver = placement.receiver();
    if (receiver === undefined) break;
    placement.give(receiver, lease);
    // Who owns it already finds it: a write would only raise the counter, and end the tenure of an owner that was slow.
    // Source: kcl.md 2.4 step 6.
    if (lease.leaseOwner === receiver && lease.checkpointOwner === undefined) continue;
    decisions.push({ type: "assign", lease, receiver, cause });
  }
  if (input.balance) decisions.push(...placement.balance(movable));
  return { decisions, waiting: waiting.length };
}

function sortLeases(input: AssignmentInput): SortedLeases {
  const waiting: WaitingLease[] = [];
  const held = new Map<string, Lease[]>();
  const movable = new Map<string, Lease[]>();
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
      else addTo(held, lease.leaseOwner ?? owner, lease);
    } else {
      addTo(held, owner, lease);
      if (!isShardEnd(lease.checkpoint)) addTo(movable, owner, lease);
    }
  }
  waiting.sort((a, b) => a.since - b.since || (a.lease.leaseKey < b.lease.leaseKey ? -1 : 1));
  return { waiting, held, movable };
}

function addTo(leases: Map<string, Lease[]>, worker: string, lease: Lease): void {
  const present = leases.get(worker);
  if (present === undefined) leases.set(worker, [lease]);
  else present.push(lease);
}
