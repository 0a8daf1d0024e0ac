/**
 * Pure. A first-in-first-out queue whose operations cost the same at any length.
 */

// Below this many spent places, shifting the array is not worth its cost.
const compactAfter = 64;
/** Spent places for each item held, before they are given up: more than `unshift` makes. */
const maxSpentShare = 3;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts `items` before all others, keeping their order. */
  unshift(items: readonly T[]): void {
    if (items.length > this.#head) {
      // Room for as many again: in an outage every retried record comes in at the front.
      const room = items.length + this.length;
      this.#items = [...Array.from<undefined>({ length: room }), ...this.#items.slice(this.#head)];
      this.#head = room;
    }
    this.#head -= items.length;
    for (const [index, item] of items.entries()) this.#items[this.#head + index] = item;
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= compactAfter && this.#head >= maxSpentShare * this.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes everything out, first in first. */
  drain(): T[] {
    const items = this.#items.slice(this.#head) as T[];
    this.#items = [];
    this.#head = 0;
    return items;
  }

  /** Keeps what `keep` says yes to. */
  filter(keep: (item: T) => boolean): void {
    this.#items = (this.#items.slice(this.#head) as T[]).filter(keep);
    this.#head = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = this.#head; index < this.#items.length; index++) yield this.#items[index] as T;
  }
}
