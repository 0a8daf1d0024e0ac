import { Aggregator } from "@millrace/aggregation";
import { afterEach, describe, expect, test } from "vitest";
import { Consumer } from "./consumer.ts";
import { ConsumerClosedError, ConsumerError, LeaseLostError } from "./errors.ts";
import { MemoryLeaseTable } from "./io/memory-lease-table.ts";
import { placeOf, type ConsumedRecord, type RecordBatch } from "./record.ts";
import { compareCheckpoints } from "./checkpoint/checkpoint.ts";
import { textOf } from "./leases/table-row.ts";
import { Fleet, type FleetOptions } from "./testing-support/fleet.ts";

let fleet: Fleet;

function createFleet(options: FleetOptions = {}): Fleet {
  fleet = new Fleet(options);
  return fleet;
}

afterEach(() => fleet.close());

describe("a fleet on one stream", () => {
  test("shares the shards evenly and delivers everything [C8]", async () => {
    createFleet({ shardCount: 5 });
    fleet.start("a");
    fleet.start("b");
    await fleet.put(100);
    await fleet.allDelivered();
    await fleet.until(() => Math.abs((fleet.heldCounts["a"] ?? 0) - (fleet.heldCounts["b"] ?? 0)) === 1);
    expect((fleet.heldCounts["a"] ?? 0) + (fleet.heldCounts["b"] ?? 0)).toBe(5);
  });

  test("hands shards to a worker that comes later, without delivering a record twice", async () => {
    createFleet({ shardCount: 4 });
    fleet.start("a");
    await fleet.put(50);
    await fleet.allDelivered();
    fleet.start("b");
    await fleet.until(() => fleet.heldCounts["b"] === 2);
    await fleet.put(50);
    await fleet.allDelivered();
    expect(fleet.deliveries).toHaveLength(100);
    expect(new Set(fleet.deliveries.slice(50).map((delivery) => delivery.worker))).toEqual(new Set(["a", "b"]));
  });

  test("takes over the shards of a worker that dies, from its checkpoints [C1]", async () => {
    createFleet({ shardCount: 4 });
    fleet.start("survivor");
    const victim = fleet.start("victim");
    await fleet.until(() => fleet.heldCounts["victim"] === 2);
    await fleet.put(50);
    await fleet.allDelivered();
    await victim.abandon();
    await fleet.put(50);
    await fleet.until(() => fleet.heldCounts["survivor"] === 4);
    await fleet.allDelivered();
    expect(fleet.deliveries).toHaveLength(100);
  });

  test("goes on when the leader dies", async () => {
    createFleet({ shardCount: 2 });
    const leader = fleet.start("leader");
    await fleet.event("leadership-gained");
    fleet.start("follower");
    await fleet.until(() => fleet.heldCounts["follower"] === 1);
    await leader.abandon();
    await fleet.event("leadership-gained", (event) => event.worker === "follower");
    await fleet.put(40);
    await fleet.allDelivered();
    expect(new Set(fleet.deliveries.map((delivery) => delivery.worker))).toEqual(new Set(["follower"]));
  });

  test("gives its shards to a peer at once when it closes", async () => {
    createFleet({ shardCount: 2 });
    const leaving = fleet.start("leaving");
    await fleet.until(() => fleet.heldCounts["leaving"] === 2);
    fleet.start("staying", undefined, { maxLeasesPerWorker: 100 });
    await fleet.event("started", (event) => event.worker === "staying");
    await leaving.close();
    await fleet.until(() => fleet.heldCounts["staying"] === 2);
    const released = fleet.events.filter((event) => event.type === "lease-released" && event.worker === "leaving");
    expect(released.every((event) => event.type === "lease-released" && event.receiver === "staying")).toBe(true);
    expect(fleet.events.some((event) => event.type === "lease-lost")).toBe(false);
  });
});

describe("resharding", () => {
  test("delivers a shard's children after it, split and merged, in any fleet [C5] [C2]", async () => {
    createFleet({ shardCount: 2 });
    fleet.start("a");
    fleet.start("b");
    await fleet.put(60);
    const [first = "", second = ""] = fleet.simulator.reshard({
      streamName: "clicks",
      split: "shardId-000000000000",
    }).opened;
    await fleet.put(60);
    fleet.simulator.reshard({ streamName: "clicks", merge: [first, second] });
    await fleet.put(60);
    await fleet.allDelivered();
    const order = (shardId: string): { first: number; last: number } => {
      const indexes = fleet.deliveries.flatMap((delivery, index) => (delivery.shardId === shardId ? [index] : []));
      return { first: Math.min(...indexes), last: Math.max(...indexes) };
    };
    expect(order("shardId-000000000000").last).toBeLessThan(Math.min(order(first).first, order(second).first));
    const merged = order("shardId-000000000004");
    expect(Math.max(order(first).last, order(second).last)).toBeLessThan(merged.first);
    expect(fleet.deliveries).toHaveLength(180);
    for (const shardId of new Set(fleet.deliveries.map((delivery) => delivery.shardId))) {
      const places = fleet.deliveries.filter((delivery) => delivery.shardId === shardId).map((d) => placeOf(d.record));
      expect(places.toSorted(compareCheckpoints)).toEqual(places);
    }
  });

  test("stores SHARD_END only after the children have leases", async () => {
    const table = new MemoryLeaseTable();
    createFleet({ shardCount: 1, leaseTable: table });
    fleet.start("a");
    await fleet.put(10);
    await fleet.allDelivered();
    fleet.simulator.reshard({ streamName: "clicks", split: "shardId-000000000000" });
    await fleet.event("shard-finished");
    const parent = table.rows.get("shardId-000000000000");
    expect(parent?.["checkpoint"]).toEqual({ S: "SHARD_END" });
    expect(parent?.["childShardIds"]).toEqual({ SS: ["shardId-000000000001", "shardId-000000000002"] });
    for (const id of ["shardId-000000000001", "shardId-000000000002"]) {
      expect(table.rows.get(id)?.["parentShardId"]).toEqual({ SS: ["shardId-000000000000"] });
    }
  });
});

