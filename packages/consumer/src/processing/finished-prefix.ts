/**
 * Pure. Which records of a shard are finished without a gap, when they finish in any order [C11].
 */

/** Follows records from their admission, in order, to their end, in any order. */
export class FinishedPrefix<T> {
  readonly #pending: { readonly item: T; isFinished: boolean }[] = [];

  /** Records admitted and not yet part of the prefix. */
  get size(): number {
    return this.#pending.length;
  }

  /** The first record that is not finished. */
  get first(): T | undefined {
    return this.#pending[0]?.item;
  }

  /** Admits the next record in order; call what comes back once it is finished. */
  admit(item: T): () => T | undefined {
    const entry = { item, isFinished: false };
    this.#pending.push(entry);
    return () => {
      entry.isFinished = true;
      return this.#advance();
    };
  }

  /** The last record before the first unfinished one; undefined when the prefix has not grown. */
  #advance(): T | undefined {
    let count = 0;
    while (this.#pending[count]?.isFinished === true) count++;
    const last = this.#pending[count - 1]?.item;
    this.#pending.splice(0, count);
    return last;
  }
}
