/**
 * Pure. What a leader's round looks like in KCL's metrics.
 *
 * Source: kcl.md 7, operations LeaseAssignmentManager, WorkerMetrics and PeriodicShardSyncManager.
 */
import type { KclMetrics } from "../kcl-metrics.ts";
import { findHole } from "../shards/lease-audit.ts";
import type { FleetRows } from "./fleet.ts";
import type { Lease } from "./lease.ts";
import { isExpired, type CounterObservations } from "./lease-expiry.ts";
import type { AssignmentDecision } from "./placement.ts";
import { isWorkerActive, isWorkerFailing } from "./worker-metrics.ts";

const manager = "LeaseAssignmentManager";

/** The fleet as a scan shows it. */
export function countFleet(metrics: KclMetrics, fleet: FleetRows, scanMs: number, wallNowMs: number): void {
  const active = fleet.workers.filter((worker) => isWorkerActive(worker, wallNowMs));
  metrics.detailed(manager, "LeaseAndWorkerMetricsLoad.Time", "Milliseconds", scanMs);
  metrics.summary(manager, "TotalLeases", "Count", fleet.leases.length);
  metrics.summary(manager, "NumWorkers", "Count", active.length);
  metrics.summary(manager, "NumWorkersWithFailingWorkerMetric", "Count", active.filter(isWorkerFailing).length);
  metrics.summary(manager, "NumWorkersWithInvalidEntry", "Count", fleet.unreadableWorkers);
  metrics.summary(manager, "LeaseDeserializationFailureCount", "Count", fleet.unreadableLeases);
  if (active.length === 0) return;
  const support = Math.min(...active.map((worker) => worker.supportCode));
  metrics.summary("WorkerMetrics", "FleetMinSupportCode", "None", support);
}

/** Leases that nobody renews, before they are given away. */
export function countExpired(
  metrics: KclMetrics,
  leases: readonly Lease[],
  observations: CounterObservations,
  now: number,
  failoverTimeMs: number,
): void {
  const expired = leases.filter((lease) => isExpired(lease, observations, now, failoverTimeMs));
  metrics.summary(manager, "ExpiredLeases", "Count", expired.length);
}

/** What was decided, and how many leases found no worker that may have them. */
export function countDecisions(
  metrics: KclMetrics,
  decisions: readonly AssignmentDecision[],
  waiting: number,
  tookMs: number,
): void {
  const assigned = decisions.filter(({ cause }) => cause !== "balance").length;
  metrics.summary(manager, "LeaseSpillover", "Count", Math.max(0, waiting - assigned));
  metrics.summary(manager, "NumOfLeasesReassignment", "Count", decisions.length);
  metrics.detailed(manager, "AssignExpiredOrUnassignedLeases.Time", "Milliseconds", tookMs);
}

/** The decisions as they were written. */
export function countWritten(metrics: KclMetrics, failed: number, tookMs: number): void {
  metrics.detailed(manager, "FailedAssignmentCount", "Count", failed);
  metrics.step(manager, "ParallelyAssignLeases", failed === 0, tookMs);
}

/** A round as a whole. */
export function countRound(metrics: KclMetrics, isSuccess: boolean, tookMs: number): void {
  metrics.done(manager, isSuccess, tookMs);
}

/** Streams whose leases leave hash keys uncovered, and those that were compared with their shards. */
export function countSync(
  metrics: KclMetrics,
  leasesByStream: readonly (readonly Lease[])[],
  synced: { readonly streams: number; readonly failed: number; readonly tookMs: number },
): void {
  const operation = "PeriodicShardSyncManager";
  const partial = leasesByStream.filter((leases) => leases.length > 0 && findHole(leases) !== undefined).length;
  metrics.summary(operation, "NumStreamsWithPartialLeases", "Count", partial);
  metrics.summary(operation, "NumStreamsToSync", "Count", synced.streams);
  metrics.summary(operation, "NumSkippedShardSyncTask", "Count", leasesByStream.length - synced.streams);
  metrics.done(operation, synced.failed === 0, synced.tookMs);
  if (synced.streams === 0) return;
  metrics.detailed("ShardSyncTask", "SyncShards.Success", "Count", synced.failed === 0 ? 1 : 0);
  metrics.done("ShardSyncTask", synced.failed === 0, synced.tookMs);
}
