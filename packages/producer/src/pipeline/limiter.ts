/**
 * Pure. Keeps each shard's traffic at the rate that the shard can take.
 *
 * Two token buckets per shard, records and bytes, as in the KPL's `limiter.h`. Unlike there, a throttle lowers the
 * shard's rate and quiet time raises it again, and capacities follow the rate. A record larger than the byte bucket
 * passes when that is full and leaves a debt: the service takes bursts of large records in the same way.
 */
import {
  backoffMs,
  createTokenBucket,
  tokensAt,
  waitForTokensMs,
  withRate,
  type TokenBucket,
} from "@millrace/core/runtime";
import { Fifo } from "./fifo.ts";
import type { OutgoingRecord } from "./records.ts";

/** What a shard takes per second. Source: Kinesis quotas; read 2026-11-22. */
export const shardRecordsPerSecond = 1000;
export const shardBytesPerSecond = 1_048_576;

/** A throttle takes this share of the shard's rate away, at most once in `throttleWindowMs`. */
const throttleFactor = 0.7;
const throttleWindowMs = 200;
/** The least share of its rate that a shard keeps: other producers may be what fills it. */
const minFactor = 0.02;
/** The share of the full rate that comes back per second without a throttle. */
const recoveryPerSecond = 0.05;
const throttlePause = { initialMs: 50, maxMs: 2_000 };

/** Spent in place: two new buckets for each record would be most of what the limiter costs. */
type MutableBucket = { -readonly [Field in keyof TokenBucket]: TokenBucket[Field] };

interface ShardState {
  readonly shardId: string;
  readonly queue: Fifo<OutgoingRecord>;
  records: MutableBucket;
  bytes: MutableBucket;
  /** Share of the configured rate in use, from minFactor to 1. */
  factor: number;
  factorAt: number;
  throttlesInRow: number;
  lastThrottledAt: number;
  pausedUntil: number;
}

export class Limiter {
  readonly #rate: number;
  readonly #shards = new Map<string, ShardState>();
  /** Shards with something in their queue. */
  readonly #backlogged = new Set<ShardState>();

  constructor(options: { readonly rateLimitPercent: number }) {
    this.#rate = options.rateLimitPercent / 100;
  }

  /** True when records for this shard wait: it takes less than it is given. */
  isBacklogged(shardId: string): boolean {
    const shard = this.#shards.get(shardId);
    return shard !== undefined && shard.queue.length > 0;
  }

  get hasBacklog(): boolean {
    return this.#backlogged.size > 0;
  }

  /** Passes `outgoing` at once (true), or queues it behind what waits for its shard (false). */
  admit(shardId: string, outgoing: OutgoingRecord, now: number): boolean {
    const shard = this.#shardOf(shardId, now);
    if (shard.queue.length === 0 && this.#waitMs(shard, outgoing, now) === 0) {
      spend(shard, outgoing, now);
      return true;
    }
    shard.queue.push(outgoing);
    this.#backlogged.add(shard);
    return false;
  }

  /** Queues records whose earlier attempt failed before all others of their shard. */
  requeueFirst(shardId: string, outgoing: readonly OutgoingRecord[], now: number): void {
    if (outgoing.length === 0) return;
    const shard = this.#shardOf(shardId, now);
    shard.queue.unshift(outgoing);
    this.#backlogged.add(shard);
  }

  /** Gives every record that may go now to `pass`, shard by shard, each in its queue's order. */
  release(now: number, pass: (outgoing: OutgoingRecord) => void): void {
    for (const shard of this.#backlogged) {
      let head = shard.queue.peek();
      while (head !== undefined && this.#waitMs(shard, head, now) === 0) {
        shard.queue.shift();
        spend(shard, head, now);
        pass(head);
        head = shard.queue.peek();
      }
      if (head === undefined) this.#backlogged.delete(shard);
    }
  }

