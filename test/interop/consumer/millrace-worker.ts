/**
 * Driver. A worker of ours that tells on its output, one JSON object a line, what is delivered to it and what it has
 * checkpointed, in the words of KclWorker.java; "stop" on its input, or the input's end, closes it. One argument: its
 * options as JSON.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { Consumer, type ConsumedRecord, type ConsumerEvent, type LeasedShard } from "@millrace/consumer";
import { checkpointWith } from "@millrace/consumer/dynamodb";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { createInterface } from "node:readline";
import { addEffects } from "./effects.ts";
import type { WorkerLine, WorkerSettings } from "./worker-lines.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as WorkerSettings;
const common = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };

// A write to a pipe is synchronous on POSIX systems: what a SIGKILL cuts off was not done either.
const tell = (line: WorkerLine) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** The shard's name, by which its lease is called, or "stream/shard" where there are several streams. */
function nameOf(leaseKey: string): string {
  const [, streamName, , shardId] = leaseKey.split(":");
  return shardId === undefined ? leaseKey : `${streamName}/${shardId}`;
}

function onEvent(event: ConsumerEvent): void {
  // For the report of a failure.
  if (event.type !== "batch-delivered" && event.type !== "checkpointed") console.error(JSON.stringify(event));
  if (event.type === "shard-finished") tell({ type: "ended", shardId: event.shardId });
  if (event.type === "hand-off-requested") tell({ type: "asked", shardId: nameOf(event.leaseKey) });
  if (event.type === "lease-lost") tell({ type: "lost", shardId: nameOf(event.leaseKey) });
  if (event.type === "handler-failed") tell({ type: "failed", shardId: event.shardId, error: event.error });
}

const consumer = new Consumer({
  ...(settings.streams === undefined
    ? { streamName: settings.streamName }
    : { streams: settings.streams.map((identifier) => ({ streamName: identifier.split(":")[1] })) }),
  applicationName: settings.applicationName,
  workerId: settings.workerId,
  client: new KinesisClient({ ...common, endpoint: settings.kinesisEndpoint, requestHandler: new NodeHttpHandler() }),
  dynamodb: new DynamoDBClient({ ...common, endpoint: settings.dynamodbEndpoint }),
  failoverTimeMs: settings.failoverTimeMs,
  leaderLeaseDurationMs: 2 * settings.failoverTimeMs,
  shardSyncIntervalMs: 2_000,
  pollIntervalMs: 500,
  retrieval: settings.retrieval,
  leaseAssignmentStrategy: settings.strategy,
  workerMetrics: settings.reportsCpu === true ? "host" : "none",
  maxLeasesPerWorker: settings.maxLeases,
  onEvent,
});

const place = (record: ConsumedRecord) => `${record.sequenceNumber}/${record.subSequenceNumber ?? 0}`;

async function consume(shard: LeasedShard): Promise<void> {
  const { startedFrom } = shard;
  const shardId = settings.streams === undefined ? shard.shardId : `${shard.streamName}/${shard.shardId}`;
  tell({ type: "started", shardId, from: `${startedFrom.sequenceNumber}/${startedFrom.subSequenceNumber}` });
  for await (const batch of shard) {
    const stopAt = batch.records.findIndex((record) => record.text() === settings.stopAfter);
    const records = stopAt < 0 ? batch.records : batch.records.slice(0, stopAt + 1);
    const last = records.at(-1);
    if (last === undefined) continue;
    tell({ type: "records", shardId, records: records.map((record) => [place(record), record.text()]) });
    if (settings.effectsTable === undefined) await batch.checkpoint(last);
    else await checkpointWith(batch, [addEffects(settings.effectsTable, shardId, records.length)]);
    tell({ type: "checkpointed", shardId, place: place(last) });
    // What comes after is for somebody else.
    if (stopAt >= 0) await new Promise(() => undefined);
  }
}

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  if (line === "stop") input.close();
});
input.on("close", () => void consumer.close());
tell({ type: "ready" });
await consumer.run(consume);
tell({ type: "stopped" });
process.exit(0);
