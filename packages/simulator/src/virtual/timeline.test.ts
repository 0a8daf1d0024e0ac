import { array, assert, integer, property } from "fast-check";
import { sleep } from "@millrace/core/runtime";
import { describe, expect, test } from "vitest";
import { EventHeap } from "./event-heap.ts";
import { Prng } from "./prng.ts";
import { Timeline } from "./timeline.ts";
import { Network, NetworkError } from "./network.ts";

describe("the heap of events", () => {
  test("gives events by time, and those of one time in the order they came", () => {
    assert(
      property(array(integer({ min: 0, max: 20 })), (times) => {
        const heap = new EventHeap<{ atMs: number; order: number }>();
        for (const [order, atMs] of times.entries()) heap.push({ atMs, order });
        const out = Array.from({ length: times.length }, () => heap.pop());
        const sorted = times
          .map((atMs, order) => ({ atMs, order }))
          .toSorted((a, b) => a.atMs - b.atMs || a.order - b.order);
        expect(out).toEqual(sorted);
        expect(heap.size).toBe(0);
      }),
    );
  });
});

function draw(prng: Prng): number[] {
  return Array.from({ length: 20_000 }, () => prng.next());
}

describe("seeded random numbers", () => {
  test("are the same for the same seed, spread evenly, and apart for each fork", () => {
    const first = draw(new Prng(7));
    expect(draw(new Prng(7))).toEqual(first);
    expect(draw(new Prng(8))).not.toEqual(first);
    expect(draw(new Prng(7).fork("a"))).not.toEqual(draw(new Prng(7).fork("b")));
    const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
    expect(mean).toBeGreaterThan(0.49);
    expect(mean).toBeLessThan(0.51);
    expect(new Prng(1).uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("virtual time", () => {
  test("moves from event to event, and lets promises settle in between", async () => {
    const timeline = new Timeline();
    const { system } = timeline.host("a");
    const seen: string[] = [];
    const wait = async (name: string, ms: number) => {
      await sleep(system, ms);
      await Promise.resolve();
      seen.push(`${name} at ${system.now()}`);
    };
    await timeline.settle(Promise.all([wait("late", 3_600_000), wait("early", 5), wait("same", 5)]));
    expect(seen).toEqual(["early at 5", "same at 5", "late at 3600000"]);
  });

  test("a paused host goes on where it was, a killed one does not", async () => {
    const timeline = new Timeline();
    const paused = timeline.host("paused");
    const killed = timeline.host("killed");
    const seen: string[] = [];
    for (const host of [paused, killed]) host.system.schedule(10, () => seen.push(`${host.name} ${timeline.nowMs}`));
    paused.pause();
    killed.kill();
    timeline.host("nurse").system.schedule(100, () => paused.resume());
    await timeline.run();
    expect(seen).toEqual(["paused 100"]);
  });

  test("a timer that a paused host has put off can still be cancelled", async () => {
    const timeline = new Timeline();
    const host = timeline.host("a");
    let fired = false;
    const timer = host.system.schedule(10, () => {
      fired = true;
    });
    host.pause();
    timeline.host("b").system.schedule(20, () => {
      host.resume();
      timer.cancel();
    });
    await timeline.run();
    expect(fired).toBe(false);
  });

  test("says that a promise can never settle", async () => {
    const timeline = new Timeline();
    await expect(timeline.settle(new Promise(() => {}))).rejects.toThrow(/idle/);
  });
});

async function calls(seed: number, conditions: { loss?: number; duplication?: number }) {
  const timeline = new Timeline({ seed });
  const network = new Network(timeline, conditions);
  const [client, server] = [timeline.host("client"), timeline.host("server")];
  let served = 0;
  const outcomes = await timeline.settle(
    Promise.allSettled(
      Array.from({ length: 200 }, () => network.request(client, server, () => Promise.resolve(++served))),
    ),
  );
  return { served, answered: outcomes.filter((outcome) => outcome.status === "fulfilled").length, timeline };
}

describe("the network", () => {
  test("loses and doubles as much as it is told", async () => {
    expect(await calls(1, {})).toMatchObject({ served: 200, answered: 200 });
    const lossy = await calls(1, { loss: 0.2 });
    expect(lossy.served).toBeGreaterThan(lossy.answered);
    expect(lossy.answered).toBeGreaterThan(90);
    const doubled = await calls(1, { duplication: 0.5 });
    expect(doubled.served).toBeGreaterThan(250);
    expect(doubled.answered).toBe(200);
  });

  test("lets nothing through a partition until it heals", async () => {
    const timeline = new Timeline();
    const network = new Network(timeline);
    const [client, server] = [timeline.host("client"), timeline.host("server")];
    network.partition(client, server);
    const call = () => network.request(client, server, () => Promise.resolve("served"));
    await expect(timeline.settle(call())).rejects.toBeInstanceOf(NetworkError);
    network.heal();
    expect(await timeline.settle(call())).toBe("served");
  });

  test("the same seed gives the same trace, another seed another one", async () => {
    const hashes = await Promise.all(
      [4, 4, 5].map(async (seed) => (await calls(seed, { loss: 0.1 })).timeline.traceHash()),
    );
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
    // Pinned: the run must not depend on the machine or on the version of anything.
    expect(hashes[0]).toMatchInlineSnapshot(`"815afc9d2bfdc35690e9b2a45aaed4849dfbed47881acab9904cf6dfaccafec1"`);
  });
});
