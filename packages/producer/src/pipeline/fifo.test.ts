import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "./fifo.ts";

test("does what an array does, whatever comes in at either end and goes out at the front", () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant("push" as const), count: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ type: fc.constant("unshift" as const), count: fc.integer({ min: 0, max: 100 }) }),
    fc.record({ type: fc.constant("shift" as const), count: fc.integer({ min: 1, max: 250 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      const seen: unknown[] = [];
      const expected: unknown[] = [];
      let next = 0;
      for (const { type, count } of steps) {
        const items = Array.from({ length: count }, () => next++);
        if (type === "push") for (const item of items) fifo.push(item);
        if (type === "push") model.push(...items);
        if (type === "unshift") fifo.unshift(items);
        if (type === "unshift") model.unshift(...items);
        if (type === "shift") for (let taken = 0; taken < count; taken++) seen.push(fifo.shift());
        if (type === "shift") for (let taken = 0; taken < count; taken++) expected.push(model.shift());
        seen.push(fifo.length, fifo.peek());
        expected.push(model.length, model[0]);
      }
      expect(seen).toEqual(expected);
      expect([...fifo]).toEqual(model);
      expect(fifo.drain()).toEqual(model);
    }),
  );
});
