/**
 * Pure. The metrics port on an OpenTelemetry meter, which the caller gives, so that its API is no dependency.
 */
import { choiceOption, ConfigError, textOption } from "../options/config-error.ts";
import { instrumentKind, labelsOf, snakeCase } from "./instruments.ts";
import type { Metrics, MetricsGranularity, MetricScope, MetricUnit } from "./metrics.ts";

/** What is used of a `Meter` of `@opentelemetry/api`. */
export interface MeterPort {
  createCounter(name: string, options: { unit: string }): { add(value: number, attributes: Attributes): void };
  createHistogram(name: string, options: { unit: string }): { record(value: number, attributes: Attributes): void };
  createGauge(name: string, options: { unit: string }): { record(value: number, attributes: Attributes): void };
}

type Attributes = Record<string, string>;

/** How metrics go to OpenTelemetry. */
export interface OpenTelemetryMetricsOptions {
  /** `metrics.getMeter("...")` of `@opentelemetry/api`. */
  readonly meter: MeterPort;
  /** Stands before each name. @default "millrace.producer" */
  readonly prefix?: string | undefined;
  /** How deep the attributes go: each shard multiplies the series. @default "stream" */
  readonly granularity?: MetricsGranularity | undefined;
}

const attributeNames = {
  errorCode: "error.type",
  streamName: "aws.kinesis.stream_name",
  shardId: "aws.kinesis.shard_id",
  operation: "operation",
  workerId: "worker",
};
/** Source: UCUM, as OpenTelemetry asks for. */
const units: Readonly<Record<MetricUnit, string>> = { Count: "1", Bytes: "By", Milliseconds: "ms", None: "1" };

/**
 * Metrics as OpenTelemetry instruments: `UserRecordsPut` becomes the counter `millrace.producer.user_records_put`,
 * `RequestTime` the histogram `millrace.producer.request_time`.
 * @throws {ConfigError} for an option that cannot be.
 */
export function openTelemetryMetrics(options: OpenTelemetryMetricsOptions): Metrics {
  const { meter } = options;
  if (typeof (meter as { createCounter?: unknown } | undefined)?.createCounter !== "function") {
    throw new ConfigError({ path: "meter", got: meter, expected: "a Meter of @opentelemetry/api" });
  }
  const prefix = textOption("prefix", options.prefix) ?? "millrace.producer";
  const granularity = choiceOption("granularity", options.granularity, ["global", "stream", "shard"], "stream");
  const instruments = new Map<string, Instrument>();
  return {
    record(name, unit, value, scope: MetricScope, samples = 1) {
      let instrument = instruments.get(name);
      if (instrument === undefined) {
        instrument = createInstrument(meter, `${prefix}.${snakeCase(name)}`, instrumentKind(name, unit), units[unit]);
        instruments.set(name, instrument);
      }
      instrument(value, samples, labelsOf(scope, granularity, attributeNames));
    },
  };
}

type Instrument = (value: number, samples: number, attributes: Attributes) => void;

function createInstrument(
  meter: MeterPort,
  name: string,
  kind: ReturnType<typeof instrumentKind>,
  unit: string,
): Instrument {
  if (kind === "counter") {
    const counter = meter.createCounter(name, { unit });
    return (value, samples, attributes) => counter.add(value * samples, attributes);
  }
  if (kind === "gauge") {
    const gauge = meter.createGauge(name, { unit });
    return (value, _samples, attributes) => gauge.record(value, attributes);
  }
  const histogram = meter.createHistogram(name, { unit });
  return (value, samples, attributes) => {
    for (let sample = 0; sample < samples; sample++) histogram.record(value, attributes);
  };
}
