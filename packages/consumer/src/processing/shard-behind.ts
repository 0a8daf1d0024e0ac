/**
 * Pure. What our own handlers may do with a leased shard beyond its public face.
 */
import type { Attempts } from "../leases/attempts.ts";
import type { LeasedShard } from "../record.ts";

/** The shard behind its public face. */
export interface ShardBehind {
  /** Calls on the first record after the checkpoint, by whoever made them. */
  readonly attempts: Attempts | undefined;
  /**
   * Stores what is done, and the calls on the first record after it. Resolves once it is stored or the lease is over; the
   * next checkpoint clears it.
   */
  rememberAttempts(attempts: Attempts): Promise<void>;
  /** Stores what is done, and that no call is under way any more. */
  settleAttempts(): Promise<void>;
  /** Notes for the health report why the shard does not move, and will not by itself. */
  stopped(why: string): void;
  /** Notes for the health report what holds the shard up; undefined when nothing does. */
  troubled(why: string | undefined): void;
  /** A sign of life: our handler works, though it has neither asked for a batch nor checkpointed. */
  alive(): void;
  /** Aborts when the shard is to end: a shutdown, a hand-off, or the loss of its lease. */
  readonly ending: AbortSignal;
  /** Whether it is to end now; looks at the clock as well, which a process that stood still has to. */
  isEnding(): boolean;
  /** Ends the loop, also one that waits for a batch. */
  leave(): void;
}

const behind = new WeakMap<LeasedShard, ShardBehind>();

/** Ties the two faces together. */
export function setShardBehind(shard: LeasedShard, hidden: ShardBehind): void {
  behind.set(shard, hidden);
}

/** The other face of a shard of ours. */
export function shardBehind(shard: LeasedShard): ShardBehind {
  const hidden = behind.get(shard);
  if (hidden === undefined) throw new Error(`${shard.shardId} is no shard of this package`);
  return hidden;
}
