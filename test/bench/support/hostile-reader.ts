/**
 * Driver. A process that reads `hostile-shard.ts` with a whole consumer, and says what the hostile record took: memory beyond
 * what ordinary aggregates had taken by then, and the longest time for which the event loop did not turn.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Consumer } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { createKinesisClient } from "@millrace/core/aws";

/** What was measured. */
export interface HostileCost {
  readonly userRecords: number;
  readonly moreMegabytes: number;
  readonly longestBlockMs: number;
}

interface Started {
  readonly port: number;
  readonly warmUpRecords: number;
  readonly hostileRecords: number;
}

const resolutionMs = 1;
const shard = fork(new URL("hostile-shard.ts", import.meta.url));
const [{ port, warmUpRecords, hostileRecords }] = (await once(shard, "message")) as [Started];
const endpoint = `http://127.0.0.1:${port}`;
const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };
const consumer = new Consumer({
  streamName: "bench",
  applicationName: "bench",
  client: createKinesisClient({ endpoint, region: "us-east-1", credentials }),
  leaseTable: new MemoryLeaseTable(),
  initialPosition: "TRIM_HORIZON",
  pollIntervalMs: 200,
});

let read = 0;
let before = 0;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
await consumer.run(async (leased) => {
  for await (const batch of leased) {
    for (const record of batch.records) read += record.data.byteLength === 0 ? 1 : 0;
    await batch.checkpoint(undefined, { durable: false });
    if (read === warmUpRecords) {
      await fetch(`${endpoint}/allow`);
      before = process.resourceUsage().maxRSS;
      delay.enable();
    }
    if (read === warmUpRecords + hostileRecords) void consumer.close();
  }
});
delay.disable();
const cost: HostileCost = {
  userRecords: read - warmUpRecords,
  moreMegabytes: (process.resourceUsage().maxRSS - before) / 1024,
  longestBlockMs: delay.max / 1e6 - resolutionMs,
};
shard.disconnect();
process.send?.(cost);
process.disconnect?.();
