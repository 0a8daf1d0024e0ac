import type { Row } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { describe, expect, test } from "vitest";
import { Deliveries } from "./checkers/deliveries.ts";
import { FinishedPrefix } from "./checkers/finished-prefix.ts";
import { KeyOrder } from "./checkers/key-order.ts";
import { Leases } from "./checkers/leases.ts";
import { Ledger } from "./components/ledger.ts";
import { createFleetWorld, runFleetWorld } from "./fleet.ts";
import { runFleet } from "./run-seed.ts";
import { runScale } from "./scale.ts";
import type { Checker } from "./world/checker.ts";
import { Coverage } from "./world/coverage.ts";
import { StoredLog, type StoredMember } from "./world/stored-log.ts";

// More seeds, and longer, with `pnpm sim --seeds N`.
const loadedMs = 120_000;

describe("producers and workers while everything goes wrong", () => {
  test.each([1, 2, 11])(
    "[C1] [C2] [C3] [C4] [C5] [C8] [C11] all that was acknowledged is delivered, in order, and the fleet heals: seed %i",
    async (seed) => {
      const outcome = await runFleet(seed, loadedMs);
      expect(outcome.acknowledged).toBeGreaterThan(0);
      expect(outcome.delivered).toBeGreaterThanOrEqual(outcome.acknowledged);
    },
  );

  test("the same seed gives the same run, another seed another one", async () => {
    const first = await runFleet(4, loadedMs);
    expect(await runFleet(4, loadedMs)).toEqual(first);
    expect((await runFleet(6, loadedMs)).traceHash).not.toBe(first.traceHash);
  });

  test("[C3] [C4] a lease table that accepts every write is found out", async () => {
    const parts = createFleetWorld(2);
    const memory = parts.table.table;
    const update = memory.update.bind(memory);
    memory.update = (change) => update({ ...change, conditions: [] });
    await expect(runFleetWorld(parts, loadedMs)).rejects.toThrow(/^\[C[34]\]/);
  });
});

test("[C8] a fleet at rest is balanced, only its leader scans, and a shard costs what its renewals do", async () => {
  // 2,000 shards and 20 workers with `pnpm sim --scale`.
  const outcome = await runScale(60, 6);
  expect(outcome.scanners).toBe(1);
  expect(outcome.writesPerShardPerSecond).toBeLessThanOrEqual(0.25);
});

test("what happened in no world is named", () => {
  const coverage = new Coverage({ takeovers: 2 });
  coverage.note("handOffs", 0);
  expect(coverage.missing(["takeovers", "handOffs", "splits"])).toEqual(["handOffs", "splits"]);
});

interface LeaseFields {
  readonly checkpoint: string;
  readonly sub?: number;
  readonly counter?: number;
  readonly owner?: string;
  readonly drainedBy?: string;
}

function leaseRow({ checkpoint, sub = 0, counter = 1, owner = "w", drainedBy }: LeaseFields): Row {
  return {
    leaseKey: { S: "s" },
    checkpoint: { S: checkpoint },
    checkpointSubSequenceNumber: { N: String(sub) },
    leaseCounter: { N: String(counter) },
    leaseOwner: { S: owner },
    ...(drainedBy === undefined ? {} : { checkpointOwner: { S: drainedBy } }),
  };
}

function member(id: string): StoredMember {
  return { id, bytes: 5, isIntact: true, partitionKey: "k" };
}

function complaint(id: string): string {
  return `[C11] a checkpoint of w passes ${id} of s, which no handler has finished`;
}

