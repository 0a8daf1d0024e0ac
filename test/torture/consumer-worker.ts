/**
 * Driver. One worker of the consumer torture, as a process of its own: reads the stream and tells its parent, on its
 * output, what happened when. Started with one argument, the options as JSON.
 *
 * Times are those of the machine's monotonic clock, which all processes share, so that their order between two workers
 * can be told.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { Consumer, type ConsumedRecord } from "@millrace/consumer";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** What the parent passes. */
export interface WorkerOptions {
  readonly workerId: string;
  readonly streamName: string;
  readonly kinesisEndpoint: string;
  readonly dynamodbEndpoint: string;
  readonly failoverTimeMs: number;
  readonly leaderLeaseDurationMs: number;
  /** Checkpoints of its own, or those of `runEach`, or of `runBatches`. */
  readonly mode: "run" | "each" | "batches";
}

/** One line of a worker's output; `atUs` is the machine's monotonic clock. */
export type WorkerReport = { readonly atUs: number } & (
  | { readonly type: "ready" }
  | { readonly type: "leads" | "leads-no-more" }
  | { readonly type: "tenure"; readonly shardId: string; readonly token: string }
  /** Lines that the handler got at `atUs` and is done with by now. */
  | { readonly type: "records"; readonly shardId: string; readonly token: string; readonly lines: readonly string[] }
  /** A checkpoint was begun at `sinceUs` and is stored. */
  | { readonly type: "checkpoint"; readonly shardId: string; readonly token: string; readonly sinceUs: number }
  /** A checkpoint is stored, whoever began it when. */
  | { readonly type: "stored"; readonly shardId: string; readonly token: string }
  | { readonly type: "finished"; readonly shardId: string }
  | { readonly type: "released"; readonly shardId: string; readonly receiver: string | undefined }
  | { readonly type: "lost"; readonly shardId: string; readonly reason: string }
  | { readonly type: "assigned"; readonly shardId: string; readonly receiver: string; readonly cause: string }
  | { readonly type: "closed" }
);

type WithoutTime<T> = T extends unknown ? Omit<T, "atUs"> : never;

const options = JSON.parse(process.argv[2] ?? "{}") as WorkerOptions;
const common = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

// A write to a pipe is synchronous on POSIX systems: what a SIGKILL cuts off was not done either.
function report(line: WithoutTime<WorkerReport>, atUs = nowUs()): void {
  process.stdout.write(`${JSON.stringify({ atUs, ...line })}\n`);
}

const tokens = new Map<string, string>();
const { failoverTimeMs, leaderLeaseDurationMs } = options;
const consumer = new Consumer({
  streamName: options.streamName,
  applicationName: "torture",
  workerId: options.workerId,
  client: new KinesisClient({ ...common, endpoint: options.kinesisEndpoint, requestHandler: new NodeHttpHandler() }),
  dynamodb: new DynamoDBClient({ ...common, endpoint: options.dynamodbEndpoint }),
  failoverTimeMs,
  leaderLeaseDurationMs,
  pollIntervalMs: 250,
  shardSyncIntervalMs: 5_000,
  leaseCleanupIntervalMs: 5_000,
  onEvent(event) {
    switch (event.type) {
      case "started":
        report({ type: "ready" });
        break;
      case "leadership-gained":
        report({ type: "leads" });
        break;
      case "leadership-lost":
        report({ type: "leads-no-more" });
        break;
      case "lease-acquired":
        tokens.set(event.shardId, event.fencingToken);
        report({ type: "tenure", shardId: event.shardId, token: event.fencingToken });
        break;
      case "checkpointed":
        report({ type: "stored", shardId: event.leaseKey, token: tokens.get(event.leaseKey) ?? "0" });
        break;
      case "lease-released":
        report({ type: "released", shardId: event.shardId, receiver: event.receiver });
        break;
      case "lease-lost":
        report({ type: "lost", shardId: event.shardId, reason: event.reason });
        break;
      case "lease-assigned":
        report({ type: "assigned", shardId: event.leaseKey, receiver: event.receiver, cause: event.cause });
        break;
      case "stopped":
        report({ type: "closed" });
        break;
      case "shard-finished":
        report({ type: "finished", shardId: event.shardId });
        break;
      default:
    }
  },
});

process.once("SIGTERM", () => void consumer.close());

/** Works on records for some milliseconds, so that processes die in the middle of it, and tells that they are done. */
async function handle(shardId: string, token: bigint, records: readonly ConsumedRecord[]): Promise<void> {
  const startedUs = nowUs();
  const lines = records.map((record) => record.text());
  if (lines.some((line) => line.endsWith("7"))) await new Promise((resolve) => setTimeout(resolve, 5));
  report({ type: "records", shardId, token: token.toString(), lines }, startedUs);
}

switch (options.mode) {
  case "each":
    await consumer.runEach((record, { shardId, fencingToken }) => handle(shardId, fencingToken, [record]), {
      concurrency: 4,
    });
    break;
  case "batches":
    await consumer.runBatches((records, { shardId, fencingToken }) => handle(shardId, fencingToken, records), {
      concurrency: 2,
      maxBatchRecords: 50,
      batchWindowMs: 100,
      maxAttempts: 1_000,
    });
    break;
  default:
    await consumer.run(async (shard) => {
      const { shardId, fencingToken } = shard;
      for await (const batch of shard) {
        await handle(shardId, fencingToken, batch.records);
        const sinceUs = nowUs();
        await batch.checkpoint();
        report({ type: "checkpoint", shardId, token: fencingToken.toString(), sinceUs });
      }
    });
}
