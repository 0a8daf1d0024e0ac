/**
 * Pure. The leader's row: who may take it, and when.
 *
 * Source: kcl.md 1.6 (KCL's DynamoDB lock). Whether a leader is gone is judged by our own observation of
 * `recordVersionNumber` on our own clock: it is replaced on every heartbeat, so a number that stays for longer than the
 * row's own lease duration means that nobody is there. KCL's own library can wait for ever here (kcl.md 9.2, 10).
 */
import { textOf, type Condition, type Row, type RowUpdate } from "./table-row.ts";

export const leaderKey = "Leader";

/** The leader's row as read. */
export interface LeaderRow {
  readonly ownerName: string;
  readonly leaseDurationMs: number;
  readonly recordVersionNumber: string;
  readonly isReleased: boolean;
}

/** A version of the row, and since when this process has seen it. */
export interface LeaderObservation {
  readonly recordVersionNumber: string;
  readonly since: number;
}

/** The leader in a row; undefined when the row has no leader's attributes. */
export function parseLeaderRow(row: Row): LeaderRow | undefined {
  const ownerName = textOf(row, "ownerName");
  const recordVersionNumber = textOf(row, "recordVersionNumber");
  const duration = textOf(row, "leaseDuration");
  if (ownerName === undefined || recordVersionNumber === undefined) return undefined;
  const leaseDurationMs = Number(duration);
  return {
    ownerName,
    recordVersionNumber,
    leaseDurationMs: duration !== undefined && Number.isFinite(leaseDurationMs) ? leaseDurationMs : 120_000,
    isReleased: textOf(row, "isReleased") === "1",
  };
}

/** What to do about the leader's row. */
export type LeaderStep =
  | { readonly action: "take"; readonly conditions: readonly Condition[]; readonly leaseDurationMs: number }
  | { readonly action: "keep" }
  | { readonly action: "wait"; readonly observation: LeaderObservation; readonly leader: LeaderRow };

/**
 * Decides about the row that a consistent read found.
 * @param own the version that this worker last wrote, when it believes to lead.
 * @param ownDurationMs the duration we ask for; a longer one of a Java fleet is kept.
 */
export function decideLeader(
  found: LeaderRow | undefined,
  own: { readonly workerId: string; readonly recordVersionNumber: string | undefined },
  observation: LeaderObservation | undefined,
  now: number,
  ownDurationMs: number,
): LeaderStep {
  if (found === undefined) {
    return { action: "take", conditions: [{ attribute: "ownerName", is: "absent" }], leaseDurationMs: ownDurationMs };
  }
  const asSeen: Condition = {
    attribute: "recordVersionNumber",
    is: "equal",
    value: { S: found.recordVersionNumber },
  };
  const leaseDurationMs = Math.max(found.leaseDurationMs, ownDurationMs);
  if (found.isReleased) {
    return {
      action: "take",
      conditions: [asSeen, { attribute: "isReleased", is: "equal", value: { S: "1" } }],
      leaseDurationMs,
    };
  }
  if (found.ownerName === own.workerId && found.recordVersionNumber === own.recordVersionNumber) {
    return { action: "keep" };
  }
  const same = observation?.recordVersionNumber === found.recordVersionNumber;
  const seen = same ? observation : { recordVersionNumber: found.recordVersionNumber, since: now };
  if (now - seen.since > found.leaseDurationMs) return { action: "take", conditions: [asSeen], leaseDurationMs };
  return { action: "wait", observation: seen, leader: found };
}

/** The whole row of a new leader. */
export function newLeaderRow(
  keyAttribute: string,
  leader: { readonly workerId: string; readonly recordVersionNumber: string; readonly leaseDurationMs: number },
): Row {
  return {
    [keyAttribute]: { S: leaderKey },
    entityType: { S: "LEADER" },
    ownerName: { S: leader.workerId },
    leaseDuration: { S: String(leader.leaseDurationMs) },
    recordVersionNumber: { S: leader.recordVersionNumber },
  };
}

/** Still ours, as we last wrote it. */
export function leaderConditions(workerId: string, recordVersionNumber: string): readonly Condition[] {
  return [
    { attribute: "recordVersionNumber", is: "equal", value: { S: recordVersionNumber } },
    { attribute: "ownerName", is: "equal", value: { S: workerId } },
  ];
}

/** The heartbeat: a new version number. */
export function leaderHeartbeat(
  workerId: string,
  recordVersionNumber: string,
  next: string,
  leaseDurationMs: number,
): RowUpdate {
  return {
    key: leaderKey,
    conditions: leaderConditions(workerId, recordVersionNumber),
    set: { recordVersionNumber: { S: next }, leaseDuration: { S: String(leaseDurationMs) } },
  };
}