/** What a checker says; undefined when it is content. */
function complaintOf(checker: Checker): string | undefined {
  try {
    checker.check();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("the checkers of a fleet", () => {
  const shardId = "shardId-000000000001";
  const delivery = { subSequenceNumber: 0, id: "p.1.1" };

  test("[C1] see what was acknowledged and not delivered", () => {
    const ledger = new Ledger();
    const checker = new Deliveries(ledger, new Map());
    const entry = { id: "p.1.1", partitionKey: "k", bytes: 1, putAtMs: 0, fate: { kind: "pending" } } as const;
    const fate = { kind: "acknowledged", shardId: "s", sequenceNumber: "1", subSequenceNumber: undefined } as const;
    ledger.settle({ ...entry }, fate);
    expect(() => checker.checkEnd()).toThrow("[C1] p.1.1 was acknowledged, and no handler got it");
    checker.onHandler(shardId)({ ...delivery, sequenceNumber: 1n });
    expect(() => checker.checkEnd()).not.toThrow();
  });

  test("[C2] see a record that comes late", () => {
    const checker = new Deliveries(new Ledger(), new Map());
    const deliver = checker.onHandler(shardId);
    deliver({ ...delivery, sequenceNumber: 2n });
    expect(complaintOf(checker)).toBeUndefined();
    deliver({ ...delivery, sequenceNumber: 2n });
    expect(complaintOf(checker)).toBe("[C2] shardId-000000000001: p.1.1 came late");
  });

  test("[C5] see a child before its parent's end", async () => {
    const table = new MemoryLeaseTable();
    const parentShardId = { SS: ["shardId-000000000000"] };
    await table.put({ leaseKey: { S: "shardId-000000000000" }, checkpoint: { S: "7" } }, []);
    await table.put({ leaseKey: { S: shardId }, checkpoint: { S: "TRIM_HORIZON" }, parentShardId }, []);
    const checker = new Deliveries(new Ledger(), table.rows);
    checker.onHandler(shardId)({ ...delivery, sequenceNumber: 1n });
    expect(complaintOf(checker)).toBe("[C5] shardId-000000000001 was delivered before shardId-000000000000 had ended");
  });

  test.each<[string, LeaseFields, LeaseFields, string | undefined]>([
    ["C3", { checkpoint: "9" }, { checkpoint: "10" }, undefined],
    ["C3", { checkpoint: "10" }, { checkpoint: "9", counter: 2 }, "[C3] the checkpoint of s went back"],
    ["C3", { checkpoint: "9", sub: 2 }, { checkpoint: "9", sub: 1 }, "[C3] the checkpoint of s went back"],
    ["C3", { checkpoint: "SHARD_END" }, { checkpoint: "9", counter: 2 }, "[C3] the checkpoint of s went back"],
    ["C4", { checkpoint: "9", counter: 2 }, { checkpoint: "9" }, "[C4] the counter of s went back"],
    ["C4", { checkpoint: "9", owner: "v" }, { checkpoint: "9", owner: "w", counter: 2 }, undefined],
    [
      "C4",
      { checkpoint: "9", owner: "v" },
      { checkpoint: "10", owner: "v", counter: 2 },
      "[C4] w wrote the lease of s, which v has",
    ],
    [
      "C4",
      { checkpoint: "9", drainedBy: "v" },
      { checkpoint: "9", drainedBy: "v", counter: 2 },
      "[C4] w wrote the lease of s, which v has",
    ],
  ])("[%s] see a write that must not be: %j then %j", (_, before, after, expected) => {
    const checker = new Leases(new Map(), "count");
    checker.onWrite({ key: "s", before: leaseRow(before), after: leaseRow(after), writer: "w" });
    expect(complaintOf(checker)).toBe(expected);
  });

  test("[C4] see the deletion of a lease whose shard has not ended", () => {
    const checker = new Leases(new Map(), "count");
    checker.onWrite({ key: "s", before: leaseRow({ checkpoint: "SHARD_END" }), after: undefined, writer: "w" });
    expect(complaintOf(checker)).toBeUndefined();
    checker.onWrite({ key: "s", before: leaseRow({ checkpoint: "9" }), after: undefined, writer: "w" });
    expect(complaintOf(checker)).toBe("[C4] w deleted the lease of s, whose shard has not ended");
  });

  test("[C8] see leases without a live owner, and unfair shares", async () => {
    const table = new MemoryLeaseTable();
    const lease = (key: string, owner: string) =>
      table.put({ leaseKey: { S: key }, checkpoint: { S: "LATEST" }, leaseOwner: { S: owner } }, []);
    await lease("a", "w1");
    const checker = new Leases(table.rows, "count");
    expect(checker.unrest(["w1", "w2"])).toBeUndefined();
    expect(checker.unrest(["w2"])).toBe("a belongs to w1");
    await lease("b", "w1");
    expect(() => checker.checkRest(["w1", "w2"])).toThrow(/^\[C8\] .* shared out as 2, 0$/);
  });

  describe("[C1] [C11] see a checkpoint that covers what no handler has finished", () => {
    test.each<[string, readonly (readonly [bigint, number])[], LeaseFields, string | undefined]>([
      [
        "all finished",
        [
          [7n, 0],
          [7n, 1],
          [8n, 0],
        ],
        { checkpoint: "8" },
        undefined,
      ],
      ["a part, and only that is covered", [[7n, 0]], { checkpoint: "7", sub: 0 }, undefined],
      ["a part, and the whole aggregate is covered", [[7n, 0]], { checkpoint: "7", sub: 1 }, complaint("b")],
      ["the second, not the first", [[8n, 0]], { checkpoint: "8" }, complaint("a")],
      [
        "all but the last, at the end of the shard",
        [
          [7n, 0],
          [7n, 1],
        ],
        { checkpoint: "SHARD_END" },
        complaint("c"),
      ],
    ])("%s", (_, finished, after, expected) => {
      const stored = new StoredLog();
      const checker = new FinishedPrefix(stored, () => "C11");
      // The answer of the second was late.
      stored.add("s", "8", [member("c")]);
      stored.add("s", "7", [member("a"), member("b")]);
      for (const [sequenceNumber, subSequenceNumber] of finished) {
        checker.onFinished("s", { sequenceNumber, subSequenceNumber });
      }
      const before = leaseRow({ checkpoint: "TRIM_HORIZON" });
      checker.onWrite({ key: "s", before, after: leaseRow(after), writer: "w" });
      expect(complaintOf(checker)).toBe(expected);
    });
  });

  test("[C11] see records of one key side by side, out of order, or passed over after a failure", () => {
    const lease = new AbortController().signal;
    const calls = (checker: KeyOrder, ...steps: readonly (readonly [bigint, boolean | undefined])[]) => {
      for (const [at, outcome] of steps) {
        const end = checker.begin(lease, "s", "k", { sequenceNumber: at, subSequenceNumber: 0 });
        if (outcome !== undefined) end(outcome);
      }
      return complaintOf(checker);
    };
    expect(calls(new KeyOrder(), [1n, true], [2n, false], [2n, true], [3n, undefined])).toBeUndefined();
    expect(calls(new KeyOrder(), [1n, undefined], [2n, true])).toMatch(/^\[C11\] s k: .* while another/);
    expect(calls(new KeyOrder(), [2n, true], [1n, true])).toMatch(/^\[C11\] s k: 1:0 after 2:0, which succeeded/);
    expect(calls(new KeyOrder(), [1n, false], [2n, true])).toMatch(/^\[C11\] s k: 2:0 after 1:0, which failed/);
  });
});
