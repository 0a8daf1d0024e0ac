import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { expect, it } from "vitest";
import type { Metrics } from "./metrics.ts";
import { openTelemetryMetrics } from "./opentelemetry-metrics.ts";
import { prometheusMetrics } from "./prometheus-metrics.ts";

function measureSome(metrics: Metrics): void {
  for (const shardId of ["shard-0", "shard-1"]) {
    const scope = { streamName: "clicks", shardId };
    metrics.record("UserRecordsPut", "Count", 1, scope, 100);
    metrics.record("UserRecordsDataPut", "Bytes", 50, scope);
    metrics.record("RetriesPerRecord", "Count", 2, scope, 3);
    metrics.record("RequestTime", "Milliseconds", 250, scope);
  }
  metrics.record("UserRecordsPending", "Count", 7, { streamName: "clicks" });
  metrics.record("UserRecordsPending", "Count", 5, { streamName: "clicks" });
  metrics.record("ErrorsByCode", "Count", 1, { streamName: "clicks", errorCode: 'a"b\\\n' });
}

it("shows counters, gauges and summaries to Prometheus, in base units", () => {
  const metrics = prometheusMetrics();
  measureSome(metrics);
  expect(metrics.text().split("\n")).toEqual([
    "# TYPE millrace_producer_user_records_put_total counter",
    'millrace_producer_user_records_put_total{stream="clicks"} 200',
    "# TYPE millrace_producer_user_records_data_put_bytes_total counter",
    'millrace_producer_user_records_data_put_bytes_total{stream="clicks"} 100',
    "# TYPE millrace_producer_retries_per_record summary",
    'millrace_producer_retries_per_record_sum{stream="clicks"} 12',
    'millrace_producer_retries_per_record_count{stream="clicks"} 6',
    "# TYPE millrace_producer_request_time_seconds summary",
    'millrace_producer_request_time_seconds_sum{stream="clicks"} 0.5',
    'millrace_producer_request_time_seconds_count{stream="clicks"} 2',
    "# TYPE millrace_producer_user_records_pending gauge",
    'millrace_producer_user_records_pending{stream="clicks"} 5',
    "# TYPE millrace_producer_errors_by_code_total counter",
    'millrace_producer_errors_by_code_total{error="a\\"b\\\\\\n",stream="clicks"} 1',
    "",
  ]);
  const deep = prometheusMetrics({ granularity: "shard", prefix: "mine" });
  measureSome(deep);
  expect(deep.text()).toContain('mine_user_records_put_total{stream="clicks",shard="shard-1"} 100\n');
});

it("shows what a consumer's worker measures by its operation", () => {
  const metrics = prometheusMetrics({ prefix: "app", granularity: "shard" });
  const worker = { operation: "RenewAllLeases", workerId: "w" };
  const shard = { operation: "ProcessTask", shardId: "shard-0" };
  for (const leases of [3, 2]) metrics.record("CurrentLeases", "Count", leases, worker);
  metrics.record("RecordProcessor.processRecords.Time", "Milliseconds", 500, shard);
  metrics.record("CurrentState:3xWorker", "Count", 1, { operation: "Migration" });
  metrics.record("FleetMinSupportCode", "None", 1, { operation: "WorkerMetrics" });
  expect(
    metrics
      .text()
      .split("\n")
      .filter((line) => !line.startsWith("#")),
  ).toEqual([
    'app_current_leases{operation="RenewAllLeases",worker="w"} 2',
    'app_record_processor_process_records_time_seconds_sum{operation="ProcessTask",shard="shard-0"} 0.5',
    'app_record_processor_process_records_time_seconds_count{operation="ProcessTask",shard="shard-0"} 1',
    'app_current_state_3x_worker{operation="Migration"} 1',
    'app_fleet_min_support_code{operation="WorkerMetrics"} 1',
    "",
  ]);
});

it("makes OpenTelemetry instruments, in the real SDK", async () => {
  const reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
  });
  const provider = new MeterProvider({ readers: [reader] });
  measureSome(openTelemetryMetrics({ meter: provider.getMeter("test") }));
  const { resourceMetrics } = await reader.collect();
  await provider.shutdown();
  const found = resourceMetrics.scopeMetrics
    .flatMap((scope) => scope.metrics)
    .map(({ descriptor: { name, unit }, dataPoints }) => {
      const [point, ...others] = dataPoints;
      expect(others).toEqual([]);
      const value = point?.value;
      return [name, unit, point?.attributes, typeof value === "object" ? [value.sum, value.count] : value];
    });
  const stream = { "aws.kinesis.stream_name": "clicks" };
  expect(found).toEqual([
    ["millrace.producer.user_records_put", "1", stream, 200],
    ["millrace.producer.user_records_data_put", "By", stream, 100],
    ["millrace.producer.retries_per_record", "1", stream, [12, 6]],
    ["millrace.producer.request_time", "ms", stream, [500, 2]],
    ["millrace.producer.user_records_pending", "1", stream, 5],
    ["millrace.producer.errors_by_code", "1", { ...stream, "error.type": 'a"b\\\n' }, 1],
  ]);
});

it("refuses options that cannot be", () => {
  expect(() => openTelemetryMetrics({} as never)).toThrow(/meter: expected a Meter/);
  expect(() => prometheusMetrics({ prefix: "9-lives" })).toThrow(/prefix: expected letters/);
  expect(() => prometheusMetrics({ granularity: "host" as never })).toThrow(/granularity: expected/);
});
