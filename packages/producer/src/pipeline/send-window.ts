/**
 * Pure. How much may be under way at once: requests, and their bytes.
 *
 * Each request under way holds its records once more as its body. While the service cannot be reached there is nothing to
 * gain from two dozen of them, so a failure that may pass halves their number, down to one, and an answer doubles it.
 */
import { backoffMs } from "@millrace/core/runtime";

/** The share of the buffer that may be under way. Source: measured, an outage of hanging connections took 370 MB without. */
const bytesShare = 1 / 8;

/**
 * While one request at a time fails, the next waits this long: trying everything held again and again would only make
 * garbage, 100 MB of it resident. A service that is back is noticed within a second.
 */
const probeBackoff = { initialMs: 50, maxMs: 1_000 };

export class SendWindow {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  #requests = 0;
  #bytes = 0;
  #width: number;
  #failuresInRow = 0;
  /** No request starts before this time. */
  pausedUntil = -Infinity;

  constructor(bounds: { readonly maxConnections: number; readonly maxBufferedBytes: number }) {
    this.#maxRequests = bounds.maxConnections;
    this.#maxBytes = bounds.maxBufferedBytes * bytesShare;
    this.#width = bounds.maxConnections;
  }

  get isEmpty(): boolean {
    return this.#requests === 0;
  }

  /** Requests that may start now. */
  freeRequests(now: number): number {
    return now < this.pausedUntil ? 0 : Math.max(0, this.#width - this.#requests);
  }

  /** Bytes that may start now: the request that uses them up may be larger, so that any can go. */
  get freeBytes(): number {
    return Math.max(0, this.#maxBytes - this.#bytes);
  }

  started(bytes: number): void {
    this.#requests += 1;
    this.#bytes += bytes;
  }

  /** Takes in that a request is over. `wasAnswered`: the service took it, or refused it for good or for a throttle. */
  ended(bytes: number, wasAnswered: boolean, now: number, random: number): void {
    this.#requests -= 1;
    this.#bytes -= bytes;
    if (wasAnswered) {
      this.#width = Math.min(this.#maxRequests, 2 * this.#width);
      this.#failuresInRow = 0;
      this.pausedUntil = -Infinity;
      return;
    }
    const wasNarrow = this.#width === 1;
    this.#width = Math.max(1, this.#width >> 1);
    if (!wasNarrow) return;
    this.#failuresInRow += 1;
    this.pausedUntil = now + backoffMs(probeBackoff, this.#failuresInRow, random);
  }
}
