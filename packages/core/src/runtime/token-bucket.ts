/**
 * Pure. A token bucket: what may be spent now, and how long until it may be.
 *
 * The state is a value; nothing here reads a clock. Spending more than the capacity is allowed from a full bucket and
 * leaves a debt, so that one record larger than the bucket can pass without passing twice.
 */

export interface TokenBucket {
  readonly capacity: number;
  /** Tokens that come back per second. */
  readonly perSecond: number;
  /** Tokens at `at`; negative while a debt is paid back. */
  readonly tokens: number;
  /** The time of `tokens`, in milliseconds on the caller's clock. */
  readonly at: number;
}

/** A full bucket. */
export function createTokenBucket(capacity: number, perSecond: number, now: number): TokenBucket {
  return { capacity, perSecond, tokens: capacity, at: now };
}

/** The tokens there are at `now`. */
export function tokensAt(bucket: TokenBucket, now: number): number {
  const elapsedMs = Math.max(0, now - bucket.at);
  return Math.min(bucket.capacity, bucket.tokens + (elapsedMs / 1000) * bucket.perSecond);
}

/** Milliseconds until `cost` may be spent: 0 when it may be spent now, Infinity when nothing flows back. */
export function waitForTokensMs(bucket: TokenBucket, cost: number, now: number): number {
  const missing = Math.min(cost, bucket.capacity) - tokensAt(bucket, now);
  // A residue of floating point is not worth a wait of its own.
  if (missing <= 1e-9) return 0;
  return bucket.perSecond > 0 ? Math.ceil((missing / bucket.perSecond) * 1000) : Infinity;
}

/** The bucket after `cost` was spent at `now`; the caller has asked `waitForTokensMs` first. */
export function spendTokens(bucket: TokenBucket, cost: number, now: number): TokenBucket {
  const { capacity, perSecond } = bucket;
  return { capacity, perSecond, tokens: tokensAt(bucket, now) - cost, at: now };
}

/** The bucket with another rate and capacity from `now` on; what was earned until then is kept up to the new capacity. */
export function withRate(bucket: TokenBucket, capacity: number, perSecond: number, now: number): TokenBucket {
  return { capacity, perSecond, tokens: Math.min(capacity, tokensAt(bucket, now)), at: now };
}
