import { expect, test } from "vitest";
import { cloudWatchMetrics, type Metrics, type MetricScope, type PutMetricDataInput } from "./index.ts";
import { Fleet } from "./testing-support/fleet.ts";

interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly scope: MetricScope;
}

/** A port that keeps what it gets. */
function recording(): { readonly metrics: Metrics; readonly all: Measured[] } {
  const all: Measured[] = [];
  return { all, metrics: { record: (name, unit, value, scope) => void all.push({ name, unit, value, scope }) } };
}

/** A worker reads a stream whose shard is split on the way. */
async function runThroughSplit(metrics: Metrics, metricsLevel?: "summary"): Promise<void> {
  const fleet = new Fleet({ shardCount: 1 });
  fleet.start("w", undefined, { metrics, metricsLevel, leaseCleanupIntervalMs: 1_000 });
  await fleet.put(20);
  await fleet.allDelivered();
  fleet.simulator.reshard({ streamName: "clicks", split: "shardId-000000000000" });
  await fleet.event("shard-finished");
  await fleet.put(20);
  await fleet.allDelivered();
  await fleet.put(20);
  await fleet.allDelivered();
  await fleet.close();
}

// Source: kcl.md 7.
const summaries: readonly string[] = [
  "Scheduler:Initialize Initialize.Success Count",
  "LeaseAssignmentManager TotalLeases Count",
  "LeaseAssignmentManager NumWorkers Count",
  "LeaseAssignmentManager ExpiredLeases Count",
  "LeaseAssignmentManager LeaseSpillover Count",
  "LeaseAssignmentManager NumOfLeasesReassignment Count",
  "LeaseAssignmentManager NumWorkersWithInvalidEntry Count",
  "LeaseAssignmentManager NumWorkersWithFailingWorkerMetric Count",
  "LeaseAssignmentManager LeaseDeserializationFailureCount Count",
  "LeaseAssignmentManager Success Count",
  "LeaseAssignmentManager Time Milliseconds",
  "WorkerMetrics FleetMinSupportCode None",
  "WorkerMetricStatsReporter Success Count WorkerIdentifier",
  "WorkerMetricStatsReporter Time Milliseconds WorkerIdentifier",
  "LeaseDiscovery Success Count WorkerIdentifier",
  "LeaseDiscovery Time Milliseconds WorkerIdentifier",
  "RenewAllLeases CurrentLeases Count WorkerIdentifier",
  "RenewAllLeases Success Count WorkerIdentifier",
  "RenewAllLeases Time Milliseconds WorkerIdentifier",
  "ProcessTask RecordsProcessed Count ShardId",
  "ProcessTask DataBytesProcessed Bytes ShardId",
  "ProcessTask MillisBehindLatest Milliseconds ShardId",
  "ProcessTask RecordProcessor.processRecords.Time Milliseconds ShardId",
  "ProcessTask Success Count ShardId",
  "ProcessTask Time Milliseconds ShardId",
  "ApplicationTracker MillisBehindLatest Milliseconds",
  "ShutdownTask Success Count ShardId",
  "ShutdownTask Time Milliseconds ShardId",
  "BlockOnParentShardTask Success Count ShardId",
  "BlockOnParentShardTask Time Milliseconds ShardId",
  "ShardSyncTask Success Count",
  "ShardSyncTask Time Milliseconds",
  "PeriodicShardSyncManager NumStreamsWithPartialLeases Count",
  "PeriodicShardSyncManager NumStreamsToSync Count",
  "PeriodicShardSyncManager NumSkippedShardSyncTask Count",
  "PeriodicShardSyncManager Success Count",
  "PeriodicShardSyncManager Time Milliseconds",
  "Migration CurrentState:3xWorker Count",
  "LeaseTable ReadUnits Count WorkerIdentifier",
  "LeaseTable WriteUnits Count WorkerIdentifier",
];
const details: readonly string[] = [
  "LeaseAssignmentManager FailedAssignmentCount Count",
  "LeaseAssignmentManager LeaseAndWorkerMetricsLoad.Time Milliseconds",
  "LeaseAssignmentManager AssignExpiredOrUnassignedLeases.Time Milliseconds",
  "LeaseAssignmentManager ParallelyAssignLeases.Success Count",
  "LeaseAssignmentManager ParallelyAssignLeases.Time Milliseconds",
  "LeaseDiscovery ListLeaseKeysForWorker.Time Milliseconds WorkerIdentifier",
  "LeaseDiscovery FetchNewLeases.Time Milliseconds WorkerIdentifier",
  "LeaseDiscovery NewLeasesDiscovered Count WorkerIdentifier",
  "LeaseDiscovery OwnerMismatch Count WorkerIdentifier",
  "RenewAllLeases RenewLease.Success Count WorkerIdentifier",
  "RenewAllLeases RenewLease.Time Milliseconds WorkerIdentifier",
  "ProcessTask KinesisDataFetcher.getRecords.Success Count",
  "ProcessTask KinesisDataFetcher.getRecords.Time Milliseconds",
  "ProcessTask KinesisDataFetcher.getShardIterator.Success Count",
  "ProcessTask KinesisDataFetcher.getShardIterator.Time Milliseconds",
  "ProcessTask UpdateLease.Success Count ShardId",
  "ProcessTask UpdateLease.Time Milliseconds ShardId",
  "ShutdownTask CreateLease.Success Count",
  "ShutdownTask CreateLease.Time Milliseconds",
  "ShutdownTask CreateLease_TRIM_HORIZON.Success Count",
  "ShardSyncTask SyncShards.Success Count",
  "ShardSyncTask CreateLease.Success Count",
  "ShardSyncTask CreateLease.Time Milliseconds",
  "ShardSyncTask CreateLease_TRIM_HORIZON.Success Count",
  "LeaderDecider LeaderDecider:IsLeader Count",
];

