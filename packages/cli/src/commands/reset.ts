/**
 * Adapter. `millrace reset STREAM APPLICATION --to PLACE`: makes a stopped application begin elsewhere.
 */
import { ConsumerError } from "@millrace/consumer";
import { resetApplication } from "@millrace/consumer/operate";
import { Command } from "commander";
import { exitCodes } from "../exit-codes.ts";
import {
  dynamodbClient,
  kinesisClient,
  streamRef,
  withDynamoDb,
  withKinesis,
  withRegion,
  type ConnectionOptions,
} from "../io/connection.ts";
import { inProcess, readCount, readPlace, type CommandProcess, type Place } from "./command-process.ts";

export interface ResetOptions extends ConnectionOptions {
  readonly to: Place;
  readonly yes?: boolean | undefined;
  readonly table?: string | undefined;
  readonly failoverTimeMs: number;
}

/** The command, for the program to mount. */
export function resetCommand(): Command {
  return withDynamoDb(withKinesis(withRegion(new Command("reset"))))
    .description(
      "Make an application begin elsewhere in its stream, as if it had never run. Its workers must be stopped.",
    )
    .argument("<stream>", "name or ARN of the stream")
    .argument("<application>", "the consumers' applicationName")
    .requiredOption("--to <place>", "latest, trim-horizon, or a time as in 2026-11-22T10:00:00Z", readPlace)
    .option("--yes", "do it; without, nothing is written")
    .option("--table <name>", "name of the lease table (default: the application's)")
    .option("--failover-time-ms <count>", "how long to watch for a worker that renews leases", readCount(300), 10_000)
    .addHelpText(
      "after",
      "\nA time holds for Millrace's workers only: Java's KCL would begin at the tip." +
        "\nExit codes: 0 done, 1 refused by the service, 64 without --yes, 75 a worker is running.",
    )
    .action((stream: string, application: string, options: ResetOptions) =>
      inProcess((process) => reset(stream, application, options, process)),
    );
}

/** Resets the application; gives the exit code. */
export async function reset(
  stream: string,
  application: string,
  options: ResetOptions,
  { signal, print, say }: CommandProcess,
): Promise<number> {
  const place = options.to instanceof Date ? options.to.toISOString() : options.to;
  if (options.yes !== true) {
    say(
      `millrace reset: every checkpoint of ${application} on ${stream} would be lost, and reading would begin at ${place}. ` +
        "Add --yes to do it.",
    );
    return exitCodes.usage;
  }
  const clients = { client: kinesisClient(options), dynamodb: dynamodbClient(options) };
  try {
    say(`millrace reset: watching for workers, ${options.failoverTimeMs} ms at most`);
    const done = await resetApplication({
      ...streamRef(stream),
      ...clients,
      applicationName: application,
      leaseTableName: options.table,
      to: options.to,
      failoverTimeMs: options.failoverTimeMs,
      signal,
    });
    print(
      `${application} begins at ${place} on ${done.shards} shards; ${done.deleted} leases of other shards are gone`,
    );
    return exitCodes.done;
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted;
    if (!(error instanceof ConsumerError)) throw error;
    say(`millrace reset: ${error.message}`);
    return error.code === "ERR_WORKERS_RUNNING" ? exitCodes.tryAgain : exitCodes.failed;
  } finally {
    clients.client.destroy();
    clients.dynamodb.destroy();
  }
}
