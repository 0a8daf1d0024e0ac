/**
 * Pure. Keeps what the producer holds within its bounds: who gets in, who waits for room, who is refused.
 *
 * Room is given first come, first served: a small record does not overtake a large one that waits. What waits and what has
 * come in share one bound of bytes.
 */
import { Fifo } from "./pipeline/fifo.ts";
import type { PendingRecord } from "./pipeline/records.ts";

/**
 * What a record costs beside its data and key, in bytes: its promise, its bookkeeping, its caller's record object, and
 * the history of its attempts. Source: measured on Node 24, 2026-11-22, after a full collection: 550 to 800 for a record
 * in an aggregate, up to 1,950 for one that goes alone and was tried for several seconds.
 */
const recordOverheadBytes = 2_048;

/** The event of "full" ends when this share of each bound is used at most, so that it does not flap. */
const readyShare = 0.9;

/** The share of the bytes that only puts which wait for room may take. */
const waitingShare = 1 / 8;

export interface BufferBounds {
  readonly maxBufferedBytes: number;
  readonly maxBufferedRecords: number;
  readonly maxWaitingRecords: number;
}

export class RecordBuffer {
  readonly #bounds: BufferBounds;
  /** Bytes past which puts must wait. */
  readonly #roomBytes: number;
  readonly #waiting = new Fifo<PendingRecord>();
  #records = 0;
  #bytes = 0;
  #waitingRecords = 0;
  #waitingBytes = 0;

  constructor(bounds: BufferBounds) {
    this.#bounds = bounds;
    this.#roomBytes = bounds.maxBufferedBytes * (bounds.maxWaitingRecords > 0 ? 1 - waitingShare : 1);
  }

  /** Everything held, with the puts that wait for room. */
  get records(): number {
    return this.#records + this.#waitingRecords;
  }

  get bytes(): number {
    return this.#bytes + this.#waitingBytes;
  }

  get waitingRecords(): number {
    return this.#waitingRecords;
  }

  /** True when the next record gets in without waiting. */
  get hasRoom(): boolean {
    return (
      this.#waitingRecords === 0 && this.#records < this.#bounds.maxBufferedRecords && this.#bytes < this.#roomBytes
    );
  }

  /** True when enough room has come back to call the shortage over. */
  get isRelieved(): boolean {
    return (
      this.#waitingRecords === 0 &&
      this.#records <= this.#bounds.maxBufferedRecords * readyShare &&
      this.#bytes <= this.#roomBytes * readyShare
    );
  }

  /** True when one more put may wait for room; the first may whatever its size, past the bound by itself at most. */
  mayWait(pending: PendingRecord): boolean {
    const { maxWaitingRecords, maxBufferedBytes } = this.#bounds;
    if (this.#waitingRecords === 0) return maxWaitingRecords > 0;
    return this.#waitingRecords < maxWaitingRecords && this.bytes + costOf(pending) <= maxBufferedBytes;
  }

  /** Counts a record in. One that does not fit gets in only where `hasRoom`, by its own size past the bound at most. */
  enter(pending: PendingRecord): void {
    this.#records += 1;
    this.#bytes += costOf(pending);
  }

  leave(pending: PendingRecord): void {
    this.#records -= 1;
    this.#bytes -= costOf(pending);
  }

  wait(pending: PendingRecord): void {
    this.#waiting.push(pending);
    this.#waitingRecords += 1;
    this.#waitingBytes += costOf(pending);
  }

  /** Counts a waiting put out that its caller withdrew; its place in the queue is skipped later. */
  leaveWaiting(pending: PendingRecord): void {
    this.#waitingRecords -= 1;
    this.#waitingBytes -= costOf(pending);
    // A queue of nothing but withdrawn puts would hold their memory for as long as an outage lasts.
    if (this.#waiting.length > 2 * this.#waitingRecords + 64)
      this.#waiting.filter((other) => other.state === "waiting");
  }

  /** The next waiting put that there is room for now; it no longer waits. Undefined when there is none. */
  takeWaiting(): PendingRecord | undefined {
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (next.state === "waiting") {
        if (this.#records >= this.#bounds.maxBufferedRecords || this.#bytes >= this.#roomBytes) return undefined;
        this.leaveWaiting(next);
      }
      this.#waiting.shift();
      if (next.state === "waiting") return next;
    }
    return undefined;
  }

  /** Takes out every waiting put. */
  drainWaiting(): PendingRecord[] {
    const waiting = this.#waiting.drain().filter((pending) => pending.state === "waiting");
    this.#waitingRecords = 0;
    this.#waitingBytes = 0;
    return waiting;
  }
}

function costOf(pending: PendingRecord): number {
  return pending.sizeBytes + recordOverheadBytes;
}
