/**
 * Pure. A lease's throughput as the fleet's balancing sees it: a moving average per renewal.
 *
 * Source: kcl.md 2.3: bytes of user records / 1024 per second, EMA with alpha 0.5, unknown until the first record.
 */

const alpha = 0.5;

/** Sums delivered bytes and folds them into the average at every renewal. */
export interface ThroughputMeter {
  add(bytes: number): void;
  /** The average after the interval that ends at `now`; undefined while nothing was delivered. */
  update(now: number): number | undefined;
}

/** @param stored the average that the lease's row carries. */
export function createThroughput(stored: number | undefined, now: number): ThroughputMeter {
  let average = stored;
  let bytes = 0;
  let since = now;
  let hasDelivered = false;
  return {
    add(delivered) {
      bytes += delivered;
      hasDelivered = true;
    },
    update(at) {
      const seconds = (at - since) / 1000;
      if (!hasDelivered || seconds <= 0) return hasDelivered ? average : undefined;
      const rate = bytes / 1024 / seconds;
      average = average === undefined ? rate : alpha * rate + (1 - alpha) * average;
      bytes = 0;
      since = at;
      return average;
    },
  };
}
