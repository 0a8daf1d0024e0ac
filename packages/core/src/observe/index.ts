export { createEventPublisher, describeError } from "./events.ts";
export type { AnyEvent, EventPublisher } from "./events.ts";
export { cloudWatchMetrics, embeddedMetrics } from "./metrics-upload.ts";
export type { MetricsUploadOptions, UploadedMetrics } from "./metrics-upload.ts";
export type { Metrics, MetricScope, MetricsGranularity, MetricUnit, PutMetricDataInput } from "./metrics.ts";
