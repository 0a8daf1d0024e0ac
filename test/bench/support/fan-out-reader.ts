/**
 * Driver. A process that reads `fan-out-shards.ts` with a whole consumer, and says how much it took and how late it was.
 */
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { Consumer } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { createKinesisClient } from "@millrace/core/aws";

/** What was measured in one turn. */
export interface FanOutMeasured {
  readonly events: number;
  readonly userRecords: number;
  readonly bytes: number;
  readonly cpuSeconds: number;
  /** From the making of an event's frame to the handler, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const [, , http1, http2] = process.argv;
const common = { region: "us-east-1", credentials: { accessKeyId: "bench", secretAccessKey: "bench" } };
const consumer = new Consumer({
  streamName: "bench",
  applicationName: "bench",
  client: createKinesisClient({ ...common, endpoint: `http://127.0.0.1:${http1}` }),
  fanOutClient: new KinesisClient({ ...common, endpoint: `http://127.0.0.1:${http2}` }),
  retrieval: { type: "fan-out", consumerArn: "arn:aws:kinesis:us-east-1:123456789012:stream/bench/consumer/bench:1" },
  leaseTable: new MemoryLeaseTable(),
  initialPosition: "TRIM_HORIZON",
  leaseDiscoveryIntervalMs: 100,
});

const read = { events: 0, userRecords: 0, bytes: 0 };
let latencies: number[] = [];
void consumer.run(async (shard) => {
  for await (const batch of shard) {
    const [first] = batch.records;
    if (first !== undefined) latencies.push(Number(process.hrtime.bigint() - BigInt(first.sequenceNumber)) / 1e6);
    read.events++;
    for (const record of batch.records) {
      read.userRecords++;
      read.bytes += record.data.byteLength;
    }
    await batch.checkpoint(undefined, { durable: false });
  }
});

async function measure(forMs: number): Promise<void> {
  latencies = [];
  const before = { ...read, cpu: process.cpuUsage() };
  await new Promise((resolve) => setTimeout(resolve, forMs));
  const { user, system } = process.cpuUsage(before.cpu);
  const sorted = latencies.toSorted((a, b) => a - b);
  const measured: FanOutMeasured = {
    events: read.events - before.events,
    userRecords: read.userRecords - before.userRecords,
    bytes: read.bytes - before.bytes,
    cpuSeconds: (user + system) / 1e6,
    p50Ms: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  };
  process.send?.(measured);
}

process.on("message", (forMs: number) => void measure(forMs));
process.on("disconnect", () => process.exit());
process.send?.("ready");
