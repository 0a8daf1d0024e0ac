/**
 * Driver. Measures this worker's CPU once a second for its reports.
 *
 * Source: kcl.md 1.5. A source that cannot be read at the start is done without: the worker then is balanced by
 * throughput, as one without a source. One that fails later leaves gaps, and the leader gives nothing to a worker whose
 * last interval is one.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { SerialLoop, type System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import { callWithin } from "./call-within.ts";
import type { CpuSource } from "./cpu-usage.ts";
import { MetricSeries } from "./metric-series.ts";

const captureMs = 1_000;
const readLimitMs = 5_000;

export interface CpuMeterOptions {
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  /** Finds the source. */
  readonly findSource: () => Promise<CpuSource | undefined>;
  readonly onCrash: (error: unknown) => void;
}

export class CpuMeter {
  readonly #options: CpuMeterOptions;
  readonly #series = new MetricSeries();
  #source: CpuSource | undefined;
  #loop: SerialLoop | undefined;
  #hasMeasured = false;
  #isFailing = false;

  constructor(options: CpuMeterOptions) {
    this.#options = options;
  }

  /** True while there is something to measure. */
  get isMeasuring(): boolean {
    return this.#source !== undefined;
  }

  /** Takes the first reading, which tells nothing but whether there can be others, and goes on from there. */
  async start(): Promise<void> {
    const { system, onCrash, findSource } = this.#options;
    this.#source = await findSource();
    if (this.#source === undefined) return;
    if ((await this.#read(this.#source)) === undefined) {
      this.#source = undefined;
      return;
    }
    let isFirst = true;
    this.#loop = new SerialLoop({
      system,
      onCrash,
      unref: true,
      step: async () => {
        if (!isFirst) await this.#capture();
        isFirst = false;
        return captureMs;
      },
    });
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  /** The series of a report under their short names. */
  get series(): Readonly<Record<string, readonly number[]>> {
    if (this.#source === undefined) return {};
    // As KCL's first value, which is not a measurement: the worker is one that reports its CPU.
    return { C: this.#hasMeasured ? this.#series.averages : [0] };
  }

  /** Ends the interval: its report is written. */
  reported(): void {
    if (this.#hasMeasured) this.#series.close();
  }

  async #capture(): Promise<void> {
    if (this.#source === undefined) return;
    const value = await this.#read(this.#source);
    if (value === undefined) return;
    this.#hasMeasured = true;
    this.#series.add(value);
  }

  async #read(source: CpuSource): Promise<number | undefined> {
    const outcome = await callWithin(this.#options.system, readLimitMs, async (signal) => {
      try {
        return { ok: true as const, value: await source.read(signal) };
      } catch (error) {
        return { ok: false as const, reason: "unknown" as const, error: error as Error };
      }
    });
    if (outcome.ok) {
      this.#isFailing = false;
      return outcome.value;
    }
    if (!this.#isFailing) {
      const { platform } = source;
      this.#options.events.publish({ type: "cpu-unreadable", platform, error: describeError(outcome.error) });
    }
    this.#isFailing = true;
    return undefined;
  }
}
