export { createEventPublisher, describeError } from "./events.ts";
export type { AnyEvent, EventPublisher } from "./events.ts";
export { cloudWatchMetrics, embeddedMetrics } from "./metrics-upload.ts";
export type { MetricsUploadOptions, UploadedMetrics } from "./metrics-upload.ts";
export type { Metrics, MetricScope, MetricsGranularity, MetricUnit, PutMetricDataInput } from "./metrics.ts";
export { openTelemetryMetrics } from "./opentelemetry-metrics.ts";
export type { MeterPort, OpenTelemetryMetricsOptions } from "./opentelemetry-metrics.ts";
export { prometheusMetrics } from "./prometheus-metrics.ts";
export type { PrometheusMetrics, PrometheusMetricsOptions } from "./prometheus-metrics.ts";
