import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalRanges, maxHashKey } from "./hash-key.ts";
import { RecordLog, type StoredRecord } from "./record-log.ts";
import { SequenceNumbers } from "./sequence-number.ts";
import { StillSimulator } from "./testing-support/still-simulator.ts";

const streamName = "clicks";

interface ListedShard {
  readonly ShardId: string;
  readonly ParentShardId?: string;
  readonly AdjacentParentShardId?: string;
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  readonly SequenceNumberRange: { readonly StartingSequenceNumber: string; readonly EndingSequenceNumber?: string };
}

async function listAll(simulator: StillSimulator): Promise<ListedShard[]> {
  return (await simulator.call("ListShards", { StreamName: streamName }))["Shards"] as ListedShard[];
}

describe("hash ranges", () => {
  test("of a new stream are those that CreateStream gives", () => {
    expect(equalRanges(1)).toEqual([{ start: 0n, end: 340282366920938463463374607431768211455n }]);
    expect(equalRanges(2)).toEqual([
      { start: 0n, end: 170141183460469231731687303715884105727n },
      { start: 170141183460469231731687303715884105728n, end: 340282366920938463463374607431768211455n },
    ]);
    expect(equalRanges(3).map((range) => range.start)).toEqual([
      0n,
      113427455640312821154458202477256070485n,
      226854911280625642308916404954512140970n,
    ]);
  });

  test("of the open shards cover the ring without a gap, whatever is split and merged; families stay true", async () => {
    const step = fc.record({
      kind: fc.constantFrom("split", "merge", "count"),
      which: fc.nat(),
      where: fc.bigInt(0n, maxHashKey),
      target: fc.integer({ min: 1, max: 9 }),
    });
    const defects: string[] = [];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 8 }), async (shardCount, steps) => {
        const simulator = new StillSimulator();
        simulator.createStream({ streamName, shardCount });
        for (const { kind, which, where, target } of steps) {
          const open = (await listAll(simulator)).filter((shard) => !shard.SequenceNumberRange.EndingSequenceNumber);
          const sorted = open.toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
          const index = which % sorted.length;
          const [shard, next] = [sorted[index], sorted[index + 1]];
          if (kind === "count") simulator.reshard({ streamName, targetShardCount: target });
          else if (kind === "merge" && shard && next) {
            simulator.reshard({ streamName, merge: [next.ShardId, shard.ShardId] });
          } else if (kind === "split" && shard) {
            const [start, end] = [startOf(shard), BigInt(shard.HashKeyRange.EndingHashKey)];
            if (end - start < 4n) continue;
            simulator.reshard({
              streamName,
              split: shard.ShardId,
              newStartingHashKey: start + 2n + (where % (end - start - 3n)),
            });
          }
          simulator.clock.advance(1000);
        }
        defects.push(...findDefects(await listAll(simulator)));
        return defects.length === 0;
      }),
      { numRuns: 60 },
    );
    expect(defects).toEqual([]);
  });
});

function startOf(shard: ListedShard): bigint {
  return BigInt(shard.HashKeyRange.StartingHashKey);
}

/** What is wrong with the shards of a stream: gaps on the ring, parents that are open or come later. */
function findDefects(shards: readonly ListedShard[]): string[] {
  const defects: string[] = [];
  const byId = new Map(shards.map((shard) => [shard.ShardId, shard]));
  const open = shards.filter((shard) => shard.SequenceNumberRange.EndingSequenceNumber === undefined);
  let next = 0n;
  for (const shard of open.toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1))) {
    if (startOf(shard) !== next) defects.push(`${shard.ShardId} does not begin at ${next}`);
    next = BigInt(shard.HashKeyRange.EndingHashKey) + 1n;
  }
  if (next !== 2n ** 128n) defects.push(`the open shards end at ${next}`);
  for (const shard of shards) {
    for (const parentId of [shard.ParentShardId, shard.AdjacentParentShardId]) {
      if (parentId === undefined) continue;
      const range = byId.get(parentId)?.SequenceNumberRange;
      if (range?.EndingSequenceNumber === undefined) defects.push(`${parentId}, a parent, is open or unknown`);
      const parentStart = BigInt(range?.StartingSequenceNumber ?? 0);
      if (BigInt(shard.SequenceNumberRange.StartingSequenceNumber) <= parentStart) {
        defects.push(`${shard.ShardId} has numbers before its parent's`);
      }
    }
  }
  return defects;
}

describe("sequence numbers", () => {
  test("are read back as the place they were made for, and rise with it", () => {
    const second = fc.integer({ min: 1_700_000_000, max: 2 ** 32 });
    fc.assert(
      fc.property(fc.nat(100_000), second, fc.nat(2 ** 40), fc.nat(1000), (index, created, counter, later) => {
        const numbers = new SequenceNumbers(index, created);
        const text = numbers.format(counter, created + later);
        expect(text).toMatch(/^\d{56}$/);
        expect(numbers.parse(text)).toEqual({ counter, value: BigInt(text) });
        expect(BigInt(numbers.format(counter + 1, created))).toBeGreaterThan(BigInt(text));
        expect(BigInt(numbers.formatEnd(created))).toBeGreaterThan(BigInt(text));
        expect(new SequenceNumbers(index, created + 1).parse(text)).toBeUndefined();
      }),
    );
  });
});

describe("the log of a shard", () => {
  test("finds what a plain list finds, through any trimming", () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant("push" as const), afterMs: fc.integer({ min: -3, max: 10 }) }),
      fc.record({ kind: fc.constant("trim" as const), records: fc.nat(4) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), fc.nat(1500), (commands, before) => {
        const log = new RecordLog();
        const model: { counter: number; record: StoredRecord }[] = [];
        let arrivalMs = 1000;
        let counter = 1;
        const push = () => {
          const record = { arrivalMs, bytes: 10 } as StoredRecord;
          log.push(record);
          model.push({ counter: counter++, record });
        };
        for (let index = 0; index < before; index++) push();
        // Enough to make the log move what is left.
        for (let index = 0; index < before * 0.9; index++) {
          log.trimOldest();
          model.shift();
        }
        for (const step of commands) {
          if (step.kind === "push") {
            arrivalMs += step.afterMs;
            push();
          } else {
            for (let index = 0; index < step.records; index++) {
              log.trimOldest();
              model.shift();
            }
          }
          expect(log.trimHorizon).toBe(model[0]?.counter ?? counter);
          expect(log.tip).toBe(counter);
          expect(log.storedBytes).toBe(model.length * 10);
        }
        for (const entry of model) expect(log.recordAt(entry.counter)).toBe(entry.record);
        for (const atMs of [0, 1000, arrivalMs, arrivalMs + 100]) {
          const first = model.find((entry) => entry.record.arrivalMs >= atMs);
          expect(log.counterAtTime(atMs)).toBe(first?.counter ?? counter);
        }
      }),
      { numRuns: 60 },
    );
  });
});
