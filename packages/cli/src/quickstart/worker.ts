/**
 * Driver. One consumer worker of the quickstart.
 */
import { Consumer, type ConsumedRecord } from "@millrace/consumer";

import type { EmbeddedServices } from "../io/embedded-services.ts";

export interface WorkerHooks {
  /** The worker has begun to read a shard. */
  readonly onShard: (shardId: string) => void;
  /** Called with each batch before its checkpoint. */
  readonly onBatch: (shardId: string, records: readonly ConsumedRecord[]) => void;
  /** The worker cannot go on. */
  readonly onFailure: (error: unknown) => void;
}

/** Reads its share of the stream from its construction on. */
export class Worker {
  readonly workerId: string;
  /** The shards that it reads now. */
  readonly shardIds = new Set<string>();
  readonly #consumer: Consumer;
  readonly #ended: Promise<void>;

  constructor(workerId: string, streamName: string, services: EmbeddedServices, hooks: WorkerHooks) {
    this.workerId = workerId;
    this.#consumer = new Consumer({
      streamName,
      applicationName: streamName,
      workerId,
      client: services.kinesis,
      dynamodb: services.dynamodb,
      initialPosition: "TRIM_HORIZON",
      // A shard takes 1 MiB/s; more need not wait here for its handler.
      prefetchMaxBytes: 1024 * 1024,
    });
    this.#ended = this.#run(hooks);
  }

  /** Stops reading and hands the shards over. Idempotent. */
  async close(): Promise<void> {
    await this.#consumer.close();
    await this.#ended;
  }

  async #run(hooks: WorkerHooks): Promise<void> {
    try {
      await this.#consumer.run(async (shard) => {
        this.shardIds.add(shard.shardId);
        hooks.onShard(shard.shardId);
        try {
          for await (const batch of shard) {
            hooks.onBatch(shard.shardId, batch.records);
            await batch.checkpoint();
          }
        } finally {
          this.shardIds.delete(shard.shardId);
        }
      });
    } catch (error) {
      hooks.onFailure(error);
    }
  }
}
