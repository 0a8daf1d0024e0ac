/** What a million records cost, by the simulator's meter and its list prices. PutRecord, one by one, costs $0.0182. */
import { expect, test } from "vitest";
import type { ProducerOptions } from "./options.ts";
import { World } from "./testing-support/world.ts";

const recordsPerSecond = 10_000;
const seconds = 4;

/** A line of an access log of 200 bytes, whose fields vary as those of a log do. */
function line(random: () => number, index: number): string {
  const pick = (count: number) => Math.floor(random() * count);
  const address = `${pick(256)}.${pick(256)}.${pick(256)}.${pick(256)}`;
  const path = `/api/v1/items/${pick(5_000)}?session=${Math.floor(random() * 2 ** 48).toString(16)}`;
  const agent = ["Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0", "okhttp/4.12.0", "python-requests/2.32"][pick(4)];
  const time = new Date(1_763_850_000_000 + index / 10).toISOString();
  const text = `${address} - - [${time}] "GET ${path} HTTP/1.1" ${pick(10) === 0 ? 404 : 200} ${pick(50_000)} "${agent}"`;
  return text.padEnd(200, " ").slice(0, 200);
}

/** US dollars for a million records that come evenly for a few seconds. */
async function billPerMillion(shardCount: number, options: Partial<ProducerOptions>): Promise<number> {
  const world = new World({ stream: { shardCount } });
  const producer = world.producer(options);
  const before = world.simulator.meter.bill().totalUsd;
  let stored = 0;
  for (let index = 0; index < recordsPerSecond * seconds; index++) {
    const partitionKey = `user-${Math.floor(world.system.random() * 10_000)}`;
    const put = producer.put({ partitionKey, data: line(() => world.system.random(), index) });
    void put.then(() => stored++);
    if (index % 1_000 === 999) await world.system.advance(100);
  }
  await world.until(producer.close());
  expect(stored).toBe(recordsPerSecond * seconds);
  // A shard that is too small would show in what it refused.
  expect(world.simulator.meter.counts().recordsThrottled).toBe(0);
  return ((world.simulator.meter.bill().totalUsd - before) / stored) * 1e6;
}

test("10,000 records of 200 bytes a second cost at most $0.0015 a million", async () => {
  expect(await billPerMillion(3, {})).toBeLessThanOrEqual(0.0015);
});

test.each(["gzip", "zstd"] as const)("compressed with %s, at most $0.0005", async (compression) => {
  expect(await billPerMillion(1, { compression })).toBeLessThanOrEqual(0.0005);
});
