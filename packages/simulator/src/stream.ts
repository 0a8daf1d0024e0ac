/**
 * Pure. One stream: its settings, its shards with their family tree, its consumers.
 */
import type { Limits } from "./limits.ts";
import { equalRanges, maxHashKey } from "./hash-key.ts";
import { restoreSettings, restoreShards, settingsOf, type SavedStream } from "./saved-stream.ts";
import { Shard } from "./shard.ts";
import { ServiceError } from "./service-error.ts";
import type { StreamConsumer } from "./stream-consumer.ts";

export type StreamStatus = "CREATING" | "DELETING" | "ACTIVE" | "UPDATING";
export type StreamMode = "PROVISIONED" | "ON_DEMAND";
export type RecordDistributionStrategy = "AUTO" | "USER_PARTITION_KEY";

/** A moment in the service's two times. */
export interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
}

export interface StreamFields {
  readonly streamName: string;
  readonly streamArn: string;
  readonly accountId: string;
  /** 0 for a stream that is about to be restored. */
  readonly shardCount: number;
  readonly mode: StreamMode;
  readonly maxRecordSizeKiB: number;
  readonly strategy: RecordDistributionStrategy;
  readonly moment: Moment;
  readonly limits: Limits;
}

export class Stream {
  readonly streamName: string;
  readonly streamArn: string;
  readonly accountId: string;
  readonly createdWallMs: number;
  readonly limits: Limits;
  readonly tags = new Map<string, string>();
  readonly consumers = new Map<string, StreamConsumer>();
  readonly shardLevelMetrics = new Set<string>();
  /** Times of the changes that are limited per day, on the steady clock. */
  readonly history: { readonly shardCount: number[]; readonly mode: number[]; readonly key: number[] } = {
    shardCount: [],
    mode: [],
    key: [],
  };
  status: StreamStatus = "CREATING";
  mode: StreamMode;
  strategy: RecordDistributionStrategy;
  encryptionKeyId: string | undefined;
  /** When encryption takes hold of every record, in milliseconds on the steady clock. */
  encryptedFromMs = 0;
  warmThroughputMiBps: number | undefined;
  #retentionHours = 24;
  /** What was past an earlier, shorter retention does not come back. */
  #expiredBeforeMs = -Infinity;
  #lastConsumerSecond = 0;
  /** When shards were last opened or closed, milliseconds since 1970. */
  #changedWallMs: number;
  #maxRecordSizeKiB: number;
  /** Every shard by its index, closed ones included; expired ones stay for their descendants' sake and are not shown. */
  readonly #shards: Shard[] = [];
  readonly #shardsById = new Map<string, Shard>();
  /** Open shards in the order of their ranges. */
  #open: Shard[] = [];

  constructor(fields: StreamFields) {
    this.streamName = fields.streamName;
    this.streamArn = fields.streamArn;
    this.accountId = fields.accountId;
    this.createdWallMs = fields.moment.wallMs;
    this.#changedWallMs = fields.moment.wallMs;
    this.limits = fields.limits;
    this.mode = fields.mode;
    this.strategy = fields.strategy;
    this.#maxRecordSizeKiB = fields.maxRecordSizeKiB;
    if (fields.shardCount === 0) return;
    for (const range of equalRanges(fields.shardCount)) {
      this.#open.push(this.#addShard(range.start, range.end, [], fields.moment));
    }
  }

  get maxRecordSizeKiB(): number {
    return this.#maxRecordSizeKiB;
  }

  get retentionHours(): number {
    return this.#retentionHours;
  }

  setRetentionHours(hours: number, wallMs: number): void {
    this.#expiredBeforeMs = this.horizonMs(wallMs);
    this.#retentionHours = hours;
  }

  isEncryptedAt(nowMs: number): boolean {
    return this.encryptionKeyId !== undefined && nowMs >= this.encryptedFromMs;
  }

  /** In the order they were made. */
  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** In the order of their ranges. */
  get openShards(): readonly Shard[] {
    return this.#open;
  }

