/**
 * Pure. What the KCL measures, under its names and dimensions, for whoever gave the consumer a `metrics` port.
 *
 * Source: kcl.md 7 (KCL Java 3.5.1). `Operation` is always there; where KCL names the worker, the shard or, with several
 * streams, the stream, so do we. The operation `LeaseTable` is ours: what the lease table costs, which KCL does not tell.
 */
import type { EventPublisher, Metrics, MetricUnit } from "@millrace/core/observe";
import type { ConsumerEvent } from "./events.ts";

/** SUMMARY leaves out what KCL calls DETAILED. */
export type MetricsLevel = "summary" | "detailed";

/** Where a value was measured; `isWorker` for the operations that name the worker. */
export interface KclScope {
  readonly isWorker?: boolean | undefined;
  readonly streamName?: string | undefined;
  readonly shardId?: string | undefined;
}

/** The same publisher, whose events count in the metrics too. */
export function countingEvents(
  events: EventPublisher<ConsumerEvent>,
  metrics: KclMetrics,
): EventPublisher<ConsumerEvent> {
  return {
    hasListeners: true,
    publish(event) {
      metrics.event(event);
      events.publish(event);
    },
  };
}

export class KclMetrics {
  readonly #metrics: Metrics;
  readonly #workerId: string;
  readonly #isDetailed: boolean;
  readonly #isMultiStream: boolean;

  constructor(
    metrics: Metrics,
    options: { readonly workerId: string; readonly level: MetricsLevel; readonly isMultiStream: boolean },
  ) {
    this.#metrics = metrics;
    this.#workerId = options.workerId;
    this.#isDetailed = options.level === "detailed";
    this.#isMultiStream = options.isMultiStream;
  }

  /** A value of KCL's level SUMMARY. */
  summary(operation: string, name: string, unit: MetricUnit, value: number, scope: KclScope = {}): void {
    const { isWorker = false, streamName, shardId } = scope;
    this.#metrics.record(name, unit, value, {
      operation,
      ...(isWorker ? { workerId: this.#workerId } : {}),
      ...(this.#isMultiStream && streamName !== undefined ? { streamName } : {}),
      ...(shardId === undefined ? {} : { shardId }),
    });
  }

  /** A value of KCL's level DETAILED. */
  detailed(operation: string, name: string, unit: MetricUnit, value: number, scope: KclScope = {}): void {
    if (this.#isDetailed) this.summary(operation, name, unit, value, scope);
  }

  /** `Success` and `Time` of an operation as a whole. */
  done(operation: string, isSuccess: boolean, tookMs: number, scope: KclScope = {}): void {
    this.summary(operation, "Success", "Count", Number(isSuccess), scope);
    this.summary(operation, "Time", "Milliseconds", tookMs, scope);
  }

  /** `X.Success` and `X.Time` of one of its steps. */
  step(operation: string, name: string, isSuccess: boolean, tookMs: number, scope: KclScope = {}): void {
    this.detailed(operation, `${name}.Success`, "Count", Number(isSuccess), scope);
    this.detailed(operation, `${name}.Time`, "Milliseconds", tookMs, scope);
  }

  /** How the start of a run ended. */
  initialized(isSuccess: boolean): void {
    this.summary("Scheduler:Initialize", "Initialize.Success", "Count", Number(isSuccess));
  }

  /** What an event says in numbers. */
  event(event: ConsumerEvent): void {
    switch (event.type) {
      case "batch-delivered": {
        const { streamName, shardId, records, bytes, millisBehindLatest, previousBatchMs } = event;
        const scope = { streamName, shardId };
        this.summary("ProcessTask", "RecordsProcessed", "Count", records, scope);
        this.summary("ProcessTask", "DataBytesProcessed", "Bytes", bytes, scope);
        this.summary("ProcessTask", "MillisBehindLatest", "Milliseconds", millisBehindLatest, scope);
        this.summary("ApplicationTracker", "MillisBehindLatest", "Milliseconds", millisBehindLatest);
        if (previousBatchMs === undefined) return;
        this.summary("ProcessTask", "RecordProcessor.processRecords.Time", "Milliseconds", previousBatchMs, scope);
        this.done("ProcessTask", true, previousBatchMs, scope);
        return;
      }
      case "handler-failed":
        this.summary("ProcessTask", "Success", "Count", 0, { shardId: event.shardId });
        return;
      case "lease-lost":
        this.summary("RenewAllLeases", "LostLeases", "Count", 1, { isWorker: true });
        return;
      case "cpu-unreadable":
        this.summary("WorkerMetricStatsReporter", "InMemoryMetricStatsReporterFailure", "Count", 1, { isWorker: true });
        return;
      default:
    }
  }
}
