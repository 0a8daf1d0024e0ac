/**
 * Driver. Reports this worker to the fleet, and takes the report back at the end.
 *
 * Source: kcl.md 1.5. KCL leaves the row behind, so that its leader may still give leases to a worker that is gone.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { SerialLoop, type System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import { callWithin } from "./call-within.ts";
import type { LeaseTable } from "./lease-table.ts";
import { metricsReport, metricsReportMs } from "./worker-metrics.ts";

const callLimitMs = 5_000;
const retryMs = 1_000;

export interface MetricsReporterOptions {
  readonly table: LeaseTable;
  readonly workerId: string;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly onCrash: (error: unknown) => void;
}

/** The reporter of one worker. */
export class MetricsReporter {
  readonly #options: MetricsReporterOptions;
  #loop: SerialLoop | undefined;

  constructor(options: MetricsReporterOptions) {
    this.#options = options;
  }

  /** Reports once, then every 30 s. */
  async start(): Promise<void> {
    const { system, onCrash } = this.#options;
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
        return isDone ? metricsReportMs : retryMs;
      },
    });
    await reported;
  }

  /** Ends the reports without taking the row back. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Ends the reports, then deletes the row: a report that came later would create it anew. */
  async withdraw(): Promise<void> {
    await this.stop();
    const { system, table, workerId } = this.#options;
    const present = [{ attribute: "lut", is: "present" } as const];
    const outcome = await callWithin(system, callLimitMs, (signal) => table.delete(workerId, present, { signal }));
    if (!outcome.ok && outcome.reason !== "condition-failed") this.#failed(outcome.error);
  }

  async #report(): Promise<boolean> {
    const { system, table, workerId } = this.#options;
    const seconds = Math.floor(system.wallNow() / 1000);
    const report = metricsReport({
      workerId,
      lastUpdateSeconds: seconds,
      series: {},
      operatingRange: {},
      supportCode: 1,
      supportSeconds: seconds,
    });
    const outcome = await callWithin(system, callLimitMs, (signal) => table.update(report, { signal }));
    if (!outcome.ok && outcome.reason !== "condition-failed") this.#failed(outcome.error);
    return outcome.ok;
  }

  #failed(error: Error): void {
    this.#options.events.publish({ type: "lease-table-failed", operation: "report", error: describeError(error) });
  }
}