describe("a handler", () => {
  test("that throws gets the batch again: none is skipped [C1]", async () => {
    createFleet({ shardCount: 1 });
    let calls = 0;
    fleet.start("a", async (shard) => {
      for await (const batch of shard) {
        calls++;
        if (calls <= 2) throw new Error("the store is down");
        for (const record of batch.records) fleet.note("a", shard.shardId, record);
        await batch.checkpoint();
      }
    });
    await fleet.put(20);
    await fleet.allDelivered();
    expect(fleet.deliveries).toHaveLength(20);
    expect(fleet.events.filter((event) => event.type === "handler-failed")).toHaveLength(2);
  });

  test("that leaves its loop early is called again from the checkpoint", async () => {
    createFleet({ shardCount: 1 });
    fleet.start("a", async (shard) => {
      for await (const batch of shard) {
        for (const record of batch.records) fleet.note("a", shard.shardId, record);
        await batch.checkpoint();
        return;
      }
    });
    await fleet.put(5);
    await fleet.allDelivered();
    await fleet.put(5);
    await fleet.allDelivered();
    expect(fleet.deliveries).toHaveLength(10);
    await fleet.event("handler-left-early");
  });

  test("that checkpoints inside an aggregate resumes at the next user record", async () => {
    createFleet({ shardCount: 1 });
    const aggregator = new Aggregator();
    for (let index = 0; index < 10; index++) aggregator.add({ partitionKey: `k${index}`, data: `m${index}` });
    const { data, partitionKey, explicitHashKey } = aggregator.build();
    await fleet.putRecords([{ data, partitionKey, explicitHashKey }]);
    const starts: string[] = [];
    let calls = 0;
    fleet.start("a", async (shard) => {
      calls++;
      starts.push(`${shard.startedFrom.subSequenceNumber}`);
      for await (const batch of shard) {
        for (const record of batch.records) {
          fleet.note("a", shard.shardId, record);
          if (calls > 1 || record.subSequenceNumber !== 3) continue;
          await batch.checkpoint(record);
          throw new Error("stopped in the middle");
        }
        await batch.checkpoint();
      }
    });
    await fleet.until(() => fleet.deliveries.length >= 10);
    expect(fleet.deliveries.map((delivery) => delivery.text)).toEqual(Array.from({ length: 10 }, (_, i) => `m${i}`));
    expect(starts).toEqual(["0", "3"]);
  });

  test("learns at once that its lease is lost, and can store nothing after [C4]", async () => {
    const table = new MemoryLeaseTable();
    createFleet({ shardCount: 1, leaseTable: table });
    let lost: unknown;
    let refused: unknown;
    fleet.start("a", async (shard) => {
      for await (const batch of shard) {
        // Another worker takes the lease while this handler works on its batch.
        await table.update({
          key: shard.shardId,
          conditions: [],
          set: { leaseOwner: { S: "thief" } },
          add: { leaseCounter: 1 },
        });
        await new Promise<void>((resolve) => {
          shard.signal.addEventListener("abort", () => resolve());
        });
        lost = shard.signal.reason;
        refused = await batch.checkpoint().catch((error: unknown) => error);
        fleet.tick();
      }
    });
    await fleet.put(1);
    await fleet.until(() => refused !== undefined);
    expect(lost).toBeInstanceOf(LeaseLostError);
    expect(refused).toBeInstanceOf(LeaseLostError);
    expect((lost as LeaseLostError).reason).toBe("taken");
    expect(textOf(table.rows.get("shardId-000000000000") ?? {}, "checkpoint")).toBe("TRIM_HORIZON");
    expect(fleet.events.some((event) => event.type === "handler-failed")).toBe(false);
  });

  test("finds its position after a failed batch where its riding checkpoint was", async () => {
    createFleet({ shardCount: 1 });
    const consumer = fleet.consumer("a");
    const failed = new Set<string>();
    const run = consumer.runEach(async (record, context) => {
      if (record.text() === "r3" && !failed.has("r3")) {
        failed.add("r3");
        throw new Error("once");
      }
      expect(context.attempt).toBe(record.text() === "r3" ? 2 : 1);
      fleet.note("a", context.shardId, record);
    });
    await fleet.put(8);
    await fleet.allDelivered();
    await consumer.close();
    await run;
    expect(fleet.deliveries.map((delivery) => delivery.text).toSorted()).toEqual(
      Array.from({ length: 8 }, (_, i) => `r${i}`),
    );
    // What rode along is stored before the lease is given up.
    const row = await fleet.leaseTable.get("shardId-000000000000");
    const stored = row.ok ? textOf(row.value ?? {}, "checkpoint") : undefined;
    expect(stored).toBe(fleet.deliveries.at(-1)?.record.sequenceNumber);
  });

  test("may only checkpoint records of its batch", async () => {
    createFleet({ shardCount: 1 });
    let refused: unknown;
    let first: ConsumedRecord | undefined;
    fleet.start("a", async (shard) => {
      for await (const batch of shard) {
        const [record] = batch.records;
        if (first === undefined) first = record;
        else refused = await batch.checkpoint(first).catch((error: unknown) => error);
        await batch.checkpoint();
        fleet.tick();
      }
    });
    await fleet.put(1);
    await fleet.until(() => first !== undefined);
    await fleet.put(1);
    await fleet.until(() => refused !== undefined);
    expect(refused).toBeInstanceOf(RangeError);
  });
});