  /** When `release` next has something to pass; Infinity when nothing waits. */
  nextReleaseAt(now: number): number {
    let next = Infinity;
    for (const shard of this.#backlogged) {
      const head = shard.queue.peek();
      if (head !== undefined) next = Math.min(next, now + this.#waitMs(shard, head, now));
    }
    return next;
  }

  /**
   * Takes a throttle of this shard in: lowers its rate and pauses it. Many records of one request are throttled
   * together; they count once. True when this one counted.
   */
  throttled(shardId: string, now: number, random: number): boolean {
    const shard = this.#shardOf(shardId, now);
    if (now - shard.lastThrottledAt < throttleWindowMs) return false;
    shard.lastThrottledAt = now;
    this.#setFactor(shard, Math.max(minFactor, this.#recoveredFactor(shard, now) * throttleFactor), now);
    shard.throttlesInRow += 1;
    shard.pausedUntil = now + backoffMs(throttlePause, shard.throttlesInRow, random);
    return true;
  }

  /** Takes a stored record in: the shard is willing again. */
  stored(shardId: string, now: number): void {
    const shard = this.#shards.get(shardId);
    if (shard === undefined) return;
    shard.throttlesInRow = 0;
    if (shard.factor < 1 && now - shard.factorAt >= 1000)
      this.#setFactor(shard, this.#recoveredFactor(shard, now), now);
  }

  /** The share of its configured rate that a shard is given now. */
  factorOf(shardId: string): number {
    return this.#shards.get(shardId)?.factor ?? 1;
  }

  /** Takes everything out that waits, and forgets shards that `keep` does not name. */
  drain(keep: (shardId: string) => boolean): OutgoingRecord[] {
    const drained: OutgoingRecord[] = [];
    for (const shard of this.#backlogged) drained.push(...shard.queue.drain());
    this.#backlogged.clear();
    for (const shardId of this.#shards.keys()) if (!keep(shardId)) this.#shards.delete(shardId);
    return drained;
  }

  /** Everything that waits. */
  *queued(): Iterable<OutgoingRecord> {
    for (const shard of this.#backlogged) yield* shard.queue;
  }

  /** Keeps what `keep` says yes to. */
  filter(keep: (outgoing: OutgoingRecord) => boolean): void {
    for (const shard of this.#backlogged) {
      shard.queue.filter(keep);
      if (shard.queue.length === 0) this.#backlogged.delete(shard);
    }
  }

  #shardOf(shardId: string, now: number): ShardState {
    let shard = this.#shards.get(shardId);
    if (shard === undefined) {
      shard = {
        shardId,
        queue: new Fifo(),
        records: createTokenBucket(shardRecordsPerSecond * this.#rate, shardRecordsPerSecond * this.#rate, now),
        bytes: createTokenBucket(shardBytesPerSecond * this.#rate, shardBytesPerSecond * this.#rate, now),
        factor: 1,
        factorAt: now,
        throttlesInRow: 0,
        lastThrottledAt: -Infinity,
        pausedUntil: 0,
      };
      this.#shards.set(shardId, shard);
    }
    return shard;
  }

  #waitMs(shard: ShardState, outgoing: OutgoingRecord, now: number): number {
    return Math.max(
      0,
      shard.pausedUntil - now,
      waitForTokensMs(shard.records, 1, now),
      waitForTokensMs(shard.bytes, outgoing.sizeBytes, now),
    );
  }

  #recoveredFactor(shard: ShardState, now: number): number {
    return Math.min(1, shard.factor + ((now - shard.factorAt) / 1000) * recoveryPerSecond);
  }

  #setFactor(shard: ShardState, factor: number, now: number): void {
    shard.factor = factor;
    shard.factorAt = now;
    const records = Math.max(1, shardRecordsPerSecond * this.#rate * factor);
    const bytes = shardBytesPerSecond * this.#rate * factor;
    shard.records = withRate(shard.records, records, records, now);
    shard.bytes = withRate(shard.bytes, bytes, bytes, now);
  }
}

function spend(shard: ShardState, outgoing: OutgoingRecord, now: number): void {
  take(shard.records, 1, now);
  take(shard.bytes, outgoing.sizeBytes, now);
}

function take(bucket: MutableBucket, cost: number, now: number): void {
  bucket.tokens = tokensAt(bucket, now) - cost;
  bucket.at = now;
}
