/**
 * Driver. Consumers as hosts on a timeline, over one simulated stream and one lease table in memory, for tests.
 */
import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { Consumer } from "../consumer.ts";
import type { ConsumerEvent } from "../events.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import { parseLease } from "../leases/lease.ts";
import type { ConsumerOptions } from "../options.ts";
import type { LeasedShard, ShardHandler } from "../record.ts";

/** Workers on a timeline, over one stream and one table. */
export class Scene {
  readonly timeline = new Timeline({ seed: 5 });
  readonly simulator = new KinesisSimulator({ system: this.timeline.host("service").system });
  readonly table = new MemoryLeaseTable();
  readonly events: (ConsumerEvent & { readonly host: string })[] = [];
  readonly seen: string[] = [];
  readonly failures = new Map<string, unknown>();
  readonly consumers: Consumer[] = [];

  constructor(shardCount: number) {
    this.simulator.createStream({ streamName: "clicks", shardCount });
  }

  start(host: string, options: Partial<ConsumerOptions> = {}, handler?: ShardHandler): Consumer {
    return this.begin(host, (consumer) => consumer.run(handler ?? ((shard) => this.read(shard))), options);
  }

  /** Starts a consumer on a host of its own, in whichever way `run` says. */
  begin(host: string, run: (consumer: Consumer) => Promise<void>, options: Partial<ConsumerOptions> = {}): Consumer {
    const onEvent = (event: ConsumerEvent): number => this.events.push({ ...event, host });
    const { system } = this.timeline.host(host);
    const consumer = new Consumer(
      {
        streamName: "clicks",
        applicationName: "app",
        workerId: host,
        leaseTable: this.table,
        ...options,
        onEvent: (event) => void onEvent(event),
      },
      { kinesis: this.simulator.kinesis, system },
    );
    this.consumers.push(consumer);
    run(consumer).catch((error: unknown) => this.failures.set(host, error));
    return consumer;
  }

  /** The host is gone from one moment to the next, with everything on it. */
  kill(host: string): void {
    this.timeline.host(host).kill();
    const index = this.consumers.findIndex((consumer) => consumer.workerId === host);
    if (index >= 0) this.consumers.splice(index, 1);
  }

  async read(shard: LeasedShard): Promise<void> {
    for await (const batch of shard) {
      for (const record of batch.records) this.seen.push(record.text());
      await batch.checkpoint();
    }
  }

  async put(...texts: string[]): Promise<void> {
    const records = texts.map((text) => ({ data: Buffer.from(text), partitionKey: text }));
    const answer = await this.simulator.kinesis.putRecords({ streamName: "clicks", records });
    if (!answer.ok) throw answer.error;
  }

  get owners(): readonly (string | undefined)[] {
    return [...this.table.rows.values()].flatMap((row) => {
      const lease = parseLease(row);
      return lease === undefined ? [] : [lease.leaseOwner];
    });
  }

  of<T extends ConsumerEvent["type"]>(type: T): readonly (Extract<ConsumerEvent, { type: T }> & { host: string })[] {
    return this.events.filter((event) => event.type === type) as never;
  }

  async close(): Promise<void> {
    const force = new AbortController();
    force.abort();
    const closing = this.consumers.map((consumer) => consumer.close({ signal: force.signal }));
    await this.timeline.settle(Promise.all(closing), { forMs: 120_000 });
    await this.simulator.close();
  }
}