describe("LATEST", () => {
  test("delivers what came after the lease was made, even when the first owner dies without a checkpoint [C1]", async () => {
    createFleet({ shardCount: 1 });
    await fleet.put(3);
    fleet.simulator.clock.advance(10_000);
    const first = fleet.start("first", () => new Promise(() => undefined), { initialPosition: "LATEST" });
    await fleet.event("lease-acquired");
    fleet.simulator.clock.advance(2_000);
    await fleet.put(3);
    await first.abandon();
    fleet.start("second", undefined, { initialPosition: "LATEST" });
    await fleet.until(() => fleet.deliveries.length >= 3);
    expect(fleet.deliveries.map((delivery) => delivery.text).toSorted()).toEqual(["r3", "r4", "r5"]);
  });
});

describe("the consumer", () => {
  test("gives all shards in one loop, and closes when the loop is left", async () => {
    createFleet({ shardCount: 3 });
    const consumer = fleet.consumer("a");
    await fleet.put(30);
    const seen = new Set<string>();
    for await (const batch of consumer.batches()) {
      for (const record of batch.records) seen.add(record.text());
      await batch.checkpoint();
      if (seen.size === 30) break;
    }
    expect(seen.size).toBe(30);
    await fleet.event("stopped");
  });

  test("ends its loop when the signal aborts", async () => {
    createFleet({ shardCount: 1 });
    const consumer = fleet.consumer("a");
    const stopping = new AbortController();
    const batches: RecordBatch[] = [];
    await fleet.put(1);
    for await (const batch of consumer.batches({ signal: stopping.signal })) {
      batches.push(batch);
      await batch.checkpoint();
      stopping.abort();
    }
    expect(batches).toHaveLength(1);
  });

  test("rejects when the stream does not exist, and says so", async () => {
    createFleet();
    const consumer = fleet.consumer("a", { streamName: "nowhere" });
    const failure = await consumer.run(async () => undefined).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConsumerError);
    expect((failure as ConsumerError).message).toMatch(/nowhere/);
  });

  test("runs once", async () => {
    createFleet();
    const consumer = fleet.start("a");
    await expect(consumer.run(async () => undefined)).rejects.toBeInstanceOf(ConsumerClosedError);
    await consumer.close();
    await consumer.close();
    await expect(consumer.run(async () => undefined)).rejects.toBeInstanceOf(ConsumerClosedError);
  });

  test("loses its leases at once when close is told not to wait", async () => {
    createFleet({ shardCount: 1 });
    let reason: unknown;
    const consumer = fleet.start("a", (shard) => {
      return new Promise((resolve) => {
        shard.signal.addEventListener("abort", () => {
          reason = shard.signal.reason;
          resolve();
        });
      });
    });
    await fleet.event("lease-acquired");
    const force = new AbortController();
    const closing = consumer.close({ signal: force.signal });
    force.abort();
    await closing;
    expect(reason).toBeInstanceOf(LeaseLostError);
  });

  test.each([
    [{ streamName: "clicks" }, "applicationName"],
    [{ applicationName: "app" }, "streamName"],
    [{ streamName: "clicks", applicationName: "app", failoverTimeMs: 10 }, "failoverTimeMs"],
    [{ streamName: "clicks", applicationName: "app", failoverTimeMsec: 10 }, "Did you mean failoverTimeMs"],
    [{ streamName: "clicks", applicationName: "app", initialPosition: "EARLIEST" }, "TRIM_HORIZON"],
    [{ streamName: "clicks", applicationName: "a b" }, "applicationName"],
  ])("refuses %j", (options, text) => {
    createFleet();
    expect(() => new Consumer(options as never)).toThrow(text);
  });
});
