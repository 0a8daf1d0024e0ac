export type { Attempt, PutResult } from "./attempt.ts";
export {
  BufferFullError,
  ProducerClosedError,
  PutAllError,
  PutError,
  RecordError,
  RecordTooLargeError,
} from "./errors.ts";
export type { PutErrorFields, PutErrorScope } from "./errors.ts";
export type { ProducerEvent } from "./events.ts";
export type { AggregationKey, ProducerOptions } from "./options.ts";
export type { OnSettled } from "./pipeline/records.ts";
export { Producer } from "./producer.ts";
export type { ProducerWiring, WaitOptions } from "./producer.ts";
export type { PutOutcome, RecordSource } from "./put-many.ts";
export type { PutTrace, RequestTrace } from "./tracing.ts";
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
export { ConfigError } from "@millrace/core/options";
export type { UserRecord } from "@millrace/aggregation";