function nameOf({ name, unit, scope }: Measured): string {
  const dimensions = [
    ...(scope.workerId === undefined ? [] : ["WorkerIdentifier"]),
    ...(scope.streamName === undefined ? [] : ["StreamId"]),
    ...(scope.shardId === undefined ? [] : ["ShardId"]),
  ];
  return [scope.operation, name, unit, ...dimensions].join(" ");
}

test("a worker measures what KCL's does, under its names and dimensions", async () => {
  const { metrics, all } = recording();
  await runThroughSplit(metrics);
  const names = new Set(all.map(nameOf));
  expect([...summaries, ...details].filter((name) => !names.has(name))).toEqual([]);
  // Nothing under a name that a dashboard of KCL does not know, but what the table costs.
  expect([...names].filter((name) => !summaries.includes(name) && !details.includes(name))).toEqual([]);
  const records = all.filter(({ name }) => name === "RecordsProcessed");
  expect(records.reduce((sum, { value }) => sum + value, 0)).toBe(60);
});

test("level summary leaves out KCL's details", async () => {
  const { metrics, all } = recording();
  await runThroughSplit(metrics, "summary");
  const names = new Set(all.map(nameOf));
  expect(summaries.filter((name) => !names.has(name))).toEqual([]);
  expect(details.filter((name) => names.has(name))).toEqual([]);
});

test("CloudWatch gets them by operation, in the namespace of the application", async () => {
  const inputs: PutMetricDataInput[] = [];
  const metrics = cloudWatchMetrics({
    namespace: "clicks-app",
    granularity: "shard",
    send: (input) => Promise.resolve(inputs.push(input)),
  });
  await runThroughSplit(metrics);
  await metrics.close();
  expect(new Set(inputs.map(({ Namespace }) => Namespace))).toEqual(new Set(["clicks-app"]));
  const data = inputs.flatMap(({ MetricData }) => MetricData);
  const parent = data.find(
    ({ MetricName, Dimensions }) =>
      MetricName === "RecordsProcessed" && Dimensions.some(({ Value }) => Value === "shardId-000000000000"),
  );
  expect(parent).toMatchObject({ Dimensions: [{ Name: "Operation", Value: "ProcessTask" }, { Name: "ShardId" }] });
  expect(parent?.StatisticValues.Sum).toBeGreaterThanOrEqual(20);
});

test.each([[{}], ["cloudwatch"]])("refuses %j for metrics", (metrics) => {
  const fleet = new Fleet();
  expect(() => fleet.consumer("w", { metrics: metrics as unknown as Metrics })).toThrow("metrics: expected");
});
