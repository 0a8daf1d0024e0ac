import type { Row } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { describe, expect, test } from "vitest";
import { Deliveries } from "./checkers/deliveries.ts";
import { Leases } from "./checkers/leases.ts";
import { Ledger } from "./components/ledger.ts";
import { runFleet } from "./run-seed.ts";

describe("producers and workers while everything goes wrong", () => {
  test.each([1, 2, 11])(
    "[C1] [C2] [C3] [C4] [C5] [C8] all that was acknowledged is delivered, in order, and the fleet heals: seed %i",
    async (seed) => {
      const outcome = await runFleet(seed);
      expect(outcome.acknowledged).toBeGreaterThan(0);
      expect(outcome.delivered).toBeGreaterThanOrEqual(outcome.acknowledged);
    },
  );
});

function leaseRow({ checkpoint, counter }: { checkpoint: string; counter: number }): Row {
  return { leaseKey: { S: "s" }, checkpoint: { S: checkpoint }, leaseCounter: { N: String(counter) } };
}

describe("the checkers of a fleet", () => {
  const delivery = { shardId: "shardId-000000000001", subSequenceNumber: 0, id: "p.1.1" };

  test("[C1] see what was acknowledged and not delivered", () => {
    const ledger = new Ledger();
    const checker = new Deliveries(ledger, new MemoryLeaseTable());
    const fate = { kind: "acknowledged", shardId: "s", sequenceNumber: "1", subSequenceNumber: undefined } as const;
    ledger.add({ id: "p.1.1", partitionKey: "k", data: new Uint8Array(1), putAtMs: 0, fate });
    expect(() => checker.checkEnd()).toThrow("[C1] p.1.1 was acknowledged, and no handler got it");
    checker.onHandler(delivery.shardId)({ ...delivery, sequenceNumber: 1n });
    expect(() => checker.checkEnd()).not.toThrow();
  });

  test("[C2] see a record that comes late", () => {
    const checker = new Deliveries(new Ledger(), new MemoryLeaseTable());
    const deliver = checker.onHandler(delivery.shardId);
    deliver({ ...delivery, sequenceNumber: 2n });
    expect(() => checker.check()).not.toThrow();
    deliver({ ...delivery, sequenceNumber: 2n });
    expect(() => checker.check()).toThrow("[C2] shardId-000000000001: p.1.1 came late");
  });

  test("[C5] see a child before its parent's end", async () => {
    const table = new MemoryLeaseTable();
    const parentShardId = { SS: ["shardId-000000000000"] };
    await table.put({ leaseKey: { S: "shardId-000000000000" }, checkpoint: { S: "7" } }, []);
    await table.put({ leaseKey: { S: delivery.shardId }, checkpoint: { S: "TRIM_HORIZON" }, parentShardId }, []);
    const checker = new Deliveries(new Ledger(), table);
    checker.onHandler(delivery.shardId)({ ...delivery, sequenceNumber: 1n });
    expect(() => checker.check()).toThrow("[C5] shardId-000000000001 was delivered before shardId-000000000000");
  });

  test.each([
    ["C3", { checkpoint: "9", counter: 1 }, { checkpoint: "10", counter: 1 }, undefined],
    ["C3", { checkpoint: "10", counter: 1 }, { checkpoint: "9", counter: 2 }, "[C3] the checkpoint of s went back"],
    [
      "C3",
      { checkpoint: "SHARD_END", counter: 1 },
      { checkpoint: "9", counter: 2 },
      "[C3] the checkpoint of s went back",
    ],
    ["C4", { checkpoint: "9", counter: 2 }, { checkpoint: "9", counter: 1 }, "[C4] the counter of s went back"],
  ])("[%s] see a lease that goes back: %j then %j", (_, before, after, message) => {
    const checker = new Leases(new MemoryLeaseTable());
    checker.onWrite("s", leaseRow(before), leaseRow(after));
    let thrown: string | undefined;
    try {
      checker.check();
    } catch (error) {
      thrown = (error as Error).message;
    }
    expect(thrown).toBe(message);
  });

  test("[C8] see leases without a live owner, and unfair shares", async () => {
    const table = new MemoryLeaseTable();
    const lease = (key: string, owner: string) =>
      table.put({ leaseKey: { S: key }, checkpoint: { S: "LATEST" }, leaseOwner: { S: owner } }, []);
    await lease("a", "w1");
    const checker = new Leases(table);
    expect(checker.unrest(["w1", "w2"])).toBeUndefined();
    expect(checker.unrest(["w2"])).toBe("a belongs to w1");
    await lease("b", "w1");
    expect(() => checker.checkRest(["w1", "w2"])).toThrow(/^\[C8\] .* shared out as 2, 0$/);
  });
});