  get storedBytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.log.storedBytes, 0);
  }

  /** The first moment that is still kept, in milliseconds since 1970. */
  horizonMs(wallMs: number): number {
    if (this.limits.retentionTrim === Infinity) return -Infinity;
    return Math.max(this.#expiredBeforeMs, wallMs - this.#retentionHours * 3_600_000);
  }

  /** Shards that the service still knows: open, or closed within the retention. */
  knownShards(wallMs: number): Shard[] {
    const horizon = this.horizonMs(wallMs);
    return this.#shards.filter((shard) => shard.closedWallMs === undefined || shard.closedWallMs >= horizon);
  }

  /**
   * A shard that the service still knows.
   * @throws {ServiceError} ResourceNotFoundException.
   */
  shard(shardId: string, wallMs: number): Shard {
    const shard = this.findShard(shardId);
    if (shard !== undefined && (shard.closedWallMs ?? Infinity) >= this.horizonMs(wallMs)) return shard;
    throw new ServiceError(
      "ResourceNotFoundException",
      `Could not find shard ${shardId} in stream ${this.streamName} under account ${this.accountId}.`,
    );
  }

  /** A shard by its id, long expired ones too. */
  findShard(shardId: string): Shard | undefined {
    return this.#shardsById.get(shardId);
  }

  /** The open shard whose range holds a place on the ring, given as 32 hexadecimal digits. */
  shardAt(hashHex: string): Shard {
    const open = this.#open;
    let low = 0;
    let high = open.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((open[middle]?.startHex ?? "") <= hashHex) low = middle;
      else high = middle - 1;
    }
    const shard = open[low];
    if (shard === undefined) throw new Error(`stream ${this.streamName} has no open shard`);
    return shard;
  }

  /** The second that a new consumer's ARN names: none of an earlier one, so that every registration has its own ARN. */
  nextConsumerSecond(second: number): number {
    this.#lastConsumerSecond = Math.max(second, this.#lastConsumerSecond + 1);
    return this.#lastConsumerSecond;
  }

  setMaxRecordSizeKiB(maxRecordSizeKiB: number, nowMs: number): void {
    this.#maxRecordSizeKiB = maxRecordSizeKiB;
    for (const shard of this.#open) shard.setMaxRecordBytes(maxRecordSizeKiB * 1024, nowMs);
  }

  /** Closes a shard and opens two: up to `newStartingHashKey` less one, and from there. */
  split(shard: Shard, newStartingHashKey: bigint, at: Moment): readonly Shard[] {
    const moment = this.#afterEarlierChanges(at);
    const lower = this.#addShard(shard.startingHashKey, newStartingHashKey - 1n, [shard], moment);
    const upper = this.#addShard(newStartingHashKey, shard.endingHashKey, [shard], moment);
    this.#replace([shard], [lower, upper], moment);
    return [lower, upper];
  }

  /** Closes two neighbours and opens one; `shard` becomes its parent, `adjacent` the adjacent parent. */
  merge(shard: Shard, adjacent: Shard, at: Moment): Shard {
    const moment = this.#afterEarlierChanges(at);
    const [low, high] = shard.startingHashKey < adjacent.startingHashKey ? [shard, adjacent] : [adjacent, shard];
    const merged = this.#addShard(low.startingHashKey, high.endingHashKey, [shard, adjacent], moment);
    this.#replace([shard, adjacent], [merged], moment);
    return merged;
  }

  /**
   * A wall clock that was set back must not let a shard end before it began: it would pass for one that ended before
   * the trim horizon, and a reader that begins there would be shown its children only.
   */
  #afterEarlierChanges(moment: Moment): Moment {
    this.#changedWallMs = Math.max(this.#changedWallMs, moment.wallMs);
    return { ...moment, wallMs: this.#changedWallMs };
  }

  /** Everything but the records; `wallAheadMs` leads from the steady clock to the wall clock. */
  save(wallAheadMs: number): SavedStream {
    const expiredBeforeMs = this.#expiredBeforeMs === -Infinity ? null : this.#expiredBeforeMs;
    const hidden = { changedWallMs: this.#changedWallMs, lastConsumerSecond: this.#lastConsumerSecond };
    return { ...settingsOf(this, wallAheadMs), ...hidden, expiredBeforeMs };
  }

  /** Fills a stream that was made without shards; its records are pushed afterwards. */
  restore(saved: SavedStream, moment: Moment): void {
    restoreSettings(this, saved, moment);
    this.#changedWallMs = saved.changedWallMs;
    this.#retentionHours = saved.retentionHours;
    this.#expiredBeforeMs = saved.expiredBeforeMs ?? -Infinity;
    this.#lastConsumerSecond = saved.lastConsumerSecond;
    for (const shard of restoreShards(this, saved, moment.nowMs)) this.#keep(shard);
    this.#open = this.#shards.filter((shard) => shard.isOpen).toSorted((a, b) => (a.startHex < b.startHex ? -1 : 1));
  }

  #replace(closed: readonly Shard[], opened: readonly Shard[], moment: Moment): void {
    const childIds = opened.map((shard) => shard.shardId);
    for (const shard of closed) shard.close(moment.wallMs, childIds);
    const first = Math.min(...closed.map((shard) => this.#open.indexOf(shard)));
    this.#open = this.#open.toSpliced(first, closed.length, ...opened);
    if (this.#open.at(-1)?.endingHashKey !== maxHashKey) throw new Error("the open shards do not cover the ring");
  }

  #addShard(startingHashKey: bigint, endingHashKey: bigint, parents: readonly Shard[], moment: Moment): Shard {
    // A child's numbers must follow its parents', and the highest part of a number is the second of its creation.
    const afterParents = parents.map((parent) => parent.createdSecond + 1);
    const shard = new Shard({
      index: this.#shards.length,
      startingHashKey,
      endingHashKey,
      parentShardId: parents[0]?.shardId,
      adjacentParentShardId: parents[1]?.shardId,
      createdWallMs: moment.wallMs,
      createdSecond: Math.max(Math.floor(moment.wallMs / 1000), ...afterParents),
      nowMs: moment.nowMs,
      limits: this.limits,
      maxRecordBytes: this.#maxRecordSizeKiB * 1024,
    });
    return this.#keep(shard);
  }

  #keep(shard: Shard): Shard {
    this.#shards.push(shard);
    this.#shardsById.set(shard.shardId, shard);
    return shard;
  }
}
