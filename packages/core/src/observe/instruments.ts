/**
 * Pure. What each metric is to systems that tell counters, gauges and distributions apart, and what it is called there.
 */
import type { MetricScope, MetricsGranularity, MetricUnit } from "./metrics.ts";

/** A counter adds up, a gauge is its last value, a distribution has a value for each sample. */
export type InstrumentKind = "counter" | "gauge" | "distribution";

const gauges = new Set([
  "UserRecordsPending",
  // The KCL's, of its leader and of one worker.
  "TotalLeases",
  "NumWorkers",
  "NumWorkersWithInvalidEntry",
  "NumWorkersWithFailingWorkerMetric",
  "ExpiredLeases",
  "LeaseSpillover",
  "FleetMinSupportCode",
  "NumStreamsWithPartialLeases",
  "ActiveStreams.Count",
  "StreamsPendingDeletion.Count",
  "CurrentLeases",
  "CurrentState:3xWorker",
  "LeaderDecider:IsLeader",
]);
/** Counts of something within something else: their sum tells nothing. */
const distributions = new Set([
  "UserRecordsPerKinesisRecord",
  "KinesisRecordsPerPutRecordsRequest",
  "UserRecordsPerPutRecordsRequest",
  "RetriesPerRecord",
]);

export function instrumentKind(name: string, unit: MetricUnit): InstrumentKind {
  if (gauges.has(name)) return "gauge";
  return unit === "Milliseconds" || distributions.has(name) ? "distribution" : "counter";
}

/** `UserRecordsPut` as `user_records_put`; dots stay. */
export function snakeCase(name: string): string {
  return name
    .replace(/(?<=[a-z0-9])[A-Z]/g, "_$&")
    .replaceAll(":", ".")
    .toLowerCase();
}

/** The parts of a scope down to the granularity, under names of the system's. */
export function labelsOf(
  scope: MetricScope,
  granularity: MetricsGranularity,
  names: Readonly<Record<keyof MetricScope, string>>,
): Record<string, string> {
  const labels: Record<string, string> = {};
  if (scope.errorCode !== undefined) labels[names.errorCode] = scope.errorCode;
  if (scope.operation !== undefined) labels[names.operation] = scope.operation;
  if (granularity === "global") return labels;
  if (scope.workerId !== undefined) labels[names.workerId] = scope.workerId;
  if (scope.streamName !== undefined) labels[names.streamName] = scope.streamName;
  if (granularity === "shard" && scope.shardId !== undefined) labels[names.shardId] = scope.shardId;
  return labels;
}
