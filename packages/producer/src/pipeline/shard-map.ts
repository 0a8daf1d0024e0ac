/**
 * Pure. Which shard a hash key belongs to: the open shards sorted by their ending hash keys.
 *
 * Source: KPL's `shard_map.cc` (prediction by ending hash key over the shards open AT_LATEST). Unlike it, an old map
 * keeps serving while a new one is fetched, and the ranges of shards that have closed are kept to judge late answers.
 */
import { hashKeyTop32 } from "@millrace/aggregation";
import type { Shard } from "@millrace/core/kinesis";
import { hashKeyOfPending, type PendingRecord } from "./records.ts";

const maxHashKey = (1n << 128n) - 1n;
const lowBits = (1n << 96n) - 1n;

/** How many closed shards' ranges are kept: late answers speak of recent ones only. */
const maxClosedShards = 10_000;

interface HashRange {
  readonly startingHashKey: bigint;
  readonly endingHashKey: bigint;
}

/** The shards of a stream at one moment. */
export class ShardMap {
  readonly #shardIds: readonly string[];
  readonly #endings: readonly bigint[];
  /** The highest 32 bits of each ending. */
  readonly #tops: Uint32Array;
  readonly #ranges: ReadonlyMap<string, HashRange>;
  readonly #open: ReadonlySet<string>;

  /** @param previous the map before this one; the ranges of its shards stay known. */
  constructor(openShards: readonly Shard[], previous?: ShardMap) {
    const sorted = openShards.toSorted((a, b) => (a.endingHashKey < b.endingHashKey ? -1 : 1));
    this.#shardIds = sorted.map((shard) => shard.shardId);
    this.#endings = sorted.map((shard) => shard.endingHashKey);
    this.#tops = Uint32Array.from(this.#endings, (ending) => Number(ending >> 96n));
    this.#open = new Set(this.#shardIds);
    const closed = previous === undefined ? [] : [...previous.#ranges].filter(([shardId]) => !this.#open.has(shardId));
    this.#ranges = new Map<string, HashRange>([
      ...closed.slice(-maxClosedShards),
      ...sorted.map((shard): [string, HashRange] => [shard.shardId, shard]),
    ]);
  }

  get openShards(): number {
    return this.#shardIds.length;
  }

  isOpen(shardId: string): boolean {
    return this.#open.has(shardId);
  }

  /** True when both maps have the same open shards. */
  hasSameShards(other: ShardMap): boolean {
    return this.openShards === other.openShards && this.#shardIds.every((shardId) => other.#open.has(shardId));
  }

  /**
   * True when the open shards cover every hash key once. A listing taken in the middle of a reshard may have a hole
   * or an overlap; keys there would be predicted wrongly.
   */
  get isComplete(): boolean {
    let next = 0n;
    for (const [index, ending] of this.#endings.entries()) {
      const shardId = this.#shardIds[index] ?? "";
      if (this.#ranges.get(shardId)?.startingHashKey !== next) return false;
      next = ending + 1n;
    }
    return next === maxHashKey + 1n;
  }

  /** The open shard that takes a record. Looks at 32 bits of its hash, and at the others only on a tie. */
  predictFor(pending: PendingRecord): string | undefined {
    // With one shard no hash is needed at all.
    if (this.#shardIds.length === 1) return this.#shardIds[0];
    const top = pending.hashKey === undefined ? hashKeyTop32(pending) : Number(pending.hashKey >> 96n);
    let low = 0;
    let high = this.#tops.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#tops[middle] ?? 0) < top) low = middle + 1;
      else high = middle;
    }
    // Equal in 32 bits: the shard's range may end before the record, unless all its other bits are ones.
    if (this.#tops[low] === top && ((this.#endings[low] ?? 0n) & lowBits) !== lowBits) {
      return this.predict(hashKeyOfPending(pending));
    }
    return this.#shardIds[low];
  }

  /** The open shard that takes `hashKey`; undefined for a map without shards. */
  predict(hashKey: bigint): string | undefined {
    let low = 0;
    let high = this.#endings.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#endings[middle] ?? maxHashKey) < hashKey) low = middle + 1;
      else high = middle;
    }
    return this.#shardIds[low];
  }

  /** Whether `hashKey` lies in the shard's range; undefined when the shard is not known. */
  contains(shardId: string, hashKey: bigint): boolean | undefined {
    const range = this.#ranges.get(shardId);
    return range && range.startingHashKey <= hashKey && hashKey <= range.endingHashKey;
  }
}
