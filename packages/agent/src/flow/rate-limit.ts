/**
 * Driver. Holds a flow to its rates: what is over them stays unread in its files.
 */
import {
  createTokenBucket,
  sleep,
  spendTokens,
  type System,
  type TokenBucket,
  waitForTokensMs,
} from "@millrace/core/runtime";
import type { Shipment } from "./shipment.ts";

export interface Rates {
  readonly maxRecordsPerSecond: number | undefined;
  readonly maxBytesPerSecond: number | undefined;
}

interface Limit {
  bucket: TokenBucket;
  readonly costOf: (shipment: Shipment) => number;
}

/** A bucket of a second's worth for each rate. What is put again after a failure is not counted again. */
export class RateLimit {
  readonly #system: System;
  readonly #limits: Limit[] = [];

  constructor(rates: Rates, system: System) {
    this.#system = system;
    const { maxBytesPerSecond, maxRecordsPerSecond } = rates;
    this.#add(maxRecordsPerSecond, () => 1);
    this.#add(maxBytesPerSecond, ({ record }) => record.data.byteLength);
  }

  /**
   * Waits until the first of `shipments` may go, and gives how many may go now: at least one.
   * Rejects with the signal's reason when it aborts first.
   */
  async admit(shipments: readonly Shipment[], signal: AbortSignal): Promise<number> {
    const [first] = shipments;
    if (first === undefined || this.#limits.length === 0) return shipments.length;
    for (let waitMs = this.#waitMs(first); waitMs > 0; waitMs = this.#waitMs(first)) {
      await sleep(this.#system, waitMs, { signal });
    }
    let count = 0;
    for (const shipment of shipments) {
      if (count > 0 && this.#waitMs(shipment) > 0) break;
      for (const limit of this.#limits) {
        limit.bucket = spendTokens(limit.bucket, limit.costOf(shipment), this.#system.now());
      }
      count += 1;
    }
    return count;
  }

  #add(perSecond: number | undefined, costOf: Limit["costOf"]): void {
    if (perSecond === undefined) return;
    this.#limits.push({ bucket: createTokenBucket(perSecond, perSecond, this.#system.now()), costOf });
  }

  #waitMs(shipment: Shipment): number {
    const nowMs = this.#system.now();
    return Math.max(...this.#limits.map(({ bucket, costOf }) => waitForTokensMs(bucket, costOf(shipment), nowMs)));
  }
}
