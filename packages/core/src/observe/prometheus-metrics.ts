/**
 * Pure. The metrics port as a page for Prometheus to scrape.
 *
 *     # TYPE name counter|gauge|summary
 *     name { label = "value" , ... } value
 *
 * Source: Prometheus text exposition format 0.0.4, and its naming practices (base units, `_total`); read 2026-11-22.
 */
import { choiceOption, ConfigError } from "../options/config-error.ts";
import { instrumentKind, labelsOf, snakeCase, type InstrumentKind } from "./instruments.ts";
import type { Metrics, MetricsGranularity, MetricUnit } from "./metrics.ts";

/** How metrics are shown to Prometheus. */
export interface PrometheusMetricsOptions {
  /** Stands before each name: letters, digits and `_`. @default "millrace_producer" */
  readonly prefix?: string | undefined;
  /** How deep the labels go: each shard multiplies the series. @default "stream" */
  readonly granularity?: MetricsGranularity | undefined;
}

/** Metrics since the process began, for Prometheus to scrape. */
export interface PrometheusMetrics extends Metrics {
  /** The `Content-Type` of `text()`. */
  readonly contentType: string;
  /** Every series as it is now. May stand behind the text of another registry, such as prom-client's. */
  text(): string;
}

interface Family {
  readonly name: string;
  readonly kind: InstrumentKind;
  /** What a value is multiplied by to be in the base unit. */
  readonly scale: number;
  readonly series: Map<string, Series>;
}

interface Series {
  sum: number;
  samples: number;
}

const labelNames = {
  errorCode: "error",
  streamName: "stream",
  shardId: "shard",
  operation: "operation",
  workerId: "worker",
};
const typeNames: Readonly<Record<InstrumentKind, string>> = {
  counter: "counter",
  gauge: "gauge",
  distribution: "summary",
};

/**
 * Metrics as Prometheus reads them: `UserRecordsPut` becomes `millrace_producer_user_records_put_total{stream="clicks"}`,
 * `RequestTime` the summary `millrace_producer_request_time_seconds` with its sum and count.
 *
 *     const metrics = prometheusMetrics();
 *     response.setHeader("content-type", metrics.contentType).end(metrics.text());
 *
 * @throws {ConfigError} for an option that cannot be.
 */
export function prometheusMetrics(options: PrometheusMetricsOptions = {}): PrometheusMetrics {
  const prefix = options.prefix ?? "millrace_producer";
  if (typeof prefix !== "string" || !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(prefix)) {
    throw new ConfigError({
      path: "prefix",
      got: prefix,
      expected: "letters, digits and _, not beginning with a digit",
    });
  }
  const granularity = choiceOption("granularity", options.granularity, ["global", "stream", "shard"], "stream");
  const families = new Map<string, Family>();
  return {
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    record(name, unit, value, scope, samples = 1) {
      let family = families.get(name);
      if (family === undefined) {
        family = createFamily(prefix, name, unit);
        families.set(name, family);
      }
      const labels = labelText(labelsOf(scope, granularity, labelNames));
      const series = family.series.get(labels);
      const sum = value * family.scale * (family.kind === "gauge" ? 1 : samples);
      if (series === undefined) {
        family.series.set(labels, { sum, samples });
      } else {
        series.sum = family.kind === "gauge" ? sum : series.sum + sum;
        series.samples += samples;
      }
    },
    text: () => [...families.values()].flatMap(linesOf).join(""),
  };
}

function createFamily(prefix: string, name: string, unit: MetricUnit): Family {
  const kind = instrumentKind(name, unit);
  const unitSuffix = unit === "Milliseconds" ? "_seconds" : unit === "Bytes" ? "_bytes" : "";
  const suffix = kind === "counter" ? "_total" : "";
  return {
    name: `${prefix}_${snakeCase(name).replaceAll(".", "_")}${unitSuffix}${suffix}`,
    kind,
    scale: unit === "Milliseconds" ? 0.001 : 1,
    series: new Map(),
  };
}

function labelText(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function linesOf({ name, kind, series }: Family): string[] {
  const lines = [`# TYPE ${name} ${typeNames[kind]}\n`];
  for (const [labels, { sum, samples }] of series) {
    if (kind === "distribution") lines.push(`${name}_sum${labels} ${sum}\n`, `${name}_count${labels} ${samples}\n`);
    else lines.push(`${name}${labels} ${sum}\n`);
  }
  return lines;
}
