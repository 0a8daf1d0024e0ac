import { array, assert, asyncProperty, boolean, integer, tuple } from "fast-check";
import { expect, test } from "vitest";
import { ByteBudget } from "./byte-budget.ts";

const never = new AbortController().signal;

/** True once the promise has resolved, as far as microtasks tell. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const other = Symbol("other");
  return (await Promise.race([promise, Promise.resolve().then(() => other)])) !== other;
}

test("[C6] what is held never exceeds the budget, but for one piece that is larger than all of it; first come first served", async () => {
  const steps = array(tuple(boolean(), integer({ min: 1, max: 150 })), { maxLength: 40 });
  await assert(
    asyncProperty(steps, async (plan) => {
      const budget = new ByteBudget(100);
      const held: number[] = [];
      const order: number[] = [];
      const asked: number[] = [];
      const hold = async (bytes: number, place: number) => {
        await budget.take(bytes, never);
        held.push(bytes);
        order.push(place);
      };
      for (const [gives, bytes] of plan) {
        const first = held[0];
        if (gives && first !== undefined) {
          held.shift();
          budget.give(first);
        } else {
          const place = asked.push(bytes) - 1;
          void hold(bytes, place);
        }
        await new Promise((resolve) => process.nextTick(resolve));
        expect(budget.usedBytes).toBe(held.reduce((sum, each) => sum + each, 0));
        expect(held.length <= 1 || budget.usedBytes <= 100).toBe(true);
      }
      for (let first = held.shift(); first !== undefined; first = held.shift()) {
        budget.give(first);
        await new Promise((resolve) => process.nextTick(resolve));
      }
      expect(order).toEqual(asked.map((_, place) => place));
      expect(budget.usedBytes).toBe(0);
    }),
  );
});

test("who waits is told of once, can be given up, and then does not hold up those behind", async () => {
  let waits = 0;
  const budget = new ByteBudget(10, () => {
    waits += 1;
  });
  await budget.take(8, never);
  expect(waits).toBe(0);
  const aborted = new AbortController();
  const large = budget.take(10, aborted.signal);
  const small = budget.take(2, never);
  expect(waits).toBe(2);
  expect(await isSettled(small)).toBe(false);
  aborted.abort(new Error("stopped"));
  await expect(large).rejects.toThrow("stopped");
  budget.give(0);
  expect(await isSettled(small)).toBe(true);
  await expect(budget.take(9, aborted.signal)).rejects.toThrow("stopped");
});

test("another bound lets those in that fit it, and takes nothing from those who hold", async () => {
  const budget = new ByteBudget(10);
  await budget.take(10, never);
  const waiting = budget.take(5, never);
  expect(await isSettled(waiting)).toBe(false);
  budget.resize(20);
  expect(await isSettled(waiting)).toBe(true);
  budget.resize(1);
  expect(budget.usedBytes).toBe(15);
});
