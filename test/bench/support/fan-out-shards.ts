/**
 * Driver. A process whose shards push events by enhanced fan-out, as fast as they are taken or at a given rate. Started by the
 * consumer's bench.
 *
 * A record's sequence number is the time at which it was sent, in nanoseconds of the machine's monotonic clock, which all its
 * processes share: so a reader knows how long it took.
 */
import { createServer } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { eventFrame } from "../../../packages/simulator/src/server/event-stream.ts";
import { readingAnswer } from "./reading-answer.ts";

const shardCount = 4;
const jsonType = "application/x-amz-json-1.1";
const tickMs = 2;

const answer = JSON.parse(readingAnswer({ dataBytes: 200, isAggregated: true }).json().toString()) as {
  Records: { Data: string; PartitionKey: string }[];
};
/** One aggregate of about 50 KB an event. */
const [first] = answer.Records;
const width = (1n << 128n) / BigInt(shardCount);
const shards = Array.from({ length: shardCount }, (_, index) => ({
  ShardId: `shardId-${String(index).padStart(12, "0")}`,
  HashKeyRange: {
    StartingHashKey: String(BigInt(index) * width),
    EndingHashKey: String(BigInt(index + 1) * width - 1n),
  },
  SequenceNumberRange: { StartingSequenceNumber: "1" },
}));

function frameNow(): Uint8Array {
  const SequenceNumber = String(process.hrtime.bigint());
  const record = { ...first, SequenceNumber, ApproximateArrivalTimestamp: 1_700_000_000.5 };
  const event = { Records: [record], ContinuationSequenceNumber: SequenceNumber, MillisBehindLatest: 0 };
  return eventFrame("SubscribeToShardEvent", jsonType, Buffer.from(JSON.stringify(event)));
}

const streams = new Set<ServerHttp2Stream>();
let isFlooding = true;
let ticking: NodeJS.Timeout | undefined;

/** Fills a stream until it pushes back. */
function flood(stream: ServerHttp2Stream): void {
  if (!isFlooding || stream.destroyed) return;
  if (stream.write(frameNow())) setImmediate(() => flood(stream));
  else stream.once("drain", () => flood(stream));
}

/** Sends so many events a second, the shards in turn. */
function pace(eventsPerSecond: number): void {
  isFlooding = false;
  const startedAt = performance.now();
  let sent = 0;
  ticking = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * eventsPerSecond;
    for (const open = [...streams]; sent < due && open.length > 0; sent++) open[sent % open.length]?.write(frameNow());
  }, tickMs);
}

const http2 = createHttp2Server();
http2.on("stream", (stream) => {
  stream.respond({ ":status": 200, "content-type": "application/vnd.amazon.eventstream" });
  stream.write(eventFrame("initial-response", jsonType, Buffer.from("{}")));
  streams.add(stream);
  stream.on("close", () => streams.delete(stream));
  stream.on("error", () => undefined);
  flood(stream);
});
const http1 = createServer((request, response) => {
  const action = String(request.headers["x-amz-target"]).split(".")[1];
  request.resume();
  response.writeHead(200, { "content-type": jsonType });
  response.end(JSON.stringify(action === "ListShards" ? { Shards: shards } : { StreamDescriptionSummary: {} }));
});
http1.listen(0, "127.0.0.1", () =>
  http2.listen(0, "127.0.0.1", () => {
    process.send?.({ http1: (http1.address() as AddressInfo).port, http2: (http2.address() as AddressInfo).port });
  }),
);
process.on("message", (eventsPerSecond: number) => pace(eventsPerSecond));
process.on("disconnect", () => {
  clearInterval(ticking);
  process.exit();
});
