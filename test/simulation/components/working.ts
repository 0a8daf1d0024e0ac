/**
 * Driver. A worker of an application: it reads the shards that it leases, handles whole batches or single records, and
 * now and then its handler is slow, fails, or goes on although its lease is over.
 */
import {
  Consumer,
  type ConsumedRecord,
  type ConsumerEvent,
  type ConsumerHealth,
  type LeasedShard,
  type RecordContext,
} from "@millrace/consumer";
import { sleep, type System } from "@millrace/core/runtime";
import type { VirtualHost } from "@millrace/simulator";
import type { Deliveries } from "../checkers/deliveries.ts";
import type { FinishedPrefix } from "../checkers/finished-prefix.ts";
import type { KeyOrder } from "../checkers/key-order.ts";
import type { Place } from "../checkers/place.ts";
import type { Component, RunningComponent } from "../world/component.ts";
import type { LeaseTableService } from "../world/lease-table-service.ts";
import type { World } from "../world/world.ts";

/** How a worker's handlers behave. */
export interface Habits {
  /** Records of one shard that `runEach` handles at a time; 0 for a handler of batches. */
  readonly concurrency: number;
  /** Share of batches, or of calls with a record, that fail after a part. */
  readonly failures: number;
  /** Share of batches or calls that take `slowMs` on average. */
  readonly slow: number;
  readonly slowMs: number;
}

export interface WorkingOptions {
  readonly name: string;
  readonly streamName: string;
  readonly table: LeaseTableService;
  readonly failoverTimeMs: number;
  readonly strategy: "auto" | "utilization" | "count";
  readonly habits: Habits;
  readonly deliveries: Deliveries;
  readonly finished: FinishedPrefix;
  readonly keyOrder: KeyOrder;
  readonly onEvent: (event: ConsumerEvent) => void;
  readonly onBroken: (error: unknown) => void;
}

export class Working implements Component {
  readonly name: string;
  /** Of the life that is under way. */
  workerId: string | undefined;
  readonly #options: WorkingOptions;
  #lives = 0;
  #consumer: Consumer | undefined;

  constructor(options: WorkingOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** What the worker says of its shards. */
  get health(): ConsumerHealth | undefined {
    return this.#consumer?.health();
  }

  start(world: World, host: VirtualHost): RunningComponent {
    const { streamName, table, failoverTimeMs, strategy, habits, onBroken, onEvent } = this.#options;
    const workerId = `${this.name}.${++this.#lives}`;
    this.workerId = workerId;
    const consumer = new Consumer(
      {
        streamName,
        applicationName: "world",
        workerId,
        leaseTable: table.over(host, workerId),
        failoverTimeMs,
        leaseAssignmentStrategy: strategy,
        initialPosition: "TRIM_HORIZON",
        shardSyncIntervalMs: 10_000,
        leaseCleanupIntervalMs: 30_000,
        onEvent,
      },
      { kinesis: world.kinesisFor(host), system: host.system },
    );
    this.#consumer = consumer;
    let isKilled = false;
    const run =
      habits.concurrency === 0
        ? consumer.run((shard) => this.#handle(shard, host.system))
        : consumer.runEach((record, context) => this.#handleOne(record, context, host.system), {
            concurrency: habits.concurrency,
          });
    run.catch((error: unknown) => {
      if (!isKilled) onBroken(error);
    });
    return {
      stop: async () => {
        await consumer.close();
        if (this.workerId === workerId) this.workerId = undefined;
      },
      killed: () => {
        isKilled = true;
        this.workerId = undefined;
      },
    };
  }

  async #handle(shard: LeasedShard, system: System): Promise<void> {
    const { deliveries, finished, habits } = this.#options;
    const deliver = deliveries.onHandler(shard.shardId);
    for await (const batch of shard) {
      const fails = system.random() < habits.failures;
      // A batch that fails is done up to a record in its middle, which may be in the middle of an aggregate.
      const count = fails ? Math.ceil(batch.records.length / 2) : batch.records.length;
      for (const record of batch.records.slice(0, count)) deliver({ ...placeOf(record), id: idOf(record) });
      // It goes on when its lease is lost meanwhile, as handlers do that ignore their signal.
      if (system.random() < habits.slow) await sleep(system, system.random() * 2 * habits.slowMs);
      for (const record of batch.records.slice(0, count)) finished.onFinished(shard.shardId, placeOf(record));
      await batch.checkpoint(batch.records[count - 1], { durable: fails || system.random() < 0.5 });
      if (fails) throw new Error("the handler was told to fail");
    }
  }

  async #handleOne(record: ConsumedRecord, context: RecordContext, system: System): Promise<void> {
    const { deliveries, finished, keyOrder, habits } = this.#options;
    const { shardId, signal } = context;
    const place = placeOf(record);
    deliveries.checkParents(shardId);
    deliveries.onDelivery(idOf(record));
    const end = keyOrder.begin(signal, shardId, record.partitionKey ?? "", place);
    const isSlow = system.random() < habits.slow;
    await sleep(system, system.random() * (isSlow ? 2 * habits.slowMs : 4));
    const fails = system.random() < habits.failures;
    if (!fails) finished.onFinished(shardId, place);
    end(!fails);
    if (fails) throw new Error("the handler was told to fail");
  }
}

function placeOf(record: ConsumedRecord): Place {
  return { sequenceNumber: BigInt(record.sequenceNumber), subSequenceNumber: record.subSequenceNumber ?? 0 };
}

function idOf(record: ConsumedRecord): string {
  return record.text().trimEnd();
}
