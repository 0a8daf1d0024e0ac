import type { KinesisPort } from "@millrace/core/kinesis";
import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { expect, test } from "vitest";
import { Consumer } from "../consumer.ts";
import type { ConsumerEvent } from "../events.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import type { ConsumerOptions } from "../options.ts";

/** Streams on a timeline, and one worker after another that reads some of them through one table. */
class StreamsWorld {
  readonly timeline = new Timeline({ seed: 5 });
  readonly simulator: KinesisSimulator;
  readonly leaseTable = new MemoryLeaseTable();
  readonly events: ConsumerEvent[] = [];
  readonly seen: string[] = [];
  failure: unknown;
  kinesis: KinesisPort;
  #workers = 0;

  constructor(accountId?: string) {
    this.simulator = new KinesisSimulator({ system: this.timeline.host("service").system, accountId });
    this.kinesis = this.simulator.kinesis;
    for (const streamName of ["orders", "clicks"]) this.simulator.createStream({ streamName, shardCount: 2 });
  }

  async put(streamName: string, text: string): Promise<void> {
    const records = [{ data: Buffer.from(text), partitionKey: text }];
    await this.timeline.settle(this.simulator.kinesis.putRecords({ streamName, records }));
  }

  start(options: Partial<ConsumerOptions>): Consumer {
    const consumer = new Consumer(
      { applicationName: "app", leaseTable: this.leaseTable, onEvent: (event) => this.events.push(event), ...options },
      { kinesis: this.kinesis, system: this.timeline.host(`w${this.#workers++}`).system },
    );
    consumer
      .run(async (shard) => {
        for await (const batch of shard) {
          for (const record of batch.records) this.seen.push(`${shard.streamName} ${record.text()}`);
          await batch.checkpoint();
        }
      })
      .catch((error: unknown) => {
        this.failure = error;
      });
    return consumer;
  }

  /** Stream names of the leases in the table. */
  get leased(): readonly string[] {
    const names = [...this.leaseTable.rows.values()].flatMap((row) => {
      const { streamName } = row as { streamName?: { S: string } };
      return streamName?.S.split(":")[1] ?? [];
    });
    return [...new Set(names)].toSorted();
  }
}

const both = { streams: [{ streamName: "orders" }, { streamName: "clicks" }] };
const one = { streams: [{ streamName: "orders" }] };

test("leases of a stream that is named no more are nobody's, and are kept for ever unless told otherwise", async () => {
  const world = new StreamsWorld();
  const { timeline, simulator, events } = world;
  const first = world.start(both);
  await timeline.run({ forMs: 30_000 });
  expect(world.leased).toEqual(["clicks", "orders"]);
  await timeline.settle(first.close());
  events.length = 0;
  const second = world.start(one);
  await timeline.run({ forMs: 3_600_000 });
  const acquired = events.flatMap((event) => (event.type === "lease-acquired" ? event.leaseKey.split(":")[1] : []));
  expect(acquired).toEqual(["orders", "orders"]);
  expect(world.leased).toEqual(["clicks", "orders"]);
  await timeline.settle(second.close());
  // Named again, it is read on from where it was.
  await world.put("clicks", "meanwhile");
  const third = world.start(both);
  await timeline.run({ forMs: 30_000 });
  expect(world.seen).toEqual(["clicks meanwhile"]);
  await timeline.settle(third.close());
  await simulator.close();
});

test("they are deleted after formerStreamsKeptMs, with those of a stream that was named again in between kept", async () => {
  const world = new StreamsWorld();
  const { timeline, events } = world;
  const first = world.start(both);
  await timeline.run({ forMs: 30_000 });
  await timeline.settle(first.close());
  const keptMs = 600_000;
  const second = world.start({ ...one, formerStreamsKeptMs: keptMs });
  await timeline.run({ forMs: keptMs - 60_000 });
  await timeline.settle(second.close());
  const third = world.start({ ...both, formerStreamsKeptMs: keptMs });
  await timeline.run({ forMs: 120_000 });
  expect(world.leased).toEqual(["clicks", "orders"]);
  await timeline.settle(third.close());
  const fourth = world.start({ ...one, formerStreamsKeptMs: keptMs });
  await timeline.run({ forMs: keptMs - 60_000 });
  expect(world.leased).toEqual(["clicks", "orders"]);
  await timeline.run({ forMs: 120_000 });
  expect(world.leased).toEqual(["orders"]);
  const deleted = events.flatMap((event) => (event.type === "lease-deleted" ? event.cause : []));
  expect(deleted).toEqual(["former-stream", "former-stream"]);
  await timeline.settle(fourth.close());
});

test.each([
  ["several streams", { streamName: "orders" }, /leases of several streams, under their names, and one stream/],
  ["a single stream", one, /leases of a single stream, under its shards' own ids, and streams was given/],
])("a table with leases of %s is not for the other mode: it is refused", async (mode, options, why) => {
  const world = new StreamsWorld();
  const { timeline } = world;
  const first = world.start(mode === "several streams" ? both : { streamName: "orders" });
  await timeline.run({ forMs: 30_000 });
  await timeline.settle(first.close());
  world.start(options);
  await timeline.run({ forMs: 30_000, until: () => world.failure !== undefined });
  expect(world.failure).toMatchObject({ code: "ERR_STREAM_MODE", message: expect.stringMatching(why) });
});

const arn = (name: string): string => `arn:aws:kinesis:us-east-1:210987654321:stream/${name}`;

test("ARNs of another account stand in every call and in the leases' keys", async () => {
  const world = new StreamsWorld("210987654321");
  const { timeline, simulator } = world;
  const calls = new Map<string, Set<string | undefined>>();
  // GetRecords and the others are asked by the ARN alone: a name would be one of the caller's own account.
  world.kinesis = new Proxy(simulator.kinesis, {
    get(target, name: keyof KinesisPort) {
      const call = target[name].bind(target) as (request: { streamArn?: string }, ...rest: unknown[]) => unknown;
      return (request: { streamArn?: string; nextToken?: string }, ...rest: unknown[]) => {
        const arns = calls.get(name) ?? new Set();
        calls.set(name, arns.add(request.streamArn));
        return call(request, ...rest);
      };
    },
  });
  await world.put("orders", "a");
  await world.put("clicks", "b");
  const consumer = world.start({ streams: [{ streamArn: arn("orders") }, { streamArn: arn("clicks") }] });
  await timeline.run({ forMs: 30_000, until: () => world.seen.length === 2 });
  expect(world.seen.toSorted()).toEqual(["clicks b", "orders a"]);
  const arns = new Set([arn("orders"), arn("clicks")]);
  expect(calls.get("describeStreamSummary")).toEqual(arns);
  expect(calls.get("listShards")).toEqual(arns);
  expect(calls.get("getShardIterator")).toEqual(arns);
  expect(calls.get("getRecords")).toEqual(arns);
  const keys = [...world.leaseTable.rows.keys()].filter((key) => key.includes("shardId"));
  expect(keys).toHaveLength(4);
  for (const key of keys) expect(key).toMatch(/^210987654321:(orders|clicks):\d+:shardId-\d{12}$/);
  await timeline.settle(consumer.close());
});
