/**
 * Driver. A worker of an application: it reads the shards that it leases, checkpoints, and now and then its handler
 * fails.
 */
import { Consumer, type LeasedShard } from "@millrace/consumer";
import type { MemoryLeaseTable } from "@millrace/consumer/testing";
import type { VirtualHost } from "@millrace/simulator";
import type { Component, RunningComponent } from "../world/component.ts";
import { leaseTableOver, type OnWrite } from "../world/table-over.ts";
import type { World } from "../world/world.ts";

/** A user record as a handler got it. */
export interface Delivery {
  readonly shardId: string;
  readonly sequenceNumber: bigint;
  readonly subSequenceNumber: number;
  readonly id: string;
}

export interface WorkingOptions {
  readonly name: string;
  readonly streamName: string;
  readonly table: MemoryLeaseTable;
  readonly failoverTimeMs: number;
  /** Share of batches whose handler fails after a part. */
  readonly handlerFailures: number;
  readonly onWrite: OnWrite;
  /** Called for each handler invocation; gives what takes its deliveries. */
  readonly onHandler: (shardId: string) => (delivery: Delivery) => void;
  readonly onBroken: (error: unknown) => void;
}

export class Working implements Component {
  readonly name: string;
  /** Of the life that is under way. */
  workerId: string | undefined;
  readonly #options: WorkingOptions;
  #lives = 0;

  constructor(options: WorkingOptions) {
    this.name = options.name;
    this.#options = options;
  }

  start(world: World, host: VirtualHost): RunningComponent {
    const { streamName, table, failoverTimeMs, onWrite, onBroken } = this.#options;
    const workerId = `${this.name}.${++this.#lives}`;
    this.workerId = workerId;
    const consumer = new Consumer(
      {
        streamName,
        applicationName: "world",
        workerId,
        leaseTable: leaseTableOver(world, host, table, onWrite),
        failoverTimeMs,
        initialPosition: "TRIM_HORIZON",
        shardSyncIntervalMs: 10_000,
        leaseCleanupIntervalMs: 30_000,
      },
      { kinesis: world.kinesisFor(host), system: host.system },
    );
    let isKilled = false;
    const run = consumer.run((shard) => this.#handle(shard, host));
    run.catch((error: unknown) => {
      if (!isKilled) onBroken(error);
    });
    return {
      stop: async () => {
        await consumer.close();
        this.workerId = undefined;
      },
      killed: () => {
        isKilled = true;
        this.workerId = undefined;
      },
    };
  }

  async #handle(shard: LeasedShard, host: VirtualHost): Promise<void> {
    const { onHandler, handlerFailures } = this.#options;
    const deliver = onHandler(shard.shardId);
    for await (const batch of shard) {
      for (const record of batch.records) {
        deliver({
          shardId: shard.shardId,
          sequenceNumber: BigInt(record.sequenceNumber),
          subSequenceNumber: record.subSequenceNumber ?? 0,
          id: record.text().trimEnd(),
        });
      }
      if (host.system.random() < handlerFailures) {
        await batch.checkpoint(batch.records[Math.floor(batch.records.length / 2)]);
        throw new Error("the handler was told to fail");
      }
      await batch.checkpoint(undefined, { durable: host.system.random() < 0.5 });
    }
  }
}
