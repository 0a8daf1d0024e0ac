/**
 * Driver. Bounds what all shards of a consumer have fetched and not delivered, in bytes [C6].
 *
 * A shard with nothing buffered may always fetch one answer: otherwise a full budget held by shards that nobody reads
 * would starve the one that is read.
 */

/** A shared budget. */
export class ByteBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;
  #waiting: (() => void)[] = [];

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get hasRoom(): boolean {
    return this.#usedBytes < this.#limitBytes;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
    if (!this.hasRoom) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Calls `wake` once when there may be room again. */
  onRoom(wake: () => void): void {
    this.#waiting.push(wake);
  }
}
