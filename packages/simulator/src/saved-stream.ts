/**
 * Pure. A stream as plain data, without its records: what is kept of it over a restart, and how it comes back.
 */
import type { SavedShard } from "./saved-shard.ts";
import { Shard } from "./shard.ts";
import type { Moment, RecordDistributionStrategy, Stream, StreamMode } from "./stream.ts";

interface SavedConsumer {
  readonly name: string;
  readonly arn: string;
  readonly createdWallMs: number;
  readonly tags: readonly (readonly [string, string])[];
}

/** A stream without its records. */
export interface SavedStream {
  readonly name: string;
  readonly createdWallMs: number;
  readonly changedWallMs: number;
  readonly mode: StreamMode;
  readonly strategy: RecordDistributionStrategy;
  readonly maxRecordSizeKiB: number;
  readonly retentionHours: number;
  /** Null where nothing has expired by an earlier retention. */
  readonly expiredBeforeMs: number | null;
  readonly lastConsumerSecond: number;
  readonly encryptionKeyId: string | undefined;
  readonly encryptedFromWallMs: number;
  readonly warmThroughputMiBps: number | undefined;
  readonly tags: readonly (readonly [string, string])[];
  readonly metrics: readonly string[];
  readonly consumers: readonly SavedConsumer[];
  readonly history: { readonly shardCount: number[]; readonly mode: number[]; readonly key: number[] };
  readonly shards: readonly SavedShard[];
}

/** What a stream shows of itself. */
export function settingsOf(
  stream: Stream,
  wallAheadMs: number,
): Omit<SavedStream, "changedWallMs" | "expiredBeforeMs" | "lastConsumerSecond"> {
  const toWall = (timeMs: number) => Math.round(timeMs + wallAheadMs);
  const { shardCount, mode, key } = stream.history;
  return {
    name: stream.streamName,
    createdWallMs: stream.createdWallMs,
    mode: stream.mode,
    strategy: stream.strategy,
    maxRecordSizeKiB: stream.maxRecordSizeKiB,
    retentionHours: stream.retentionHours,
    encryptionKeyId: stream.encryptionKeyId,
    encryptedFromWallMs: stream.encryptionKeyId === undefined ? 0 : toWall(stream.encryptedFromMs),
    warmThroughputMiBps: stream.warmThroughputMiBps,
    tags: [...stream.tags],
    metrics: [...stream.shardLevelMetrics],
    consumers: [...stream.consumers.values()]
      .filter(({ status }) => status !== "DELETING")
      .map((consumer) => ({
        name: consumer.consumerName,
        arn: consumer.consumerArn,
        createdWallMs: consumer.createdWallMs,
        tags: [...consumer.tags],
      })),
    history: { shardCount: shardCount.map(toWall), mode: mode.map(toWall), key: key.map(toWall) },
    shards: stream.shards.map((shard) => shard.save()),
  };
}

/** Gives a new stream the settings of a saved one, and makes it ACTIVE. */
export function restoreSettings(stream: Stream, saved: SavedStream, { nowMs, wallMs }: Moment): void {
  const fromWall = (timeMs: number) => timeMs - wallMs + nowMs;
  stream.status = "ACTIVE";
  stream.encryptionKeyId = saved.encryptionKeyId;
  stream.encryptedFromMs = fromWall(saved.encryptedFromWallMs);
  stream.warmThroughputMiBps = saved.warmThroughputMiBps;
  for (const [key, value] of saved.tags) stream.tags.set(key, value);
  for (const metric of saved.metrics) stream.shardLevelMetrics.add(metric);
  for (const { name, arn, createdWallMs, tags } of saved.consumers) {
    const names = { consumerName: name, consumerArn: arn };
    stream.consumers.set(name, { ...names, createdWallMs, tags: new Map(tags), status: "ACTIVE" });
  }
  stream.history.shardCount.push(...saved.history.shardCount.map(fromWall));
  stream.history.mode.push(...saved.history.mode.map(fromWall));
  stream.history.key.push(...saved.history.key.map(fromWall));
}

/** The shards of a saved stream, without records. @throws for a stream that no simulator saved. */
export function restoreShards(stream: Stream, saved: SavedStream, nowMs: number): readonly Shard[] {
  if (saved.shards.every((each) => each.closedWallMs !== undefined)) throw new Error("no shard is open");
  return saved.shards.map((each, index) => {
    const shard = new Shard({
      index,
      startingHashKey: BigInt(`0x${each.start}`),
      endingHashKey: BigInt(`0x${each.end}`),
      parentShardId: each.parent,
      adjacentParentShardId: each.adjacentParent,
      createdWallMs: each.createdWallMs,
      createdSecond: each.createdSecond,
      nowMs,
      limits: stream.limits,
      maxRecordBytes: stream.maxRecordSizeKiB * 1024,
    });
    shard.restore(each);
    return shard;
  });
}
