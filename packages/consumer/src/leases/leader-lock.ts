/**
 * Driver. Leads the fleet or watches who does: the `Leader` row, taken, kept and given up.
 *
 * Source: kcl.md 1.6; what to do is decided in `leader.ts`.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import { callWithin } from "./call-within.ts";
import {
  decideLeader,
  leaderConditions,
  leaderHeartbeat,
  leaderKey,
  newLeaderRow,
  parseLeaderRow,
  type LeaderObservation,
} from "./leader.ts";
import type { LeaseTable } from "./lease-table.ts";

export interface LeaderLockOptions {
  readonly table: LeaseTable;
  readonly workerId: string;
  readonly system: System;
  /** Duration of our own leadership without a heartbeat. */
  readonly leaseDurationMs: number;
  readonly callLimitMs: number;
  readonly events: EventPublisher<ConsumerEvent>;
}

/** Heartbeats in one duration. Source: kcl.md 1.6: KCL beats every 30 s of 120. */
const heartbeatsPerDuration = 4;

/** One worker's view of the leadership. */
export class LeaderLock {
  readonly #options: LeaderLockOptions;
  #isLeader = false;
  #leaseDurationMs: number;
  #lastBeatAt = -Infinity;
  /** The version we last wrote, and one whose write has an unknown outcome. */
  #version: string | undefined;
  #attempted: string | undefined;
  #observation: LeaderObservation | undefined;
  #table: LeaseTable;
  #waitingSince: { readonly version: string; readonly at: number } | undefined;

  constructor(options: LeaderLockOptions) {
    this.#options = options;
    this.#leaseDurationMs = options.leaseDurationMs;
    this.#table = options.table;
  }

  /** The row is kept in another table from now on: whoever led by the old one leads no more. */
  moveTo(table: LeaseTable): void {
    this.#resign("the row moved to another table");
    this.#table = table;
    this.#version = undefined;
    this.#attempted = undefined;
    this.#observation = undefined;
  }

  /** True while this worker may decide for the fleet: its last heartbeat is younger than the lease. */
  get isLeader(): boolean {
    return this.#isLeader && this.#options.system.now() - this.#lastBeatAt < this.#leaseDurationMs;
  }

  /** One look at the row: takes it, keeps it, or waits. */
  async step(): Promise<void> {
    const { system, workerId, callLimitMs, leaseDurationMs } = this.#options;
    const table = this.#table;
    const now = system.now();
    if (this.isLeader && now - this.#lastBeatAt < this.#leaseDurationMs / heartbeatsPerDuration) return;
    const found = await callWithin(system, callLimitMs, (signal) => table.get(leaderKey, { consistent: true, signal }));
    if (!found.ok) {
      this.#failed("read leader", found.error);
      return;
    }
    const row = found.value === undefined ? undefined : parseLeaderRow(found.value);
    const mine = row !== undefined && row.ownerName === workerId && this.#attempted === row.recordVersionNumber;
    if (mine) this.#version = this.#attempted;
    const own = { workerId, recordVersionNumber: this.#version };
    const step = decideLeader(row, own, this.#observation, now, leaseDurationMs);
    if (step.action === "wait") {
      this.#resign(`led by ${step.leader.ownerName}`);
      this.#observation = step.observation;
      this.#watch(step.leader.ownerName, step.observation, step.leader.leaseDurationMs);
      return;
    }
    const next = system.uuid();
    this.#attempted = next;
    if (step.action === "take") {
      const leader = { workerId, recordVersionNumber: next, leaseDurationMs: step.leaseDurationMs };
      const outcome = await callWithin(system, callLimitMs, (signal) =>
        table.put(newLeaderRow(table.keyAttribute, leader), step.conditions, { signal }),
      );
      if (outcome.ok) this.#lead(next, now, step.leaseDurationMs);
      else if (outcome.reason !== "condition-failed") this.#failed("take leadership", outcome.error);
      return;
    }
    const beat = leaderHeartbeat(workerId, this.#version ?? "", next, this.#leaseDurationMs);
    const outcome = await callWithin(system, callLimitMs, (signal) => table.update(beat, { signal }));
    if (outcome.ok) this.#lead(next, now, this.#leaseDurationMs);
    else if (outcome.reason === "condition-failed") this.#resign("another worker took over");
    else this.#failed("leader heartbeat", outcome.error);
  }

  /** Gives the leadership up, so that another worker need not wait for its end. */
  async release(reason = "released"): Promise<void> {
    const { system, workerId, callLimitMs } = this.#options;
    const table = this.#table;
    if (this.#version === undefined) return;
    const conditions = leaderConditions(workerId, this.#version);
    this.#resign(reason);
    await callWithin(system, callLimitMs, (signal) => table.delete(leaderKey, conditions, { signal }));
    this.#version = undefined;
  }

  #lead(version: string, at: number, leaseDurationMs: number): void {
    this.#version = version;
    this.#lastBeatAt = at;
    this.#leaseDurationMs = leaseDurationMs;
    this.#observation = undefined;
    this.#waitingSince = undefined;
    if (this.#isLeader) return;
    this.#isLeader = true;
    this.#options.events.publish({ type: "leadership-gained", workerId: this.#options.workerId });
  }

  #resign(reason: string): void {
    if (!this.#isLeader) return;
    this.#isLeader = false;
    this.#options.events.publish({ type: "leadership-lost", workerId: this.#options.workerId, reason });
  }

  /** Tells when a silent leader is still not replaced after twice its lease: somebody keeps it from being taken. */
  #watch(ownerName: string, observation: LeaderObservation, leaseDurationMs: number): void {
    if (this.#waitingSince?.version !== observation.recordVersionNumber) {
      this.#waitingSince = { version: observation.recordVersionNumber, at: observation.since };
      return;
    }
    const waitedMs = this.#options.system.now() - this.#waitingSince.at;
    if (waitedMs > 2 * leaseDurationMs) this.#options.events.publish({ type: "leader-missing", ownerName, waitedMs });
  }

  #failed(operation: string, error: Error): void {
    this.#options.events.publish({ type: "lease-table-failed", operation, error: describeError(error) });
  }
}
