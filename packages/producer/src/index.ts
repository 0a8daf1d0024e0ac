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
export { Producer } from "./producer.ts";
export type { ProducerWiring, WaitOptions } from "./producer.ts";
export type { PutOutcome, RecordSource } from "./put-many.ts";
export { cloudWatchMetrics, embeddedMetrics } from "@millrace/core/observe";
export type {
  Metrics,
  MetricScope,
  MetricsGranularity,
  MetricsUploadOptions,
  MetricUnit,
  PutMetricDataInput,
  UploadedMetrics,
} from "@millrace/core/observe";
export { ConfigError } from "@millrace/core/options";
export type { UserRecord } from "@millrace/aggregation";
