/**
 * Driver. A few consumers on one simulated stream, for tests: what they delivered, and a way to wait for it.
 */
import type { KinesisPort } from "@millrace/core/kinesis";
import { KinesisSimulator } from "@millrace/simulator";
import { Consumer } from "../consumer.ts";
import type { ConsumerEvent } from "../events.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import type { LeaseTable } from "../leases/lease-table.ts";
import type { ConsumerOptions } from "../options.ts";
import type { ConsumedRecord, LeasedShard, ShardHandler } from "../record.ts";

export interface Delivery {
  readonly worker: string;
  readonly shardId: string;
  readonly text: string;
  readonly record: ConsumedRecord;
}

export interface FleetOptions {
  readonly shardCount?: number;
  readonly leaseTable?: LeaseTable;
  /** Stands between the consumers and the simulator. */
  readonly intercept?: (kinesis: KinesisPort) => KinesisPort;
}

/** A stream, a lease table and the workers on them. */
export class Fleet {
  readonly simulator = new KinesisSimulator();
  readonly leaseTable: LeaseTable;
  readonly deliveries: Delivery[] = [];
  readonly events: (ConsumerEvent & { readonly worker: string })[] = [];
  readonly #kinesis: KinesisPort;
  readonly #consumers: Consumer[] = [];
  readonly #runs: Promise<void>[] = [];
  #waiting: (() => void)[] = [];
  #putCount = 0;

  constructor(options: FleetOptions = {}) {
    this.simulator.createStream({ streamName: "clicks", shardCount: options.shardCount ?? 2 });
    this.leaseTable = options.leaseTable ?? new MemoryLeaseTable();
    this.#kinesis = options.intercept?.(this.simulator.kinesis) ?? this.simulator.kinesis;
  }

  /** A consumer with short times, not running yet. */
  consumer(workerId: string, options: Partial<ConsumerOptions> = {}): Consumer {
    const consumer = new Consumer(
      {
        streamName: "clicks",
        applicationName: "clicks-app",
        workerId,
        leaseTable: this.leaseTable,
        failoverTimeMs: 600,
        leaderLeaseDurationMs: 600,
        leaseDiscoveryIntervalMs: 50,
        pollIntervalMs: 200,
        shardSyncIntervalMs: 1_000,
        ...options,
        onEvent: (event) => {
          this.events.push({ ...event, worker: workerId });
          this.tick();
        },
      },
      { kinesis: this.#kinesis },
    );
    this.#consumers.push(consumer);
    return consumer;
  }

  /** Starts a consumer that checkpoints every batch, or does what `handler` says. */
  start(workerId: string, handler?: ShardHandler, options: Partial<ConsumerOptions> = {}): Consumer {
    const consumer = this.consumer(workerId, options);
    const run = consumer.run(handler ?? ((shard) => this.readAll(shard, workerId)));
    run.catch(() => this.tick());
    this.#runs.push(run);
    return consumer;
  }

  /** A handler that notes each record and checkpoints each batch. */
  async readAll(shard: LeasedShard, worker: string): Promise<void> {
    for await (const batch of shard) {
      for (const record of batch.records) this.note(worker, shard.shardId, record);
      await batch.checkpoint();
    }
  }

  note(worker: string, shardId: string, record: ConsumedRecord): void {
    this.deliveries.push({ worker, shardId, text: record.text(), record });
    this.tick();
  }

  /** Puts records with texts `r0`, `r1`, ... that go on counting over all calls, and different keys. */
  async put(count: number): Promise<void> {
    const records = Array.from({ length: count }, (_, index) => ({
      data: Buffer.from(`r${this.#putCount + index}`),
      partitionKey: `key-${this.#putCount + index}`,
    }));
    this.#putCount += count;
    await this.putRecords(records);
  }

  async putRecords(records: readonly { data: Uint8Array; partitionKey: string; explicitHashKey?: string }[]) {
    const answer = await this.simulator.kinesis.putRecords({ streamName: "clicks", records });
    if (!answer.ok) throw answer.error;
    if (answer.value.records.some((record) => !record.ok)) throw new Error("a record was refused");
  }

  /** Texts delivered so far, each once. */
  get seen(): ReadonlySet<string> {
    return new Set(this.deliveries.map((delivery) => delivery.text));
  }

  /** Resolves once every record that was put has been delivered. */
  allDelivered(): Promise<void> {
    return this.until(() => this.seen.size >= this.#putCount);
  }

  /** Resolves once an event of the type has come that the test accepts. */
  event<T extends ConsumerEvent["type"]>(
    type: T,
    accept: (event: Extract<ConsumerEvent, { type: T }> & { readonly worker: string }) => boolean = () => true,
  ): Promise<void> {
    return this.until(() =>
      this.events.some(
        (event) => event.type === type && accept(event as Extract<ConsumerEvent, { type: T }> & { worker: string }),
      ),
    );
  }

  /** Resolves once `condition` holds; looked at after every event and delivery. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  tick(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** How many unfinished shards each worker holds, by its own events. */
  get heldCounts(): Readonly<Record<string, number>> {
    const owners = new Map<string, string>();
    for (const event of this.events) {
      if (event.type === "lease-acquired") owners.set(event.shardId, event.worker);
      if (event.type === "lease-lost" || event.type === "lease-released" || event.type === "shard-finished") {
        if (owners.get(event.shardId) === event.worker) owners.delete(event.shardId);
      }
    }
    const counts: Record<string, number> = {};
    for (const owner of owners.values()) counts[owner] = (counts[owner] ?? 0) + 1;
    return counts;
  }

  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
    await Promise.all(this.#runs);
    await this.simulator.close();
  }
}
