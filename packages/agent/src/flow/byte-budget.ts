/**
 * Driver. Bounds the bytes that were read and are not settled: the reader waits here, and files keep the rest.
 */

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

/** Bytes that may be held at once. */
export class ByteBudget {
  #maxBytes: number;
  #usedBytes = 0;
  readonly #waiters: Waiter[] = [];
  readonly #onWait: () => void;

  /** `onWait` is called when somebody begins to wait: what is held may be lingering for company. */
  constructor(maxBytes: number, onWait: () => void = () => undefined) {
    this.#maxBytes = maxBytes;
    this.#onWait = onWait;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Resolves once `bytes` fit, first come first served. More than the whole budget passes when nothing else is held.
   * Rejects with the signal's reason when it aborts first.
   */
  take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#waiters.length === 0 && this.#fits(bytes)) {
      this.#usedBytes += bytes;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = () => {
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        bytes,
        admit: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#waiters.push(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#onWait();
    });
  }

  /** Resolves once `bytes` would fit; undefined where they do now. Rejects with the signal's reason. */
  room(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    if (this.#waiters.length === 0 && this.#fits(bytes)) return undefined;
    return this.take(bytes, signal).then(() => this.give(bytes));
  }

  /** Counts bytes that are held already, such as what each record of a chunk costs. It may exceed the budget. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#admit();
  }

  /** Sets another bound; what is held already stays held. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#admit();
  }

  #admit(): void {
    let waiter = this.#waiters[0];
    while (waiter !== undefined && this.#fits(waiter.bytes)) {
      this.#waiters.shift();
      this.#usedBytes += waiter.bytes;
      waiter.admit();
      waiter = this.#waiters[0];
    }
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#maxBytes;
  }
}
