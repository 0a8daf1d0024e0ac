/**
 * Pure. A worker's row of metrics: how a leader knows who is there and how loaded they are.
 *
 * Source: kcl.md 1.5. A row without series is a legal "default-metric" worker, balanced by throughput or count.
 */
import {
  integerOf,
  numberAttribute,
  numberOf,
  textOf,
  type Attribute,
  type Condition,
  type Row,
  type RowUpdate,
} from "./table-row.ts";

/** A worker as its row tells it. Series have short names: `C` is CPU. */
export interface WorkerMetrics {
  readonly workerId: string;
  /** Wall clock of the worker, seconds since 1970. */
  readonly lastUpdateSeconds: number;
  /** Last averages of every metric, oldest first; -1 where the capture failed. */
  readonly series: Readonly<Record<string, readonly number[]>>;
  /** The operating range of every metric: its highest sensible value. */
  readonly operatingRange: Readonly<Record<string, number>>;
  /** Highest protocol feature that the worker understands; 1 is the single table of KCL 3.5. */
  readonly supportCode: number;
  readonly supportSeconds: number;
  /** Ours: the process that wrote the row; undefined for a Java worker. */
  readonly process?: string | undefined;
}

/** Period of the report. Source: kcl.md 1.5, workerMetricsReporterFreqInMillis. */
export const metricsReportMs = 30_000;
/** What stands in a series for a time without measurement. Source: kcl.md 1.5. */
export const captureFailed = -1;
/** Age after which a row is deleted by the leader. Source: kcl.md 1.5. */
export const staleMetricsSeconds = 86_400;

/** Ours: which process wrote the row. */
const processAttribute = "millraceProcess";

const entityType: Attribute = { S: "WORKER_METRIC_STATS" };

/** The upsert that reports a worker. `keyAttribute` is `wid` in the legacy table. */
export function metricsReport(metrics: WorkerMetrics): RowUpdate {
  const sts: Record<string, Attribute> = {};
  const opr: Record<string, Attribute> = {};
  for (const [name, values] of Object.entries(metrics.series)) {
    sts[name] = { L: values.map((value) => numberAttribute(Number(value.toFixed(6)))) };
    opr[name] = { L: [numberAttribute(metrics.operatingRange[name] ?? 100)] };
  }
  return {
    key: metrics.workerId,
    conditions: [],
    set: {
      entityType,
      lut: numberAttribute(metrics.lastUpdateSeconds),
      sts: { M: sts },
      opr: { M: opr },
      sup: numberAttribute(metrics.supportCode),
      slu: numberAttribute(metrics.supportSeconds),
      ...(metrics.process === undefined ? {} : { [processAttribute]: { S: metrics.process } }),
    },
  };
}

function seriesOf(row: Row, name: string): Record<string, readonly number[]> {
  const attribute = row[name];
  if (attribute === undefined || !("M" in attribute)) return {};
  const series: Record<string, readonly number[]> = {};
  for (const [metric, list] of Object.entries(attribute.M)) {
    if (!("L" in list)) continue;
    series[metric] = list.L.flatMap((value) => ("N" in value ? [Number(value.N)] : []));
  }
  return series;
}

/** True for a row that tells of a worker. KCL 3.0 to 3.4 names no type in a table of its own. */
export function isWorkerRow(row: Row, keyAttribute: string): boolean {
  const type = textOf(row, "entityType");
  return type === "WORKER_METRIC_STATS" || (keyAttribute !== "leaseKey" && type === undefined);
}

/**
 * The worker in a row; undefined when the row is none, or breaks KCL's rules of validity: every series has an
 * operating range that is not 0.
 */
export function parseWorkerMetrics(row: Row, keyAttribute: string): WorkerMetrics | undefined {
  if (!isWorkerRow(row, keyAttribute)) return undefined;
  const workerId = textOf(row, keyAttribute);
  const lut = integerOf(row, "lut");
  if (workerId === undefined || lut === undefined) return undefined;
  const series = seriesOf(row, "sts");
  const ranges = seriesOf(row, "opr");
  const operatingRange: Record<string, number> = {};
  for (const name of Object.keys(series)) {
    const range = ranges[name]?.[0];
    if (range === undefined || range === 0 || series[name]?.length === 0) return undefined;
    operatingRange[name] = range;
  }
  return {
    workerId,
    lastUpdateSeconds: Number(lut),
    series,
    operatingRange,
    supportCode: numberOf(row, "sup") ?? 0,
    supportSeconds: numberOf(row, "slu") ?? 0,
    process: textOf(row, processAttribute),
  };
}

/** The process that wrote a row last; undefined for one of KCL. */
export function reportingProcess(row: Row): string | undefined {
  return textOf(row, processAttribute);
}

/** Holds while the row was last written by this process. */
export function isReportOf(process: string): Condition {
  return { attribute: processAttribute, is: "equal", value: { S: process } };
}

const alpha = 0.5;

/** The moving average of a series; undefined when every capture failed. Source: kcl.md 2.4 step 6. */
export function smoothedSeries(values: readonly number[]): number | undefined {
  let average: number | undefined;
  for (const value of values) {
    if (value !== captureFailed) average = average === undefined ? value : alpha * value + (1 - alpha) * average;
  }
  return average;
}

/** True while the leader may give leases to the worker: its row is younger than two reports. */
export function isWorkerActive(metrics: WorkerMetrics, wallNowMs: number): boolean {
  return wallNowMs / 1000 - metrics.lastUpdateSeconds <= (2 * metricsReportMs) / 1000;
}

/** True when the last capture of any metric failed: such a worker keeps what it has and gets nothing new. */
export function isWorkerFailing(metrics: WorkerMetrics): boolean {
  return Object.values(metrics.series).some((values) => values.at(-1) === captureFailed);
}
