/**
 * Driver. The queue against a sorted list.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DelayQueue } from "./delay-queue.ts";

test("gives back what is due, earliest first, and keeps the rest", () => {
  const times = fc.array(fc.nat({ max: 50 }), { maxLength: 60 });
  fc.assert(
    fc.property(times, times, fc.nat({ max: 50 }), (first, second, now) => {
      const queue = new DelayQueue<{ notBefore: number }>();
      for (const notBefore of first) queue.push({ notBefore });
      queue.filter(({ notBefore }) => notBefore % 3 !== 0);
      for (const notBefore of second) queue.push({ notBefore });
      const all = [...first.filter((time) => time % 3 !== 0), ...second].toSorted((a, b) => a - b);
      expect(queue.nextAt).toBe(all[0] ?? Infinity);
      const taken: number[] = [];
      for (let next = queue.takeDue(now); next !== undefined; next = queue.takeDue(now)) taken.push(next.notBefore);
      expect(taken).toEqual(all.filter((time) => time <= now));
      expect(queue.length).toBe(all.length - taken.length);
      const left = queue.drain().map(({ notBefore }) => notBefore);
      expect(left.toSorted((a, b) => a - b)).toEqual(all.filter((time) => time > now));
      expect(queue.length).toBe(0);
    }),
  );
});
