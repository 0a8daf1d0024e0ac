import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { describe, expect, test } from "vitest";
import { Consumer } from "./consumer.ts";
import type { ConsumerEvent } from "./events.ts";
import { MemoryLeaseTable } from "./io/memory-lease-table.ts";
import { parseLease } from "./leases/lease.ts";
import { FaultyTable, SharedTable } from "./testing-support/faulty-table.ts";

const failoverTimeMs = 10_000;
const lockMs = 20_000;
const calm = { maxDelayMs: 10, throttled: 0, answerLost: 0, requestLost: 0, staleMs: 200 };

interface Noted {
  readonly atMs: number;
  readonly worker: string;
  readonly event: ConsumerEvent;
}

/** Workers with default times on a calm timeline. */
class CalmFleet {
  readonly timeline = new Timeline({ seed: 7 });
  readonly simulator = new KinesisSimulator({ system: this.timeline.host("service").system });
  readonly history = new SharedTable(new MemoryLeaseTable());
  readonly noted: Noted[] = [];
  readonly consumers = new Map<string, Consumer>();
  scans = 0;
  writes = 0;

  constructor(shardCount: number) {
    this.simulator.createStream({ streamName: "clicks", shardCount });
    this.history.onWrite = () => {
      this.writes++;
    };
  }

  start(worker: string): void {
    const { system } = this.timeline.host(worker);
    const leaseTable = new FaultyTable(this.history, system, () => calm);
    const scan = leaseTable.scan.bind(leaseTable);
    leaseTable.scan = () => {
      this.scans++;
      return scan();
    };
    const onEvent = (event: ConsumerEvent): void => {
      this.noted.push({ atMs: this.timeline.nowMs, worker, event });
    };
    const consumer = new Consumer(
      { streamName: "clicks", applicationName: "app", workerId: worker, leaseTable, failoverTimeMs, onEvent },
      { kinesis: this.simulator.kinesis, system },
    );
    this.consumers.set(worker, consumer);
    void consumer.run(async (shard) => {
      for await (const batch of shard) await batch.checkpoint();
    });
  }

  get owners(): readonly string[] {
    return [...this.history.table.rows.values()].flatMap((row) => parseLease(row)?.leaseOwner ?? []);
  }

  get leader(): string {
    return this.noted.findLast(({ event }) => event.type === "leadership-gained")?.worker ?? "";
  }

  /** When the last shard that `from` had was acquired by another worker. */
  async movedFrom(from: string, forMs: number): Promise<number> {
    const beganMs = this.timeline.nowMs;
    const isMoved = (): boolean => {
      const running = new Set<string>();
      for (const { worker, event, atMs } of this.noted) {
        if (event.type === "lease-acquired" && worker !== from && atMs >= beganMs) running.add(event.shardId);
      }
      return !this.owners.includes(from) && running.size >= this.#heldBy(from, beganMs);
    };
    if ((await this.timeline.run({ until: isMoved, forMs })) !== "done") throw new Error(`${from} still has shards`);
    return this.timeline.nowMs - beganMs;
  }

  #heldBy(worker: string, beforeMs: number): number {
    const held = new Set<string>();
    for (const { worker: noted, event, atMs } of this.noted) {
      if (noted !== worker || atMs > beforeMs) continue;
      if (event.type === "lease-acquired") held.add(event.shardId);
      if (event.type === "lease-released" || event.type === "lease-lost") held.delete(event.shardId);
    }
    return held.size;
  }

  async settle(forMs = 30_000): Promise<void> {
    await this.timeline.run({ forMs });
  }

  async close(): Promise<void> {
    await this.timeline.settle(Promise.all([...this.consumers.values()].map((consumer) => consumer.close())));
    await this.simulator.close();
  }
}

async function fleetOf(workers: readonly string[], shardCount: number): Promise<CalmFleet> {
  const fleet = new CalmFleet(shardCount);
  for (const worker of workers) fleet.start(worker);
  await fleet.settle();
  expect(new Set(fleet.owners)).toEqual(new Set(workers));
  return fleet;
}

describe("the times of failover and hand-over, with default options", () => {
  test("a dead worker's shards are read on within 1.5 failover times, and a second", async () => {
    const fleet = await fleetOf(["a", "b", "c"], 6);
    const victim = ["a", "b", "c"].find((worker) => worker !== fleet.leader) ?? "";
    fleet.timeline.host(victim).kill();
    fleet.consumers.delete(victim);
    expect(await fleet.movedFrom(victim, 60_000)).toBeLessThanOrEqual(1.5 * failoverTimeMs + 1_000);
    await fleet.close();
  });

  test("a dead leader's shards are read on within its lock and two failover times", async () => {
    const fleet = await fleetOf(["a", "b", "c"], 6);
    const victim = fleet.leader;
    fleet.timeline.host(victim).kill();
    fleet.consumers.delete(victim);
    expect(await fleet.movedFrom(victim, 120_000)).toBeLessThanOrEqual(lockMs + 2 * failoverTimeMs);
    await fleet.close();
  });

  test("a worker that closes is followed within a second", async () => {
    const fleet = await fleetOf(["a", "b", "c"], 6);
    const victim = fleet.leader;
    void fleet.consumers.get(victim)?.close();
    expect(await fleet.movedFrom(victim, 30_000)).toBeLessThanOrEqual(1_000);
    await fleet.close();
  });

  test("children are read within a second of their parent's end", async () => {
    const fleet = await fleetOf(["a", "b"], 2);
    const { opened } = fleet.simulator.reshard({ streamName: "clicks", split: "shardId-000000000000" });
    const acquired = (): readonly Noted[] =>
      fleet.noted.filter(({ event }) => event.type === "lease-acquired" && opened.includes(event.shardId));
    await fleet.timeline.run({ until: () => acquired().length === 2, forMs: 30_000 });
    const endMs = fleet.noted.find(({ event }) => event.type === "shard-finished")?.atMs ?? Infinity;
    expect(acquired().map(({ atMs }) => atMs <= endMs + 1_000)).toEqual([true, true]);
    await fleet.close();
  });
});

test("two hundred shards and ten workers: balanced, and only the leader scans [C8]", async () => {
  const workers = Array.from({ length: 10 }, (_, index) => `w${index}`);
  const fleet = new CalmFleet(200);
  for (const worker of workers) fleet.start(worker);
  await fleet.settle(60_000);
  const counts = workers.map((worker) => fleet.owners.filter((owner) => owner === worker).length);
  expect(counts).toEqual(workers.map(() => 20));
  fleet.scans = 0;
  fleet.writes = 0;
  await fleet.settle(60_000);
  // The leader looks every quarter of the failover time; nobody else scans at all.
  expect(fleet.scans).toBeLessThanOrEqual(60_000 / (failoverTimeMs / 4) + 1);
  // A renewal every 4.2 s is all that an idle shard costs.
  expect(fleet.writes / 60 / 200).toBeLessThanOrEqual(0.25);
  await fleet.close();
});
