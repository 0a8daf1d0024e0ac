export type { Checkpoint } from "./checkpoint/checkpoint.ts";
export { Consumer } from "./consumer.ts";
export type { RunOptions } from "./consumer.ts";
export type { ConsumerWiring } from "./consumer-ports.ts";
export { ConsumerClosedError, ConsumerError, LeaseLostError } from "./errors.ts";
export type { LeaseLossReason } from "./errors.ts";
export type { ConsumerEvent } from "./events.ts";
export type {
  JointOutcome,
  LeaseTable,
  ReadOutcome,
  TableCallOptions,
  TableFailure,
  WriteOutcome,
} from "./leases/lease-table.ts";
export type { Attribute, Condition, Row, RowUpdate } from "./leases/table-row.ts";
export type { ConsumerOptions, FanOutRetrieval, InitialPositionOption, StreamOption } from "./options.ts";
export type { BatchOptions, EachOptions } from "./processing/each-options.ts";
export { deadLetterJson } from "./processing/dead-letter.ts";
export type { DeadLetter, FailedRecord } from "./processing/dead-letter.ts";
export type { ConsumerHealth, ShardHealth } from "./health.ts";
export { deadLetterFile } from "./io/dead-letter-file.ts";
export { deadLetterStream } from "./io/dead-letter-stream.ts";
export type { DeadLetterStreamOptions } from "./io/dead-letter-stream.ts";
export type { DeaggregationOptions } from "./retrieval/deaggregation.ts";
export type { RecordContext } from "./processing/each-ports.ts";
export type { BatchFailure, BatchHandler } from "./processing/per-batch.ts";
export type { RecordHandler } from "./processing/per-record.ts";
export { fromRecordProcessor } from "./processing/record-processor.ts";
export type { ProcessorCheckpointer, RecordProcessor } from "./processing/record-processor.ts";
export type {
  ConsumedRecord,
  EndedBy,
  LeasedShard,
  PendingCheckpoint,
  PreparedCheckpoint,
  RecordBatch,
  ShardHandler,
} from "./record.ts";
export { ConfigError } from "@millrace/core/options";
export { cloudWatchMetrics, embeddedMetrics, openTelemetryMetrics, prometheusMetrics } from "@millrace/core/observe";
export type {
  MeterPort,
  Metrics,
  MetricScope,
  MetricsGranularity,
  MetricsUploadOptions,
  MetricUnit,
  OpenTelemetryMetricsOptions,
  PrometheusMetrics,
  PrometheusMetricsOptions,
  PutMetricDataInput,
  UploadedMetrics,
} from "@millrace/core/observe";
