import { describe, expect, test } from "vitest";
import { AcknowledgedIsStored } from "./checkers/acknowledged.ts";
import { EveryPutSettles } from "./checkers/settled.ts";
import { Ledger, type PutEntry } from "./components/ledger.ts";
import { runProducers } from "./run-seed.ts";
import { StoredLog } from "./world/stored-log.ts";

// More seeds, and longer, with `pnpm sim --seeds N`.
const seeds = Array.from({ length: 8 }, (_, index) => index + 1);

describe("producers against a Kinesis where everything goes wrong", () => {
  test.each(seeds)(
    "[C1] [C6] [C7] what is acknowledged is stored, nothing is unbounded, every put settles: seed %i",
    async (seed) => {
      const outcome = await runProducers(seed);
      expect(outcome.acknowledged).toBeGreaterThan(0);
    },
  );

  test("the same seed gives the same run, another seed another one", async () => {
    const first = await runProducers(3);
    expect(await runProducers(3)).toEqual(first);
    expect((await runProducers(2)).traceHash).not.toBe(first.traceHash);
  });
});

function pendingPut(ledger: Ledger): PutEntry {
  const entry: PutEntry = {
    id: "p.1.1",
    partitionKey: "k",
    bytes: 5,
    putAtMs: 0,
    fate: { kind: "pending" },
  };
  ledger.add(entry);
  return entry;
}

describe("the checkers", () => {
  test("[C1] see an acknowledgement of what is not there", () => {
    const ledger = new Ledger();
    const checker = new AcknowledgedIsStored(ledger, new StoredLog());
    const fate = { kind: "acknowledged", shardId: "shardId-000000000000", sequenceNumber: "1" } as const;
    ledger.settle(pendingPut(ledger), { ...fate, subSequenceNumber: undefined });
    expect(() => checker.check()).toThrow(/^\[C1\] p\.1\.1 was acknowledged .* not there$/);
    expect(() => checker.checkRead(new Set())).toThrow(/^\[C1\] p\.1\.1 .* no reader gets it$/);
  });

  test("[C7] see a put that never settles", () => {
    const ledger = new Ledger();
    pendingPut(ledger);
    expect(() => new EveryPutSettles(ledger).checkEnd()).toThrow("[C7] 1 puts never settled, p.1.1 first");
  });
});
