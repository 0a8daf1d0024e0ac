import { assert, double, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { backoffMs } from "./backoff.ts";
import { SerialLoop } from "./serial-loop.ts";
import { realSystem, sleep } from "./system.ts";
import type { System } from "./system.ts";
import { createTokenBucket, spendTokens, tokensAt, waitForTokensMs, withRate } from "./token-bucket.ts";

const share = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** A clock that moves only when told to, with its timers. */
function manualSystem() {
  const pending: { at: number; callback: () => void }[] = [];
  const clock = { now: 0 };
  const system: System = {
    ...realSystem,
    now: () => clock.now,
    schedule(delayMs, callback) {
      const timer = { at: clock.now + delayMs, callback };
      pending.push(timer);
      return {
        cancel: () => {
          const index = pending.indexOf(timer);
          if (index >= 0) pending.splice(index, 1);
        },
      };
    },
  };
  const advance = async (ms: number) => {
    clock.now += ms;
    for (const timer of pending
      .splice(0)
      .filter((candidate) => candidate.at <= clock.now || !pending.push(candidate))) {
      timer.callback();
    }
    await realSystem.breathe();
  };
  return { system, advance, pending };
}

describe("backoff", () => {
  it("stays between 1 ms and the exponential bound, and under the maximum", () => {
    assert(
      property(integer({ min: 1, max: 2000 }), share, (failures, random) => {
        const waitMs = backoffMs({ initialMs: 50, maxMs: 10_000 }, failures, random);
        expect(waitMs).toBeGreaterThanOrEqual(1);
        expect(waitMs).toBeLessThanOrEqual(Math.min(10_000, 50 * 2 ** Math.min(failures - 1, 30)));
      }),
    );
  });
});

describe("token bucket", () => {
  it("lets no more through than its capacity plus its rate, at any moments", () => {
    assert(
      property(integer({ min: 1, max: 500 }), integer({ min: 1, max: 40 }), (stepMs, cost) => {
        let bucket = createTokenBucket(100, 50, 0);
        let spent = 0;
        for (let now = 0; now < 10_000; now += stepMs) {
          if (waitForTokensMs(bucket, cost, now) > 0) continue;
          bucket = spendTokens(bucket, cost, now);
          spent += cost;
          expect(spent).toBeLessThanOrEqual(100 + (now / 1000) * 50 + 1e-6);
        }
      }),
    );
  });

  it("names a wait after which the cost may be spent", () => {
    assert(
      property(integer({ min: 1, max: 300 }), integer({ min: 1, max: 1000 }), (cost, perSecond) => {
        const empty = spendTokens(createTokenBucket(100, perSecond, 0), 100, 0);
        const waitMs = waitForTokensMs(empty, cost, 0);
        expect(waitMs).toBeGreaterThan(0);
        expect(waitForTokensMs(empty, cost, waitMs)).toBe(0);
      }),
    );
  });

  it("lets one cost above its capacity pass, and makes the next wait for the debt", () => {
    const full = createTokenBucket(100, 10, 0);
    expect(waitForTokensMs(full, 250, 0)).toBe(0);
    const indebted = spendTokens(full, 250, 0);
    expect(tokensAt(indebted, 0)).toBe(-150);
    expect(waitForTokensMs(indebted, 1, 0)).toBe(15_100);
  });

  it("keeps what was earned when its rate changes, up to the new capacity", () => {
    const bucket = withRate(spendTokens(createTokenBucket(100, 10, 0), 100, 0), 20, 1, 5000);
    expect(tokensAt(bucket, 5000)).toBe(20);
    expect(tokensAt(spendTokens(bucket, 20, 5000), 6000)).toBe(1);
  });

  it("waits for ever when nothing flows back", () => {
    expect(waitForTokensMs(spendTokens(createTokenBucket(1, 0, 0), 1, 0), 1, 0)).toBe(Infinity);
  });
});

describe("sleep", () => {
  it("ends early with the signal's reason and leaves no timer", async () => {
    const { system, pending } = manualSystem();
    const abort = new AbortController();
    const sleeping = sleep(system, 1000, { signal: abort.signal });
    abort.abort(new Error("stop"));
    await expect(sleeping).rejects.toThrow("stop");
    expect(pending).toHaveLength(0);
  });

  it("does not begin when the signal has aborted", async () => {
    const { system, pending } = manualSystem();
    await expect(sleep(system, 1000, { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
    expect(pending).toHaveLength(0);
  });

  it("resolves when its time has come", async () => {
    const { system, advance } = manualSystem();
    let done = false;
    const sleeping = sleep(system, 1000).then(() => (done = true));
    await advance(999);
    expect(done).toBe(false);
    await advance(1);
    await sleeping;
  });
});

describe("serial loop", () => {
  it("never runs two steps at a time and pauses as each step says", async () => {
    const { system, advance } = manualSystem();
    let running = 0;
    let steps = 0;
    const loop = new SerialLoop({
      system,
      onCrash: (error) => expect.unreachable(String(error)),
      step: async () => {
        expect(++running).toBe(1);
        await realSystem.breathe();
        running--;
        steps++;
        return 100;
      },
    });
    await advance(0);
    expect(steps).toBe(1);
    await advance(99);
    expect(steps).toBe(1);
    await advance(1);
    await advance(0);
    expect(steps).toBe(2);
    await loop.stop();
  });

  it("follows a wake during a step with another step at once", async () => {
    const { system, advance } = manualSystem();
    let steps = 0;
    const loop: SerialLoop = new SerialLoop({
      system,
      onCrash: (error) => expect.unreachable(String(error)),
      step: async () => {
        steps++;
        await realSystem.breathe();
        if (steps === 1) loop.wake();
        return 60_000;
      },
    });
    await advance(0);
    await advance(0);
    expect(steps).toBe(2);
    await loop.stop();
  });

  it("tells its step to end, waits for it, and starts no other", async () => {
    const { system, advance } = manualSystem();
    let steps = 0;
    let sawAbort = false;
    const loop = new SerialLoop({
      system,
      onCrash: (error) => expect.unreachable(String(error)),
      step: async (signal) => {
        steps++;
        await new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            sawAbort = true;
            resolve();
          });
        });
        return 0;
      },
    });
    await advance(0);
    await loop.stop();
    await loop.stop();
    expect({ steps, sawAbort }).toEqual({ steps: 1, sawAbort: true });
  });

  it("reports a step that rejects and stops", async () => {
    const { system, advance } = manualSystem();
    const crashes: unknown[] = [];
    const loop = new SerialLoop({
      system,
      onCrash: (error) => crashes.push(error),
      step: () => Promise.reject(new Error("bug")),
    });
    await advance(0);
    expect(crashes).toEqual([new Error("bug")]);
    await loop.stop();
  });
});
