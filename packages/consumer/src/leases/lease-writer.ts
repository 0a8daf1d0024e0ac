/**
 * Driver. One write of a lease's row by its owner, until it is certain what became of it.
 *
 * Source: kcl.md 1.4 and SPEC S7. After a failed condition or an unknown outcome the row is read consistently, and owner,
 * counter and checkpoint decide whether the write was done, may be tried again, or the lease is lost.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { backoffMs, sleep, type System } from "@millrace/core/runtime";
import type { LeaseLossReason } from "../errors.ts";
import type { ConsumerEvent } from "../events.ts";
import type { KclMetrics } from "../kcl-metrics.ts";
import { callWithin } from "./call-within.ts";
import { parseLease, type Lease } from "./lease.ts";
import type { JointOutcome, LeaseTable } from "./lease-table.ts";
import { settleOwnWrite } from "./settle-own-write.ts";
import type { LeaseWrite } from "./own-writes.ts";
import type { Row, RowUpdate } from "./table-row.ts";

/** What all leases of one worker share. */
export interface LeaseKeeping {
  readonly table: LeaseTable;
  readonly workerId: string;
  readonly system: System;
  readonly failoverTimeMs: number;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly metrics?: KclMetrics | undefined;
}

/** The lease to write, which may learn of its hand-off on the way. */
export interface LeaseSubject {
  readonly current: () => Lease;
  readonly make: (lease: Lease) => LeaseWrite;
  readonly onHandOff: (found: Lease) => void;
  /** How the update is sent, where not alone. Tries that are the same write have the same token. */
  readonly send?: ((update: RowUpdate, token: string, signal: AbortSignal) => Promise<JointOutcome>) | undefined;
}

/** `over` when the lease ended meanwhile by itself. */
export type LeaseWriteOutcome =
  | { readonly result: "done"; readonly after: Lease; readonly startedAt: number }
  | { readonly result: "lost"; readonly reason: LeaseLossReason }
  | { readonly result: "rejected"; readonly error: Error }
  | { readonly result: "over" };

const retryBackoff = { initialMs: 50, maxMs: 1_000 };

/** Longest wait for one call: three fit into the life of a lease. */
export function callLimitMs(keeping: LeaseKeeping): number {
  return Math.max(1, Math.floor(keeping.failoverTimeMs / 3));
}

/** Writes. Goes on for as long as the lease lives: a lease that cannot be written expires, and `signal` aborts. */
export async function writeLease(
  keeping: LeaseKeeping,
  signal: AbortSignal,
  subject: LeaseSubject,
): Promise<LeaseWriteOutcome> {
  const { system, table, workerId } = keeping;
  let token = system.uuid();
  let tried: Lease | undefined;
  for (let attempt = 1; !signal.aborted; attempt++) {
    const before = subject.current();
    const { update, after } = subject.make(before);
    // Another lease means another write: a token must not cover both.
    if (tried !== undefined && tried !== before) token = system.uuid();
    tried = before;
    const startedAt = system.now();
    const outcome = await callWithin(system, callLimitMs(keeping), (limit): Promise<JointOutcome> =>
      subject.send === undefined ? table.update(update, { signal: limit }) : subject.send(update, token, limit),
    );
    if (signal.aborted) break;
    if (outcome.ok) return { result: "done", after, startedAt };
    if (outcome.reason === "rejected") return { result: "rejected", error: outcome.error };
    if (outcome.reason === "throttled" || outcome.reason === "refused") {
      tableFailed(keeping, "write", outcome.error);
      await pause(keeping, attempt, signal);
      continue;
    }
    const oldRow = outcome.reason === "condition-failed" ? outcome.row : undefined;
    const found = oldRow === undefined ? await readBack(keeping, before.leaseKey, signal) : parseLease(oldRow);
    if (signal.aborted) break;
    const settled = settleOwnWrite(workerId, before, after, found);
    if (settled.verdict === "done") return { result: "done", after, startedAt };
    if (settled.verdict === "lost") return { result: "lost", reason: found === undefined ? "deleted" : "taken" };
    if (settled.handOff && found !== undefined && before.checkpointOwner === undefined) subject.onHandOff(found);
    else await pause(keeping, attempt, signal);
  }
  return { result: "over" };
}

/** The row as it is now; waits while the table does not answer, and gives up only with the lease itself. */
async function readBack(keeping: LeaseKeeping, leaseKey: string, signal: AbortSignal): Promise<Lease | undefined> {
  const { system, table } = keeping;
  for (let attempt = 1; !signal.aborted; attempt++) {
    const outcome = await callWithin(system, callLimitMs(keeping), (limit) =>
      table.get(leaseKey, { consistent: true, signal: limit }),
    );
    if (outcome.ok) return leaseIn(outcome.value);
    tableFailed(keeping, "read", outcome.error);
    await pause(keeping, attempt, signal);
  }
  return undefined;
}

function leaseIn(row: Row | undefined): Lease | undefined {
  return row === undefined ? undefined : parseLease(row);
}

async function pause(keeping: LeaseKeeping, attempt: number, signal: AbortSignal): Promise<void> {
  const { system } = keeping;
  // The lease's end is seen by the caller's loop.
  await sleep(system, backoffMs(retryBackoff, attempt, system.random()), { signal }).catch(() => undefined);
}

function tableFailed(keeping: LeaseKeeping, operation: string, error: Error): void {
  keeping.events.publish({ type: "lease-table-failed", operation, error: describeError(error) });
}
