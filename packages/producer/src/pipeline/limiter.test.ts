import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pendingRecord } from "../testing-support/pending.ts";
import { Limiter } from "./limiter.ts";
import { loneRecord, type OutgoingRecord } from "./records.ts";

const shardId = "shardId-000000000000";
const outgoing = (bytes: number) => loneRecord(pendingRecord({ partitionKey: "k", bytes }), shardId);

describe("the limiter", () => {
  test("lets no more through than a shard's rate and one second's burst, whatever comes [C6]", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 200 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 60_000 })), { maxLength: 400 }),
        (rateLimitPercent, arrivals) => {
          const limiter = new Limiter({ rateLimitPercent });
          let now = 0;
          let records = 0;
          let bytes = 0;
          const pass = (passed: OutgoingRecord) => {
            records += 1;
            bytes += passed.sizeBytes;
          };
          for (const [gapMs, size] of arrivals) {
            now += gapMs;
            limiter.release(now, pass);
            const arrived = outgoing(size);
            if (limiter.admit(shardId, arrived, now)) pass(arrived);
            const seconds = 1 + now / 1000;
            const rate = rateLimitPercent / 100;
            // One record may leave a debt: a bucket that is full lets any record pass.
            expect(records).toBeLessThanOrEqual(1_000 * rate * seconds + 1);
            expect(bytes).toBeLessThanOrEqual(1_048_576 * rate * seconds + 60_001);
          }
        },
      ),
    );
  });

  test("keeps the order of a shard's records, retried ones first", () => {
    const limiter = new Limiter({ rateLimitPercent: 100 });
    const all = [900_000, 900_000, 10, 20].map(outgoing);
    const [first, second, third, retried] = all as [OutgoingRecord, OutgoingRecord, OutgoingRecord, OutgoingRecord];
    expect([first, second, third].map((record) => limiter.admit(shardId, record, 0))).toEqual([true, false, false]);
    limiter.requeueFirst(shardId, [retried], 0);
    const passed: OutgoingRecord[] = [];
    for (let now = 0; now < 2_000; now = Math.max(now + 1, limiter.nextReleaseAt(now))) {
      limiter.release(now, (record) => passed.push(record));
      if (!limiter.hasBacklog) break;
    }
    expect(passed).toEqual([retried, second, third]);
  });

  test("a record larger than the bucket passes when it is full, and what follows waits for the debt", () => {
    const limiter = new Limiter({ rateLimitPercent: 100 });
    expect(limiter.admit(shardId, outgoing(10_000_000), 0)).toBe(true);
    expect(limiter.admit(shardId, outgoing(10), 0)).toBe(false);
    expect(limiter.nextReleaseAt(0)).toBeGreaterThan(8_000);
  });

  test("a throttle lowers the shard's rate once per window, and quiet time raises it again", () => {
    const limiter = new Limiter({ rateLimitPercent: 100 });
    expect(limiter.admit(shardId, outgoing(10), 0)).toBe(true);
    expect([limiter.throttled(shardId, 0, 0.5), limiter.throttled(shardId, 100, 0.5)]).toEqual([true, false]);
    expect(limiter.factorOf(shardId)).toBeCloseTo(0.7);
    limiter.throttled(shardId, 300, 0.5);
    expect(limiter.factorOf(shardId)).toBeLessThan(0.6);
    expect(limiter.admit(shardId, outgoing(10), 300)).toBe(false);
    for (let now = 1_000; now <= 12_000; now += 1_000) limiter.stored(shardId, now);
    expect(limiter.factorOf(shardId)).toBe(1);
  });

  test("other shards do not feel one shard's throttle", () => {
    const limiter = new Limiter({ rateLimitPercent: 100 });
    limiter.throttled(shardId, 0, 0.99);
    expect(limiter.admit("other", outgoing(10), 0)).toBe(true);
  });
});
