/**
 * Driver. Runs items side by side, those of one key one after another in their order [C11].
 */

/** What a runner is made from. */
export interface KeyedRunnerOptions<T> {
  /** Items that run at a time. */
  readonly concurrency: number;
  /** Items that run or wait for their key; `admit` waits past it, which bounds the memory. */
  readonly maxAdmitted: number;
  /** Runs one item. A rejection ends the runner: what runs goes on, and nothing else begins. */
  readonly run: (item: T) => Promise<void>;
  /** Told of the first rejection. */
  readonly onFailure?: (() => void) | undefined;
}

interface Waiting<T> {
  readonly item: T;
  readonly key: string | undefined;
}

/** A pool with an order per key. */
export class KeyedRunner<T> {
  readonly #options: KeyedRunnerOptions<T>;
  /** Keys of which an item is ready or running, with those that wait behind it. */
  readonly #behind = new Map<string, Waiting<T>[]>();
  readonly #ready: Waiting<T>[] = [];
  #running = 0;
  #admitted = 0;
  #failure: { readonly error: unknown } | undefined;
  /** Those who wait for a change: the loop over the records, and a window that is over. */
  #waiters: (() => void)[] = [];

  constructor(options: KeyedRunnerOptions<T>) {
    this.#options = options;
  }

  /**
   * Takes an item in; resolves when there is room for the next. Items without a key are bound to no order.
   * @throws what an item's run rejected with.
   */
  async admit(item: T, key: string | undefined): Promise<void> {
    this.#throwIfFailed();
    const waiting = { item, key };
    this.#admitted++;
    const behind = key === undefined ? undefined : this.#behind.get(key);
    if (behind !== undefined) behind.push(waiting);
    else {
      if (key !== undefined) this.#behind.set(key, []);
      this.#ready.push(waiting);
      this.#startReady();
    }
    while (this.#admitted >= this.#options.maxAdmitted) {
      await this.#change();
      this.#throwIfFailed();
    }
  }

  /**
   * Resolves once everything that was admitted has run; after a failure, once what runs has ended.
   * @throws what an item's run rejected with.
   */
  async idle(): Promise<void> {
    while (this.#running > 0 || (this.#admitted > 0 && this.#failure === undefined)) await this.#change();
    this.#throwIfFailed();
  }

  #startReady(): void {
    while (this.#failure === undefined && this.#running < this.#options.concurrency) {
      const next = this.#ready.shift();
      if (next === undefined) return;
      this.#running++;
      void this.#runOne(next);
    }
  }

  async #runOne({ item, key }: Waiting<T>): Promise<void> {
    try {
      await this.#options.run(item);
    } catch (error) {
      const isFirst = this.#failure === undefined;
      this.#failure ??= { error };
      if (isFirst) this.#options.onFailure?.();
    }
    this.#running--;
    this.#admitted--;
    if (key !== undefined) {
      const next = this.#behind.get(key)?.shift();
      if (next === undefined) this.#behind.delete(key);
      else this.#ready.push(next);
    }
    this.#startReady();
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
