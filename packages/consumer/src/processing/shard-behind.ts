/**
 * Pure. What our own handlers may do with a leased shard beyond its public face.
 */
import type { LeasedShard } from "../record.ts";

/** The shard behind its public face. */
export interface ShardBehind {
  /** Failed attempts on the first record after the checkpoint, by whoever made them. */
  readonly failedAttempts: number;
  /** Stores the failed attempts on the first record after the checkpoint; the next checkpoint clears them. */
  rememberFailures(attempts: number): Promise<void>;
  /** Notes for the health report why the shard does not move. */
  stopped(why: string): void;
  /** Resolves when the shard is to end: a shutdown, a hand-off, or the loss of its lease. */
  untilDraining(): Promise<void>;
}

const behind = new WeakMap<LeasedShard, ShardBehind>();

/** Ties the two faces together. */
export function setShardBehind(shard: LeasedShard, hidden: ShardBehind): void {
  behind.set(shard, hidden);
}

/** The other face; undefined for a shard that is not ours, such as a test's own. */
export function shardBehind(shard: LeasedShard): ShardBehind | undefined {
  return behind.get(shard);
}
