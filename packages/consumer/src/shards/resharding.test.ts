import type { KinesisPort } from "@millrace/core/kinesis";
import { sleep } from "@millrace/core/runtime";
import { KinesisSimulator, Timeline, type ReshardOptions } from "@millrace/simulator";
import { describe, expect, test } from "vitest";
import { Consumer } from "../consumer.ts";
import type { ConsumerEvent } from "../events.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import { parseLease } from "../leases/lease.ts";
import type { ConsumerOptions } from "../options.ts";

const id = (number: number): string => `shardId-${String(number).padStart(12, "0")}`;

/** A stream, a lease table and consumers on a timeline. */
class ShardWorld {
  readonly timeline = new Timeline({ seed: 5 });
  readonly leaseTable = new MemoryLeaseTable();
  readonly seen = new Set<string>();
  readonly events: ConsumerEvent[] = [];
  /** Records of a child that came before its parents were done. */
  readonly tooEarly: string[] = [];
  simulator = new KinesisSimulator({ system: this.timeline.host("service").system });
  #workers = 0;

  /** Lets time pass although nothing waits for it: LATEST is told by the second. */
  pass(ms: number): Promise<void> {
    return this.timeline.settle(sleep(this.timeline.host("service").system, ms));
  }

  /** The service as it is now: it may be replaced. */
  get kinesis(): KinesisPort {
    return new Proxy({} as KinesisPort, {
      get: (_target, name: keyof KinesisPort) => this.simulator.kinesis[name].bind(this.simulator.kinesis),
    });
  }

  async put(prefix: string, count = 40): Promise<void> {
    for (let index = 0; index < count; index++) {
      const records = [{ data: Buffer.from(`${prefix}${index}`), partitionKey: `${prefix}${index}` }];
      const answer = await this.timeline.settle(this.simulator.kinesis.putRecords({ streamName: "clicks", records }));
      if (!answer.ok || answer.value.records.some(({ ok }) => !ok)) throw new Error("not stored");
    }
  }

  start(options: Partial<ConsumerOptions> = {}): Consumer {
    const consumer = new Consumer(
      {
        streamName: "clicks",
        applicationName: "app",
        workerId: `w${this.#workers}`,
        leaseTable: this.leaseTable,
        shardSyncIntervalMs: 5_000,
        onEvent: (event) => this.events.push(event),
        ...options,
      },
      { kinesis: this.kinesis, system: this.timeline.host(`w${this.#workers++}`).system },
    );
    void consumer.run(async (shard) => {
      for await (const batch of shard) {
        for (const record of batch.records) {
          if (!this.#parentsDone(shard.shardId)) this.tooEarly.push(record.text());
          this.seen.add(record.text());
        }
        await batch.checkpoint();
      }
    });
    return consumer;
  }

  #parentsDone(shardId: string): boolean {
    const row = this.leaseTable.rows.get(shardId);
    const parents = row === undefined ? [] : (parseLease(row)?.parentShardIds ?? []);
    return parents.every((parent) => {
      const parentRow = this.leaseTable.rows.get(parent);
      return parentRow === undefined || parseLease(parentRow)?.checkpoint.sequenceNumber === "SHARD_END";
    });
  }
}

type Reshard = Omit<ReshardOptions, "streamName">;
interface Story {
  readonly streamMode?: "ON_DEMAND";
  readonly shardCount: number;
  /** Before any worker runs, and while one does. */
  readonly before?: readonly Reshard[];
  readonly during?: readonly Reshard[];
}

// Source: kcl.md 3.8.
const stories: readonly [string, Story][] = [
  ["a split", { shardCount: 2, during: [{ split: id(0) }] }],
  ["a merge", { shardCount: 2, during: [{ merge: [id(0), id(1)] }] }],
  ["a split of a split before the first sync", { shardCount: 1, before: [{ split: id(0) }, { split: id(1) }] }],
  ["a merge of a split and its neighbour", { shardCount: 2, during: [{ split: id(0) }, { merge: [id(3), id(1)] }] }],
  ["UpdateShardCount twice", { shardCount: 2, during: [{ targetShardCount: 4 }, { targetShardCount: 2 }] }],
  ["every shard of then closed at the start", { shardCount: 3, before: [{ targetShardCount: 6 }] }],
  [
    "an on-demand stream that splits by itself",
    { shardCount: 4, streamMode: "ON_DEMAND", during: [{ targetShardCount: 8 }] },
  ],
];
const positions = ["TRIM_HORIZON", "AT_TIMESTAMP", "LATEST"] as const;

