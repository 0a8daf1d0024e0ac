/**
 * Pure. A worker's measurements between two reports, and the averages of the reports before.
 *
 * Source: kcl.md 1.5: the mean of an interval with 6 decimals, the last ten of them, -1 for one without measurement.
 */
import { captureFailed } from "./worker-metrics.ts";

const keptAverages = 10;
/** Of one interval, as many as KCL keeps. */
const keptSamples = 300;

export class MetricSeries {
  #samples: number[] = [];
  #averages: readonly number[] = [];

  /** Notes one measurement. */
  add(value: number): void {
    this.#samples.push(value);
    if (this.#samples.length > keptSamples) this.#samples.shift();
  }

  /** The averages with that of the interval so far, oldest first. */
  get averages(): readonly number[] {
    const { length } = this.#samples;
    const average = length === 0 ? captureFailed : this.#samples.reduce((sum, value) => sum + value, 0) / length;
    return [...this.#averages, Number(average.toFixed(6))].slice(-keptAverages);
  }

  /** Ends an interval. */
  close(): void {
    this.#averages = this.averages;
    this.#samples = [];
  }
}
