/**
 * Driver. One life of a worker that dies by SIGKILL in every call with the record `poison`. Started with one argument,
 * the options as JSON; tells each record that it is done with as a line on its output.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { Consumer, deadLetterFile } from "@millrace/consumer";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** What the parent passes. */
export interface PoisonOptions {
  readonly workerId: string;
  readonly streamName: string;
  readonly kinesisEndpoint: string;
  readonly dynamodbEndpoint: string;
  readonly deadLetterPath: string;
}

const options = JSON.parse(process.argv[2] ?? "{}") as PoisonOptions;
const common = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };

const consumer = new Consumer({
  streamName: options.streamName,
  applicationName: "poison",
  workerId: options.workerId,
  client: new KinesisClient({ ...common, endpoint: options.kinesisEndpoint, requestHandler: new NodeHttpHandler() }),
  dynamodb: new DynamoDBClient({ ...common, endpoint: options.dynamodbEndpoint }),
  failoverTimeMs: 1_000,
  leaderLeaseDurationMs: 1_000,
});

process.once("SIGTERM", () => void consumer.close());

await consumer.runEach(
  async (record) => {
    if (record.text() === "poison") process.kill(process.pid, "SIGKILL");
    // A pipe is written synchronously on POSIX systems: what a SIGKILL cuts off was not done either.
    process.stdout.write(`${record.text()}\n`);
  },
  { maxAttempts: 1, onFailure: deadLetterFile(options.deadLetterPath) },
);
