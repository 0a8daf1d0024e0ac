import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pendingRecord } from "../testing-support/pending.ts";
import { Collector } from "./collector.ts";
import { Fifo } from "./fifo.ts";
import { loneRecord } from "./records.ts";

const add = (collector: Collector, bytes: number, shardId = "a", acceptedAt = 0) =>
  collector.add(loneRecord(pendingRecord({ partitionKey: "k", bytes, acceptedAt }), shardId));

describe("the collector", () => {
  test("fills requests within their limits, keeps the order, and loses nothing [C6]", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 52_224, max: 2_000_000 }),
        (sizes, collectionMaxRecords, collectionMaxBytes) => {
          const collector = new Collector({ collectionMaxRecords, collectionMaxBytes });
          for (const size of sizes) add(collector, size);
          const taken: number[] = [];
          while (!collector.isEmpty) {
            const request = collector.take();
            const bytes = request.reduce((total, record) => total + record.sizeBytes, 0);
            expect(request.length).toBeLessThanOrEqual(collectionMaxRecords);
            // A record larger than a request should be still has to go.
            expect(bytes).toBeLessThanOrEqual(Math.max(collectionMaxBytes, request[0]?.sizeBytes ?? 0));
            taken.push(...request.map((record) => record.sizeBytes - 1));
          }
          expect(taken).toEqual(sizes);
          expect([collector.isFull, collector.dueAt]).toEqual([false, Infinity]);
        },
      ),
    );
  });

  test("goes when one shard has a quarter of a mebibyte, though the request has room", () => {
    const collector = new Collector({ collectionMaxRecords: 500, collectionMaxBytes: 5_242_880 });
    add(collector, 200_000, "a");
    add(collector, 200_000, "b");
    expect(collector.isFull).toBe(false);
    add(collector, 70_000, "a");
    expect(collector.isFull).toBe(true);
    collector.take();
    expect(collector.isFull).toBe(false);
  });

  test("is due with its most urgent record, or at once when told so", () => {
    const collector = new Collector({ collectionMaxRecords: 500, collectionMaxBytes: 5_242_880 });
    add(collector, 10, "a", 50);
    add(collector, 10, "a", 20);
    expect(collector.dueAt).toBe(120);
    collector.expedite(30);
    expect(collector.dueAt).toBe(30);
  });
});

test("a queue gives back in order what came in, whatever is done to it", () => {
  const action = fc.oneof(fc.constant("shift"), fc.constant("unshift"), fc.constant("drop-odd"), fc.integer());
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      const shifted: unknown[] = [];
      const modelShifted: unknown[] = [];
      for (const step of actions) {
        if (typeof step === "number") {
          fifo.push(step);
          model.push(step);
        } else if (step === "shift") {
          shifted.push([fifo.peek(), fifo.shift()]);
          modelShifted.push([model[0], model.shift()]);
        } else if (step === "unshift") {
          fifo.unshift([1, 2]);
          model.unshift(1, 2);
        } else {
          fifo.filter((item) => item % 2 === 0);
          model = model.filter((item) => item % 2 === 0);
        }
        expect([...fifo]).toEqual(model);
        expect(fifo.length).toBe(model.length);
      }
      expect(shifted).toEqual(modelShifted);
      expect(fifo.drain()).toEqual(model);
    }),
  );
});
