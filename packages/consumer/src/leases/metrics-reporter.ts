/**
 * Driver. Reports this worker to the fleet, and takes the report back at the end.
 *
 * Source: kcl.md 1.5. KCL leaves the row behind, so that its leader may still give leases to a worker that is gone.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { SerialLoop, type System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import type { KclMetrics } from "../kcl-metrics.ts";
import { callWithin } from "./call-within.ts";
import { CpuMeter } from "./cpu-meter.ts";
import type { CpuSource } from "./cpu-usage.ts";
import type { LeaseTable } from "./lease-table.ts";
import { ConsumerError } from "../errors.ts";
import { isReportOf, metricsReport, metricsReportMs, reportingProcess } from "./worker-metrics.ts";

const callLimitMs = 5_000;
const retryMs = 1_000;
/** After a first report without a measurement. Source: kcl.md 1.5: twice the time between two measurements. */
const secondReportMs = 2_000;

export interface MetricsReporterOptions {
  readonly table: LeaseTable;
  readonly workerId: string;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly metrics?: KclMetrics | undefined;
  readonly findCpuSource: () => Promise<CpuSource | undefined>;
  readonly onCrash: (error: unknown) => void;
}

/** The reporter of one worker. */
export class MetricsReporter {
  readonly #options: MetricsReporterOptions;
  readonly #process: string;
  readonly #cpu: CpuMeter;
  #loop: SerialLoop | undefined;
  #hasReported = false;
  #isDuplicate = false;

  constructor(options: MetricsReporterOptions) {
    this.#options = options;
    const { system } = options;
    this.#cpu = new CpuMeter({ ...options, findSource: options.findCpuSource });
    this.#process = `${String(Math.floor(system.wallNow())).padStart(15, "0")}-${system.uuid()}`;
  }

  /** True once this process has found another of its name, which goes on in its place. */
  get isDuplicate(): boolean {
    return this.#isDuplicate;
  }

  /** Reports once, then every 30 s. */
  async start(): Promise<void> {
    const { system, onCrash } = this.#options;
    await this.#cpu.start();
    let isFirst = this.#cpu.isMeasuring;
    let first: (() => void) | undefined;
    const reported = new Promise<void>((resolve) => {
      first = resolve;
    });
    this.#loop = new SerialLoop({
      system,
      onCrash,
      step: async () => {
        const isDone = await this.#report();
        first?.();
        if (!isDone) return retryMs;
        const pauseMs = isFirst ? secondReportMs : metricsReportMs;
        isFirst = false;
        return pauseMs;
      },
    });
    await reported;
  }

  /** Ends the reports without taking the row back. */
  async stop(): Promise<void> {
    await Promise.all([this.#loop?.stop(), this.#cpu.stop()]);
  }

  /** Ends the reports, then deletes the row: a report that came later would create it anew. */
  async withdraw(): Promise<void> {
    await this.stop();
    const { system, table, workerId } = this.#options;
    // The row of another process under this name stays.
    const own = [isReportOf(this.#process)];
    const outcome = await callWithin(system, callLimitMs, (signal) => table.delete(workerId, own, { signal }));
    if (!outcome.ok && outcome.reason !== "condition-failed") this.#failed(outcome.error);
  }

  async #report(): Promise<boolean> {
    const { system, table, workerId, metrics } = this.#options;
    const startedAt = system.now();
    const seconds = Math.floor(system.wallNow() / 1000);
    const report = metricsReport({
      workerId,
      lastUpdateSeconds: seconds,
      series: this.#cpu.series,
      operatingRange: {},
      supportCode: 1,
      supportSeconds: seconds,
      process: this.#process,
    });
    if (await this.#hasNamesake()) return true;
    const outcome = await callWithin(system, callLimitMs, (signal) => table.update(report, { signal }));
    metrics?.done("WorkerMetricStatsReporter", outcome.ok, system.now() - startedAt, { isWorker: true });
    if (outcome.ok) this.#cpu.reported();
    else if (outcome.reason !== "condition-failed") this.#failed(outcome.error);
    return outcome.ok;
  }

  /**
   * True when a process that began earlier reports under the same name: two processes would share leases. The row names
   * the process that wrote it last; the later of the two gives up. A process that was restarted under its old name
   * overwrites a row that nobody renews.
   */
  async #hasNamesake(): Promise<boolean> {
    const { system, table, workerId, onCrash } = this.#options;
    const found = await callWithin(system, callLimitMs, (signal) => table.get(workerId, { consistent: true, signal }));
    const row = found.ok ? found.value : undefined;
    const other = row === undefined ? undefined : reportingProcess(row);
    if (!this.#hasReported || other === undefined || !(other < this.#process)) {
      this.#hasReported = true;
      return false;
    }
    this.#isDuplicate = true;
    onCrash(new ConsumerError("ERR_DUPLICATE_WORKER_ID", `another process of the fleet is called ${workerId}`));
    return true;
  }

  #failed(error: Error): void {
    this.#options.events.publish({ type: "lease-table-failed", operation: "report", error: describeError(error) });
  }
}