describe.each(stories)("%s", (_name, { shardCount, streamMode, before = [], during = [] }) => {
  test.each(positions)(
    "from %s: nothing is missed, and children wait for their parents [C1] [C5]",
    async (position) => {
      const world = new ShardWorld();
      const { timeline, simulator, seen, tooEarly } = world;
      simulator.createStream({ streamName: "clicks", shardCount, streamMode });
      const initialPosition = position === "AT_TIMESTAMP" ? new Date(timeline.startWallMs) : position;
      await world.pass(1_000);
      await world.put("early");
      for (const step of before) {
        simulator.reshard({ streamName: "clicks", ...step });
        await world.put(`before${JSON.stringify(step)}`);
      }
      await world.pass(10_000);
      const consumer = world.start({ initialPosition });
      await timeline.run({ forMs: 60_000 });
      let expected = position === "LATEST" ? 0 : 40 * (1 + before.length);
      for (const step of during) {
        await world.put(`until${JSON.stringify(step)}`);
        simulator.reshard({ streamName: "clicks", ...step });
        await world.put(`after${JSON.stringify(step)}`);
        expected += 80;
        await timeline.run({ forMs: 3_000 });
      }
      await world.put("late");
      expected += 40;
      await timeline.run({ forMs: 120_000, until: () => seen.size >= expected });
      expect(seen.size).toBe(expected);
      const old = [...seen].filter((text) => /^(early|before)/.test(text));
      expect(old).toHaveLength(position === "LATEST" ? 0 : 40 * (1 + before.length));
      expect(tooEarly).toEqual([]);
      await timeline.settle(consumer.close());
    },
  );
});

test("a merge whose second parent has no lease, from LATEST: the child is read once both are done [C5]", async () => {
  // The lease of shard 1 was deleted by hand. Shard 0 ends; its child may not be leased before shard 1 has a lease again.
  const world = new ShardWorld();
  const { timeline, simulator, seen, leaseTable, tooEarly } = world;
  simulator.createStream({ streamName: "clicks", shardCount: 2 });
  const first = world.start({ initialPosition: "LATEST" });
  await timeline.run({ forMs: 30_000 });
  await timeline.settle(first.close());
  await leaseTable.delete(id(1), []);
  simulator.reshard({ streamName: "clicks", merge: [id(0), id(1)] });
  await world.put("child");
  const second = world.start({ initialPosition: "LATEST" });
  await timeline.run({ forMs: 120_000, until: () => seen.size === 40 });
  expect(seen.size).toBe(40);
  expect(tooEarly).toEqual([]);
  await timeline.settle(second.close());
});

test("a parent past the retention does not hold its children up, and its lease goes", async () => {
  const world = new ShardWorld();
  const { timeline, simulator, seen, leaseTable } = world;
  simulator.createStream({ streamName: "clicks", shardCount: 1 });
  const consumer = world.start();
  await timeline.run({ forMs: 30_000 });
  simulator.reshard({ streamName: "clicks", split: id(0) });
  await timeline.run({ forMs: 60_000 });
  expect(leaseTable.rows.has(id(0))).toBe(true);
  // Nothing is put into the children, so they are never checkpointed, and the parent's lease stays until it is past.
  simulator.clock.advance(25 * 3_600_000);
  await timeline.run({ forMs: 60_000 });
  expect(leaseTable.rows.has(id(0))).toBe(false);
  expect(world.events).toContainEqual({ type: "lease-deleted", leaseKey: id(0), cause: "shard-gone" });
  await world.put("late");
  await timeline.run({ forMs: 60_000, until: () => seen.size === 40 });
  expect(seen.size).toBe(40);
  await timeline.settle(consumer.close());
});

test("leases of a stream that was deleted and made anew are told, where KCL goes on with them (kcl.md 9.2, 9)", async () => {
  const world = new ShardWorld();
  const { timeline, simulator, events, leaseTable } = world;
  simulator.createStream({ streamName: "clicks", shardCount: 2 });
  simulator.reshard({ streamName: "clicks", split: id(1) });
  await world.put("old");
  const first = world.start();
  await timeline.run({ forMs: 60_000 });
  await timeline.settle(first.close());
  expect(parseLease(leaseTable.rows.get(id(1)) ?? {})?.checkpoint.sequenceNumber).toBe("SHARD_END");
  // Another stream takes the name: its shards have the same ids.
  world.simulator = new KinesisSimulator({ system: timeline.host("service anew").system });
  world.simulator.createStream({ streamName: "clicks", shardCount: 2 });
  events.length = 0;
  const second = world.start();
  await timeline.run({ forMs: 60_000 });
  const stale = events.flatMap((event) => (event.type === "stale-lease" ? event.leaseKey : []));
  // A finished lease of an open shard, and a checkpoint from before the shard began.
  expect(new Set(stale)).toEqual(new Set([id(0), id(1)]));
  await timeline.settle(second.close());
});
