/**
 * Pure. The metrics port, and the statistics behind its adapters: one series for every node of a tree of dimensions.
 *
 * The tree is the KPL's (`metrics_manager.h`): a value counts for its metric as a whole, for its stream and for its
 * shard, so that two streams of two shards make seven series of one name. A value of an operation is the KCL's, and makes
 * one series, under that operation.
 */

export type MetricUnit = "Count" | "Bytes" | "Milliseconds" | "None";

/** Where a value was measured, from wide to narrow. */
export interface MetricScope {
  /** What a consumer's worker was doing, such as `ProcessTask`. */
  readonly operation?: string | undefined;
  /** With an operation: the worker's name in the fleet. */
  readonly workerId?: string | undefined;
  readonly errorCode?: string | undefined;
  readonly streamName?: string | undefined;
  readonly shardId?: string | undefined;
}

/** Takes measurements. Called on hot paths: it must be quick and must not throw. */
export interface Metrics {
  /** `samples` measurements of `value` each. @param samples at least 1. @default 1 */
  record(name: string, unit: MetricUnit, value: number, scope: MetricScope, samples?: number): void;
}

/** How deep the series that are kept go. Each shard of each stream is billed as a metric of its own. */
export type MetricsGranularity = "global" | "stream" | "shard";

/** One series since it was last taken out. */
export interface MetricSeries {
  readonly name: string;
  readonly unit: MetricUnit;
  /** In the order of the tree. */
  readonly dimensions: readonly (readonly [name: string, value: string])[];
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly samples: number;
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** Adds measurements up until somebody takes them out. */
export class MetricTree implements Metrics {
  readonly #granularity: MetricsGranularity;
  #series = new Map<string, Open<MetricSeries>>();

  constructor(granularity: MetricsGranularity) {
    this.#granularity = granularity;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  record(name: string, unit: MetricUnit, value: number, scope: MetricScope, samples = 1): void {
    if (scope.operation !== undefined) {
      this.#add(name, unit, value, this.#operationPath(scope.operation, scope), samples);
      return;
    }
    const path: [string, string][] = [];
    this.#add(name, unit, value, path, samples);
    for (const [dimension, content] of this.#levels(scope)) {
      if (content === undefined) continue;
      path.push([dimension, content]);
      this.#add(name, unit, value, path, samples);
    }
  }

  /** Every series with a sample since the last call. */
  take(): MetricSeries[] {
    const series = [...this.#series.values()];
    this.#series = new Map();
    return series;
  }

  /** Source: kcl.md 7, the KCL's dimensions. */
  #operationPath(operation: string, { workerId, shardId, streamName }: MetricScope): [string, string][] {
    const path: [string, string][] = [["Operation", operation]];
    if (this.#granularity === "global") return path;
    if (workerId !== undefined) path.push(["WorkerIdentifier", workerId]);
    if (streamName !== undefined) path.push(["StreamId", streamName]);
    if (shardId !== undefined && this.#granularity === "shard") path.push(["ShardId", shardId]);
    return path;
  }

  #levels(scope: MetricScope): [string, string | undefined][] {
    const levels: [string, string | undefined][] = [["ErrorCode", scope.errorCode]];
    if (this.#granularity === "global") return levels;
    levels.push(["StreamName", scope.streamName]);
    if (this.#granularity === "shard") levels.push(["ShardId", scope.shardId]);
    return levels;
  }

  #add(name: string, unit: MetricUnit, value: number, path: readonly [string, string][], samples: number): void {
    const key = `${name} ${path.flat().join(" ")}`;
    const series = this.#series.get(key);
    if (series === undefined) {
      const sum = value * samples;
      this.#series.set(key, { name, unit, dimensions: [...path], sum, minimum: value, maximum: value, samples });
      return;
    }
    series.sum += value * samples;
    series.minimum = Math.min(series.minimum, value);
    series.maximum = Math.max(series.maximum, value);
    series.samples += samples;
  }
}

/** A CloudWatch PutMetricData input, as `@aws-sdk/client-cloudwatch` takes it. */
export interface PutMetricDataInput {
  readonly Namespace: string;
  readonly MetricData: {
    readonly MetricName: string;
    readonly Unit: MetricUnit;
    readonly Timestamp: Date;
    readonly Dimensions: { readonly Name: string; readonly Value: string }[];
    readonly StatisticValues: {
      readonly SampleCount: number;
      readonly Sum: number;
      readonly Minimum: number;
      readonly Maximum: number;
    };
  }[];
}

/** Source: KPL `metrics_manager.h`, datums in one PutMetricData request. */
const maxDatums = 20;

/** The PutMetricData requests of these series. */
export function putMetricDataInputs(
  series: readonly MetricSeries[],
  namespace: string,
  wallMs: number,
): PutMetricDataInput[] {
  const data = series.map((one) => ({
    MetricName: one.name,
    Unit: one.unit,
    Timestamp: new Date(wallMs),
    Dimensions: cloudWatchDimensions(one).map(([Name, Value]) => ({ Name, Value })),
    StatisticValues: { SampleCount: one.samples, Sum: one.sum, Minimum: one.minimum, Maximum: one.maximum },
  }));
  const inputs: PutMetricDataInput[] = [];
  for (let start = 0; start < data.length; start += maxDatums) {
    inputs.push({ Namespace: namespace, MetricData: data.slice(start, start + maxDatums) });
  }
  return inputs;
}

/** Longest value of a dimension. Source: CloudWatch API reference, Dimension; read 2026-11-22. */
const maxDimensionLength = 1_024;

/** As CloudWatch takes them: values of ASCII without control characters, and none that are blank, which the KPL drops too. */
function cloudWatchDimensions({ dimensions }: MetricSeries): [name: string, value: string][] {
  return dimensions
    .map(([name, value]): [string, string] => [name, value.replace(/[^ -~]/g, "?").slice(0, maxDimensionLength)])
    .filter(([, value]) => value.trim() !== "");
}

/**
 * The series as lines of CloudWatch's embedded metric format: an agent or Lambda's log makes metrics of them.
 *
 *     line = { _aws: { Timestamp, CloudWatchMetrics: [{ Namespace, Dimensions, Metrics }] }, dimension: text, metric: value }
 *
 * Source: CloudWatch user guide, "Specification: Embedded metric format", read 2026-11-22. It has numbers for values, and
 * arrays of up to 100; many samples stand as a statistic set, which it does not mention and AWS's own exporter for
 * OpenTelemetry writes (aws-observability/aws-otel-collector, issue 918).
 */
export function embeddedMetricLines(series: readonly MetricSeries[], namespace: string, wallMs: number): string[] {
  return series.map((one) => {
    const dimensions = cloudWatchDimensions(one);
    const { minimum, maximum, samples, sum } = one;
    return JSON.stringify({
      _aws: {
        Timestamp: Math.floor(wallMs),
        CloudWatchMetrics: [
          {
            Namespace: namespace,
            Dimensions: [dimensions.map(([name]) => name)],
            Metrics: [{ Name: one.name, Unit: one.unit }],
          },
        ],
      },
      ...Object.fromEntries(dimensions),
      [one.name]: samples === 1 ? sum : { Min: minimum, Max: maximum, Count: samples, Sum: sum },
    });
  });
}
