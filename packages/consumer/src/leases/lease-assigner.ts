/**
 * Driver. Gives leases to workers as the leader: one round of decisions, written one by one.
 *
 * Source: kcl.md 2.4 and 2.5; the decisions are `lease-assignment.ts`.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import PQueue from "p-queue";
import { isShardEnd } from "../checkpoint/checkpoint.ts";
import type { ConsumerEvent } from "../events.ts";
import type { KclMetrics } from "../kcl-metrics.ts";
import { callWithin } from "./call-within.ts";
import { chooseStrategy, eligibleWorkers, type FleetRows, type StrategyOption, type Suspects } from "./fleet.ts";
import { countDecisions, countWritten } from "./leader-metrics.ts";
import { planAssignment } from "./lease-assignment.ts";
import type { CounterObservations } from "./lease-expiry.ts";
import type { LeaderLock } from "./leader-lock.ts";
import { actualOwner, type Lease } from "./lease.ts";
import type { LeaseTable } from "./lease-table.ts";
import { assignment, handOffRequest } from "./lease-writes.ts";
import type { AssignmentDecision, AssignmentLimits } from "./placement.ts";
import { metricsReportMs } from "./worker-metrics.ts";

/** Writes of assignments in flight at a time. */
const assignmentsInFlight = 10;
/** Failover times between two rounds of balancing by utilisation. Source: kcl.md 2.1: every third run of 2 each. */
const balanceEveryFailovers = 6;
/** Until most of a report's moving average was measured after a move. */
const settlingMs = 3 * metricsReportMs;

export interface LeaseAssignerOptions extends AssignmentLimits {
  readonly lock: LeaderLock;
  readonly table: LeaseTable;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly metrics?: KclMetrics | undefined;
  readonly failoverTimeMs: number;
  readonly handOffTimeoutMs: number;
  readonly gracefulHandOff: boolean;
  readonly leaseAssignmentStrategy: StrategyOption;
}

/** What a leader remembers of its rounds. */
export class LeaseAssigner {
  readonly #options: LeaseAssignerOptions;
  readonly #queue = new PQueue({ concurrency: assignmentsInFlight });
  /** Since when this leader has seen a hand-off pending, by lease. */
  #handOffs = new Map<string, { readonly receiver: string | undefined; readonly since: number }>();
  /** Who was first seen with each lease, and the counter then. */
  #owners = new Map<string, { readonly owner: string | undefined; readonly counter: bigint }>();
  #balancedAt = -Infinity;
  /** When a worker with reports of its own last gave or got by balancing. */
  #movedAt = new Map<string, number>();

  constructor(options: LeaseAssignerOptions) {
    this.#options = options;
  }

  /** Another worker leads: what was seen is out of date when this one leads again. */
  forget(): void {
    this.#handOffs = new Map();
    this.#owners = new Map();
    this.#movedAt = new Map();
    this.#balancedAt = -Infinity;
  }

