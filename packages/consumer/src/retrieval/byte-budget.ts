/**
 * Driver. Bounds what all shards of a consumer have fetched and not delivered, in bytes [C6].
 *
 * An answer's size is known only when it is there, so each call sets bytes aside before it begins: hundreds of shards that
 * all begin far behind would otherwise pass the bound together, by 10 MiB each. Past the bound one answer at a time is
 * fetched for a handler that waits: a full budget held by shards that nobody reads would starve the one that is read.
 */

/** Bytes set aside. */
export interface Reservation {
  /** Gives them back. Idempotent. */
  release(): void;
}

/** A shared budget. */
export class ByteBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;
  #reservedBytes = 0;
  #isOverdrawn = false;
  readonly #line = new Set<() => boolean>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#serveLine();
  }

  /** Sets `bytes` aside for an answer; undefined when there is no room for it now. */
  reserve(bytes: number, isWaitedFor: boolean): Reservation | undefined {
    const takenBytes = this.#usedBytes + this.#reservedBytes;
    const isWithin = takenBytes === 0 || takenBytes + bytes <= this.#limitBytes;
    if (!isWithin && (!isWaitedFor || this.#isOverdrawn)) return undefined;
    if (!isWithin) this.#isOverdrawn = true;
    this.#reservedBytes += bytes;
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#reservedBytes -= bytes;
        if (!isWithin) this.#isOverdrawn = false;
        this.#serveLine();
      },
    };
  }

  /** Calls `retry` whenever there may be room again, until it returns true. */
  wait(retry: () => boolean): void {
    this.#line.add(retry);
  }

  #serveLine(): void {
    for (const retry of this.#line) {
      if (this.#usedBytes + this.#reservedBytes >= this.#limitBytes && this.#isOverdrawn) return;
      if (retry()) this.#line.delete(retry);
    }
  }
}
