/**
 * Pure. Holds what may not go before a time of its own, and gives it back in the order of those times.
 *
 * A binary heap: in an outage everything backs off at once, and every put asks what is due.
 */
export class DelayQueue<T extends { readonly notBefore: number }> {
  #heap: T[] = [];

  get length(): number {
    return this.#heap.length;
  }

  /** When the next one may go; Infinity when there is none. */
  get nextAt(): number {
    return this.#heap[0]?.notBefore ?? Infinity;
  }

  push(item: T): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const parent = heap[above];
      if (parent === undefined || parent.notBefore <= item.notBefore) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = item;
  }

  /** Takes out the next one if it may go by `now`. */
  takeDue(now: number): T | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.notBefore > now) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) this.#sinkFromTop(last);
    return first;
  }

  /** Keeps what `keep` says yes to. */
  filter(keep: (item: T) => boolean): void {
    // In the order of their times an array is a heap.
    this.#heap = this.#heap.filter(keep).toSorted((a, b) => a.notBefore - b.notBefore);
  }

  /** Takes everything out. */
  drain(): T[] {
    const drained = this.#heap;
    this.#heap = [];
    return drained;
  }

  #sinkFromTop(item: T): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if ((heap[below + 1]?.notBefore ?? Infinity) < (heap[below]?.notBefore ?? Infinity)) below += 1;
      const child = heap[below];
      if (child === undefined || child.notBefore >= item.notBefore) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = item;
  }
}
