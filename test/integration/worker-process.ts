/**
 * Driver. One worker of the fleet test, as a process of its own: reads the stream and tells its parent, on its output,
 * what it got and what it has checkpointed. Started with one argument, the options as JSON.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { Consumer } from "@millrace/consumer";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** What the parent passes. */
export interface WorkerOptions {
  readonly workerId: string;
  readonly streamName: string;
  readonly kinesisEndpoint: string;
  readonly dynamodbEndpoint: string;
}

/** One line of a worker's output. */
export type WorkerReport =
  | { readonly type: "started"; readonly shardId: string; readonly from: string }
  | {
      readonly type: "records";
      readonly shardId: string;
      readonly lines: readonly string[];
      readonly places: readonly string[];
    }
  | { readonly type: "checkpointed"; readonly shardId: string; readonly place: string };

const options = JSON.parse(process.argv[2] ?? "{}") as WorkerOptions;
const common = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };

// A write to a pipe is synchronous on POSIX systems: what a SIGKILL cuts off was not done either.
const report = (line: WorkerReport) => process.stdout.write(`${JSON.stringify(line)}\n`);

const consumer = new Consumer({
  streamName: options.streamName,
  applicationName: "fleet",
  workerId: options.workerId,
  client: new KinesisClient({ ...common, endpoint: options.kinesisEndpoint, requestHandler: new NodeHttpHandler() }),
  dynamodb: new DynamoDBClient({ ...common, endpoint: options.dynamodbEndpoint }),
  initialPosition: "TRIM_HORIZON",
  failoverTimeMs: 3000,
});

process.once("SIGTERM", () => void consumer.close());

await consumer.run(async (shard) => {
  report({ type: "started", shardId: shard.shardId, from: JSON.stringify(shard.startedFrom) });
  for await (const batch of shard) {
    const places = batch.records.map((record) => `${record.sequenceNumber}/${record.subSequenceNumber ?? 0}`);
    report({ type: "records", shardId: shard.shardId, lines: batch.records.map((record) => record.text()), places });
    await batch.checkpoint();
    report({ type: "checkpointed", shardId: shard.shardId, place: places.at(-1) ?? "" });
  }
});
