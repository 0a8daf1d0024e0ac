/**
 * Pure. An application as its lease table tells it: for operators, who have no worker to ask.
 */
import { formatCheckpoint, isShardEnd } from "../checkpoint/checkpoint.ts";
import { readFleet } from "../leases/fleet.ts";
import { actualOwner, type Lease } from "../leases/lease.ts";
import { leaderKey, parseLeaderRow } from "../leases/leader.ts";
import { textOf, type Row } from "../leases/table-row.ts";
import { isWorkerActive } from "../leases/worker-metrics.ts";

/** One lease. Plain data. */
export interface LeaseReport {
  readonly leaseKey: string;
  readonly shardId: string;
  /** `account:stream:creationEpoch`, in an application that reads several streams. */
  readonly streamIdentifier: string | undefined;
  /** Who reads the shard now; undefined while nobody does. */
  readonly owner: string | undefined;
  /** During a hand-off, who is to have the shard next. */
  readonly nextOwner: string | undefined;
  /** Rises with every renewal, as a decimal number: one that stands still for the failover time is nobody's. */
  readonly leaseCounter: string;
  /** The place up to which the shard is done: `sequenceNumber:subSequenceNumber`, or one of KCL's sentinels. */
  readonly checkpoint: string;
  /** True when the shard is read to its end. */
  readonly isFinished: boolean;
  readonly parentShardIds: readonly string[];
  readonly childShardIds: readonly string[];
  /** Failed attempts on the record after the checkpoint, over the life of all workers; 0 where there are none. */
  readonly failedAttempts: number;
}

/** One worker. Plain data. */
export interface WorkerReport {
  readonly workerId: string;
  /** When it reported last, on its own clock, milliseconds since 1970. */
  readonly lastReportMs: number;
  /** False when that was so long ago that the leader gives it no leases. */
  readonly isActive: boolean;
  readonly leases: number;
}

/** An application at one moment. Plain data. */
export interface ApplicationReport {
  readonly leaseTable: string;
  /** The leader's name, as its row has it; undefined while nobody leads. */
  readonly leader: string | undefined;
  /** Every lease, by key. */
  readonly leases: readonly LeaseReport[];
  readonly workers: readonly WorkerReport[];
}

/** The rows of one table, and what its key is called. */
export interface TableRows {
  readonly rows: readonly Row[];
  readonly keyAttribute: string;
}

/** The report of an application from the rows of all its tables. */
export function reportApplication(
  leaseTable: string,
  tables: readonly TableRows[],
  wallNowMs: number,
): ApplicationReport {
  const fleets = tables.map(({ rows, keyAttribute }) => readFleet(rows, keyAttribute));
  const leases = fleets.flatMap((fleet) => fleet.leases).map(reportLease);
  return {
    leaseTable,
    leader: tables.flatMap(leaderIn).at(0),
    leases: leases.toSorted((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1)),
    workers: fleets
      .flatMap((fleet) => fleet.workers)
      .map((worker) => ({
        workerId: worker.workerId,
        lastReportMs: worker.lastUpdateSeconds * 1000,
        isActive: isWorkerActive(worker, wallNowMs),
        leases: leases.filter(({ owner, isFinished }) => owner === worker.workerId && !isFinished).length,
      }))
      .toSorted((a, b) => (a.workerId < b.workerId ? -1 : 1)),
  };
}

function leaderIn({ rows, keyAttribute }: TableRows): string[] {
  const row = rows.find((candidate) => textOf(candidate, keyAttribute) === leaderKey);
  const leader = row === undefined ? undefined : parseLeaderRow(row);
  return leader === undefined || leader.isReleased ? [] : [leader.ownerName];
}

function reportLease(lease: Lease): LeaseReport {
  return {
    leaseKey: lease.leaseKey,
    shardId: lease.shardId,
    streamIdentifier: lease.streamIdentifier,
    owner: actualOwner(lease),
    nextOwner: lease.checkpointOwner === undefined ? undefined : lease.leaseOwner,
    leaseCounter: lease.leaseCounter.toString(),
    checkpoint: formatCheckpoint(lease.checkpoint),
    isFinished: isShardEnd(lease.checkpoint),
    parentShardIds: lease.parentShardIds,
    childShardIds: lease.childShardIds,
    failedAttempts: lease.attempts?.made ?? 0,
  };
}
