import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { expect, test } from "vitest";
import { sentinel } from "./checkpoint/checkpoint.ts";
import { Consumer } from "./consumer.ts";
import type { ConsumerEvent } from "./events.ts";
import { MemoryLeaseTable } from "./io/memory-lease-table.ts";
import { newLeaseRow } from "./leases/lease.ts";
import { newVersionRow } from "./leases/table-layout.ts";

const id = (number: number): string => `shardId-${String(number).padStart(12, "0")}`;
const failoverTimeMs = 10_000;
const handOffTimeoutMs = 30_000;

/** One worker on a timeline, over a table that others have written. */
class HandWritten {
  readonly timeline = new Timeline({ seed: 9 });
  readonly simulator = new KinesisSimulator({ system: this.timeline.host("service").system });
  readonly leaseTable = new MemoryLeaseTable();
  readonly events: { readonly atMs: number; readonly event: ConsumerEvent }[] = [];
  readonly seen: string[] = [];
  #consumer: Consumer | undefined;

  async begin(shardCount: number): Promise<void> {
    this.simulator.createStream({ streamName: "clicks", shardCount });
    await this.leaseTable.put(newVersionRow("leaseKey", "java", 0), []);
  }

  async lease(shardId: string, parentShardIds: readonly string[], leaseOwner?: string): Promise<void> {
    const checkpoint = sentinel("TRIM_HORIZON");
    const row = newLeaseRow({
      leaseKey: shardId,
      shardId,
      checkpoint,
      parentShardIds,
      hashRange: undefined,
      leaseOwner,
    });
    await this.leaseTable.put(row, []);
  }

  async put(prefix: string, count: number): Promise<void> {
    const records = Array.from({ length: count }, (_, index) => ({
      data: Buffer.from(`${prefix}${index}`),
      partitionKey: `${prefix}${index}`,
    }));
    const answer = await this.timeline.settle(this.simulator.kinesis.putRecords({ streamName: "clicks", records }));
    if (!answer.ok) throw answer.error;
  }

  start(): void {
    this.#consumer = new Consumer(
      {
        streamName: "clicks",
        applicationName: "app",
        workerId: "w",
        leaseTable: this.leaseTable,
        failoverTimeMs,
        handOffTimeoutMs,
        onEvent: (event) => this.events.push({ atMs: this.timeline.nowMs, event }),
      },
      { kinesis: this.simulator.kinesis, system: this.timeline.host("w").system },
    );
    void this.#consumer.run(async (shard) => {
      for await (const batch of shard) {
        for (const record of batch.records) this.seen.push(record.text());
        await batch.checkpoint();
      }
    });
  }

  async close(): Promise<void> {
    if (this.#consumer !== undefined) await this.timeline.settle(this.#consumer.close());
    await this.simulator.close();
  }
}

test("hundreds of children whose parents are past the retention start on one list of shards", async () => {
  const scene = new HandWritten();
  const { timeline, simulator, events } = scene;
  await scene.begin(200);
  for (let shard = 0; shard < 200; shard++) await scene.lease(id(shard), [`shardId-gone-${shard}`]);
  const { kinesis } = simulator;
  const listShards = kinesis.listShards.bind(kinesis);
  let lists = 0;
  kinesis.listShards = (...call) => {
    lists++;
    return listShards(...call);
  };
  scene.start();
  const acquired = (): number => events.filter(({ event }) => event.type === "lease-acquired").length;
  await timeline.run({ forMs: 60_000, until: () => acquired() === 200 });
  await timeline.run({ forMs: 10_000 });
  // The leader's own look, and the children's, each once in a while.
  expect(lists).toBeLessThanOrEqual(5);
  await scene.put("r", 50);
  await timeline.run({ forMs: 60_000, until: () => scene.seen.length === 50 });
  expect(scene.seen).toHaveLength(50);
  await scene.close();
});

test("a hand-off whose owner does not heed it ends after its time, although the owner renews [C8] (kcl.md 9.2, 11)", async () => {
  // A leader asked java-a to hand a lease to java-b, and died. java-a renews and never drains; java-b is gone. Neither
  // expiry nor the owner ends this: the next leader does, by its own clock.
  const scene = new HandWritten();
  const { timeline, events, leaseTable, seen } = scene;
  await scene.begin(1);
  await scene.put("r", 20);
  await scene.lease(id(0), [], "java-b");
  const asked = leaseTable.rows.get(id(0));
  await leaseTable.put({ ...asked, checkpointOwner: { S: "java-a" } }, []);
  const { system } = timeline.host("java-a");
  const isOwner = { attribute: "checkpointOwner", is: "equal", value: { S: "java-a" } } as const;
  const renew = (): void => {
    void leaseTable.update({ key: id(0), conditions: [isOwner], add: { leaseCounter: 1 } });
    system.schedule(3_300, renew);
  };
  renew();
  scene.start();
  await timeline.run({ forMs: 300_000, until: () => seen.length === 20 });
  expect(seen).toHaveLength(20);
  const gained = events.find(({ event }) => event.type === "leadership-gained")?.atMs ?? Infinity;
  const assigned = events.find(({ event }) => event.type === "lease-assigned");
  expect(assigned?.event).toMatchObject({ leaseKey: id(0), receiver: "w", cause: "hand-off-timed-out" });
  const waitedMs = (assigned?.atMs ?? Infinity) - gained;
  expect(waitedMs).toBeGreaterThan(handOffTimeoutMs + failoverTimeMs);
  expect(waitedMs).toBeLessThanOrEqual(handOffTimeoutMs + failoverTimeMs + failoverTimeMs / 2);
  await scene.close();
});
