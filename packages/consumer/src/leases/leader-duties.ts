/**
 * Driver. What the leader does for the fleet: sees who is alive, creates missing leases, gives leases to workers.
 *
 * Source: kcl.md 2.4 and 3. Only the leader scans the table. A round is a quarter of the failover time, so that a dead
 * worker's leases move within 1.5 failover times (5b.5).
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { KinesisPort } from "@millrace/core/kinesis";
import { SerialLoop, type System } from "@millrace/core/runtime";
import PQueue from "p-queue";
import { isShardEnd } from "../checkpoint/checkpoint.ts";
import { ConsumerError } from "../errors.ts";
import type { ConsumerEvent } from "../events.ts";
import { createMissingLeases } from "../shards/lease-creation.ts";
import type { ConsumedStream } from "../shards/consumed-stream.ts";
import { callWithin } from "./call-within.ts";
import { eligibleWorkers, readFleet, suspectsAfter, type FleetRows, type Suspects } from "./fleet.ts";
import { planAssignment, type AssignmentDecision } from "./lease-assignment.ts";
import { observeCounters, type CounterObservations } from "./lease-expiry.ts";
import type { LeaderLock } from "./leader-lock.ts";
import type { Lease } from "./lease.ts";
import type { LeaseTable } from "./lease-table.ts";
import { assignment, handOffRequest } from "./lease-writes.ts";

/** Writes of assignments in flight at a time. */
const assignmentsInFlight = 10;

export interface LeaderDutiesOptions {
  readonly lock: LeaderLock;
  readonly table: LeaseTable;
  readonly kinesis: KinesisPort;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly streams: readonly ConsumedStream[];
  readonly failoverTimeMs: number;
  readonly handOffTimeoutMs: number;
  readonly gracefulHandOff: boolean;
  readonly shardSyncIntervalMs: number;
  readonly maxLeasesPerWorker: number;
  readonly onCrash: (error: unknown) => void;
}

/** One worker's part in leading, whether it leads or not. */
export class LeaderDuties {
  readonly #options: LeaderDutiesOptions;
  readonly #queue = new PQueue({ concurrency: assignmentsInFlight });
  #loop: SerialLoop | undefined;
  #observations: CounterObservations = new Map();
  #suspects: Suspects = new Map();
  /** Since when this leader has seen a hand-off pending, by lease. */
  #handOffs = new Map<string, { readonly receiver: string | undefined; readonly since: number }>();
  /** When each stream's shards were last compared with its leases. */
  #syncedAt = new Map<string, number>();

  constructor(options: LeaderDutiesOptions) {
    this.#options = options;
  }

  start(): void {
    const { system, onCrash } = this.#options;
    this.#loop = new SerialLoop({ system, onCrash, step: (signal) => this.#step(signal) });
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  async #step(signal: AbortSignal): Promise<number> {
    const { lock, failoverTimeMs } = this.#options;
    await lock.step();
    if (lock.isLeader && !signal.aborted) {
      if (await this.#lead(signal)) return 0;
    } else if (!lock.isLeader) {
      this.#forget();
    }
    return failoverTimeMs / 4;
  }

  #forget(): void {
    this.#observations = new Map();
    this.#suspects = new Map();
    this.#handOffs = new Map();
    this.#syncedAt = new Map();
  }

  /** One round; true when another should follow at once. */
  async #lead(signal: AbortSignal): Promise<boolean> {
    const { system, table, failoverTimeMs, lock } = this.#options;
    const startedAt = system.now();
    const rows = await callWithin(system, failoverTimeMs, () => table.scan({ signal }));
    if (!rows.ok) {
      this.#events.publish({ type: "lease-table-failed", operation: "scan", error: describeError(rows.error) });
      return false;
    }
    const fleet = readFleet(rows.value, table.keyAttribute);
    this.#observations = observeCounters(this.#observations, fleet.leases, system.now());
    this.#suspects = suspectsAfter(this.#suspects, fleet, this.#observations, startedAt, failoverTimeMs);
    const created = await this.#syncShards(fleet.leases, signal);
    if (!lock.isLeader || signal.aborted) return false;
    await this.#assign(fleet, startedAt);
    return created > 0;
  }

  get #events(): EventPublisher<ConsumerEvent> {
    return this.#options.events;
  }

  /** Creates missing leases: at once for a stream without any, else when the last comparison is old. */
  async #syncShards(leases: readonly Lease[], signal: AbortSignal): Promise<number> {
    const { system, streams, shardSyncIntervalMs } = this.#options;
    let created = 0;
    for (const stream of streams) {
      const own = leases.filter((lease) => lease.streamIdentifier === stream.streamIdentifier);
      const syncedAt = this.#syncedAt.get(stream.leaseKeyPrefix) ?? -Infinity;
      if (own.length > 0 && system.now() - syncedAt < shardSyncIntervalMs) continue;
      const outcome = await createMissingLeases(this.#options, stream, own, signal);
      if (outcome.ok) {
        this.#syncedAt.set(stream.leaseKeyPrefix, system.now());
        created += outcome.created;
      } else if (outcome.error.kind === "permanent" && own.length === 0) {
        throw new ConsumerError(
          "ERR_STREAM_UNUSABLE",
          `cannot list the shards of ${stream.streamName}: ${describeError(outcome.error)}`,
          outcome.error,
        );
      }
    }
    return created;
  }

  async #assign(fleet: FleetRows, now: number): Promise<void> {
    const { system, failoverTimeMs, maxLeasesPerWorker } = this.#options;
    this.#watchHandOffs(fleet.leases, now);
    const workers = eligibleWorkers(fleet, this.#suspects, system.wallNow()).map((worker) => worker.workerId);
    const decisions = planAssignment({
      leases: fleet.leases.filter((lease) => !isShardEnd(lease.checkpoint)),
      workers,
      observations: this.#observations,
      now,
      failoverTimeMs,
      maxLeasesPerWorker,
      balance: true,
      isHandOffOverdue: (lease) => this.#isHandOffOverdue(lease, now),
    });
    await this.#queue.addAll(decisions.map((decision) => () => this.#carryOut(decision)));
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

  #isHandOffOverdue(lease: Lease, now: number): boolean {
    const { handOffTimeoutMs, failoverTimeMs } = this.#options;
    const pending = this.#handOffs.get(lease.leaseKey);
    return pending !== undefined && now - pending.since > handOffTimeoutMs + failoverTimeMs;
  }

  async #carryOut(decision: AssignmentDecision): Promise<void> {
    const { system, table, failoverTimeMs, lock, gracefulHandOff } = this.#options;
    // Decisions of a leader that was paused for long may be as old as the pause.
    if (!lock.isLeader) return;
    const { lease, receiver } = decision;
    const graceful = decision.type === "hand-off" && gracefulHandOff;
    const update = graceful ? handOffRequest(lease, receiver) : assignment(lease, receiver);
    const outcome = await callWithin(system, failoverTimeMs / 3, (signal) => table.update(update, { signal }));
    if (outcome.ok) {
      this.#events.publish({
        type: "lease-assigned",
        leaseKey: lease.leaseKey,
        receiver,
        cause: decision.cause,
        graceful,
      });
    } else if (outcome.reason !== "condition-failed") {
      this.#events.publish({ type: "lease-table-failed", operation: "assign", error: describeError(outcome.error) });
    }
  }
}
