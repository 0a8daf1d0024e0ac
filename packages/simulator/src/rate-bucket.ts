/**
 * Pure. A token bucket that changes in place: what a shard or an action may still take now.
 *
 * The service keeps one for each rate of each shard and asks it for each record, so it allocates nothing.
 */
export class RateBucket {
  readonly perSecond: number;
  readonly capacity: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, capacity: number, nowMs: number) {
    this.perSecond = perSecond;
    this.capacity = capacity;
    this.#tokens = capacity;
    this.#atMs = nowMs;
  }

  /** True while `cost` may be taken at `nowMs`. */
  has(cost: number, nowMs: number): boolean {
    // A residue of floating point must not refuse what is due exactly now.
    return this.#tokensAt(nowMs) + 1e-6 >= cost;
  }

  /** True while anything at all is left. */
  isPositive(nowMs: number): boolean {
    return this.#tokensAt(nowMs) > 0;
  }

  /** Milliseconds until anything at all is left. */
  waitMs(nowMs: number): number {
    const tokens = this.#tokensAt(nowMs);
    // One token more than none: nothing is left at exactly zero.
    return tokens > 0 ? 0 : ((1 - tokens) / this.perSecond) * 1000;
  }

  /** Takes `cost`, into debt where it is more than there is. */
  take(cost: number, nowMs: number): void {
    this.#tokens = this.#tokensAt(nowMs) - cost;
  }

  /** Leaves a debt of `tokens`, whatever there was. */
  owe(tokens: number, nowMs: number): void {
    this.#tokensAt(nowMs);
    this.#tokens = -tokens;
  }

  #tokensAt(nowMs: number): number {
    if (this.perSecond === Infinity) return Infinity;
    if (nowMs > this.#atMs) {
      this.#tokens = Math.min(this.capacity, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.perSecond);
      this.#atMs = nowMs;
    }
    return this.#tokens;
  }
}