  /** One round. */
  async assign(fleet: FleetRows, observations: CounterObservations, suspects: Suspects, now: number): Promise<void> {
    const { system, failoverTimeMs, leaseAssignmentStrategy, metrics } = this.#options;
    this.#watchHandOffs(fleet.leases, now);
    this.#watchOwners(fleet.leases);
    const workers = eligibleWorkers(fleet, suspects, system.wallNow());
    const strategy = chooseStrategy(leaseAssignmentStrategy, workers);
    const balance = strategy === "count" || now - this.#balancedAt >= balanceEveryFailovers * failoverTimeMs;
    if (balance) this.#balancedAt = now;
    const reporting = new Set(
      workers.flatMap(({ workerId, series }) => (Object.keys(series).length > 0 ? workerId : [])),
    );
    const plannedAt = system.now();
    const { decisions: planned, waiting } = planAssignment({
      ...this.#options,
      strategy,
      leases: fleet.leases.filter((lease) => !isShardEnd(lease.checkpoint)),
      workers,
      settling: this.#settling(reporting, now),
      observations,
      now,
      balance,
      isHandOffOverdue: (lease) => this.#isHandOffOverdue(lease, now),
    });
    const decisions = planned.filter(({ cause, lease }) => cause !== "balance" || this.#isTakenUp(lease));
    // What cannot be asked for yet is planned again in the next round.
    if (decisions.length < planned.length) this.#balancedAt = -Infinity;
    const writingAt = system.now();
    if (metrics !== undefined) countDecisions(metrics, decisions, waiting, writingAt - plannedAt);
    for (const { cause, lease, receiver } of decisions) {
      if (cause !== "balance") continue;
      for (const worker of [receiver, lease.leaseOwner ?? ""]) this.#movedAt.set(worker, now);
    }
    const written = await this.#queue.addAll(decisions.map((decision) => () => this.#carryOut(decision)));
    const failed = written.filter((isWritten) => !isWritten).length;
    if (metrics !== undefined) countWritten(metrics, failed, system.now() - writingAt);
  }

  #settling(reporting: ReadonlySet<string>, now: number): ReadonlySet<string> {
    const settling = new Set<string>();
    for (const [worker, at] of this.#movedAt) {
      if (now - at >= settlingMs) this.#movedAt.delete(worker);
      else if (reporting.has(worker)) settling.add(worker);
    }
    return settling;
  }

  #watchHandOffs(leases: readonly Lease[], now: number): void {
    const pending = new Map<string, { readonly receiver: string | undefined; readonly since: number }>();
    for (const lease of leases) {
      if (lease.checkpointOwner === undefined) continue;
      const known = this.#handOffs.get(lease.leaseKey);
      const same = known !== undefined && known.receiver === lease.leaseOwner;
      pending.set(lease.leaseKey, same ? known : { receiver: lease.leaseOwner, since: now });
    }
    this.#handOffs = pending;
  }

  #watchOwners(leases: readonly Lease[]): void {
    const owners = new Map<string, { readonly owner: string | undefined; readonly counter: bigint }>();
    for (const lease of leases) {
      const owner = actualOwner(lease);
      const known = this.#owners.get(lease.leaseKey);
      const same = known !== undefined && known.owner === owner;
      owners.set(lease.leaseKey, same ? known : { owner, counter: lease.leaseCounter });
    }
    this.#owners = owners;
  }

  /**
   * True once the owner was seen to renew the lease. Asked to hand over a lease that it has not found yet, an owner would
   * not find it any more: the index has it under the receiver, and it would stand still until it expires.
   */
  #isTakenUp(lease: Lease): boolean {
    const known = this.#owners.get(lease.leaseKey);
    return known !== undefined && lease.leaseCounter > known.counter;
  }

  #isHandOffOverdue(lease: Lease, now: number): boolean {
    const { handOffTimeoutMs, failoverTimeMs } = this.#options;
    const pending = this.#handOffs.get(lease.leaseKey);
    return pending !== undefined && now - pending.since > handOffTimeoutMs + failoverTimeMs;
  }

  async #carryOut(decision: AssignmentDecision): Promise<boolean> {
    const { system, table, failoverTimeMs, lock, gracefulHandOff } = this.#options;
    // Decisions of a leader that was paused for long may be as old as the pause.
    if (!lock.isLeader) return false;
    const { lease, receiver, cause } = decision;
    const { leaseKey } = lease;
    const graceful = decision.type === "hand-off" && gracefulHandOff;
    const update = graceful ? handOffRequest(lease, receiver) : assignment(lease, receiver);
    const outcome = await callWithin(system, failoverTimeMs / 3, (signal) => table.update(update, { signal }));
    if (outcome.ok) {
      this.#options.events.publish({ type: "lease-assigned", leaseKey, receiver, cause, graceful });
    } else if (outcome.reason !== "condition-failed") {
      const error = describeError(outcome.error);
      this.#options.events.publish({ type: "lease-table-failed", operation: "assign", error });
    }
    return outcome.ok;
  }
}
