/**
 * Driver. A process of its own that puts at a steady rate and tells how long its puts took.
 *
 *     put-latency.ts <port of HTTP/1.1> <records a second> <seconds>
 */
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { Producer } from "@millrace/producer";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Agent } from "node:http";

export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const [port, perSecond, seconds] = process.argv.slice(2).map(Number);
const client = new KinesisClient({
  region: "us-east-1",
  credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
  endpoint: `http://127.0.0.1:${port}`,
  requestHandler: new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true, maxSockets: 24 }) }),
});
const producer = new Producer({ streamName: "bench", client, rateLimitPercent: 1_000_000 });
const data = Buffer.alloc(200, 97);
let count = 0;

/** Puts what is due by the clock, every few milliseconds, and gives how long each put took. */
async function load(durationMs: number): Promise<number[]> {
  const taken: number[] = [];
  const puts: Promise<unknown>[] = [];
  const startedAt = performance.now();
  let put = 0;
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startedAt) {
    for (; put < (elapsedMs / 1_000) * (perSecond ?? 0); put++) {
      const begin = performance.now();
      const stored = producer.put({ partitionKey: `key-${count++}`, data });
      puts.push(stored.then(() => taken.push(performance.now() - begin)));
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(puts);
  return taken;
}

await load(2_000);
const taken = (await load((seconds ?? 0) * 1_000)).toSorted((a, b) => a - b);
const at = (share: number) => taken[Math.floor(taken.length * share)] ?? Number.NaN;
process.send?.({ p50Ms: at(0.5), p99Ms: at(0.99) } satisfies Latencies);
await producer.close();
client.destroy();
