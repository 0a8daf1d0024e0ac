/**
 * Adapter. `millrace leases APPLICATION`: who reads what, and how far. Reads the lease table once, writes nothing.
 */
import { ConsumerError } from "@millrace/consumer";
import { readApplication, type ApplicationReport } from "@millrace/consumer/operate";
import { Command } from "commander";
import { exitCodes } from "../exit-codes.ts";
import { dynamodbClient, withDynamoDb, withRegion, type ConnectionOptions } from "../io/connection.ts";
import { table } from "../table.ts";
import { inProcess, type CommandProcess } from "./command-process.ts";

export interface LeasesOptions extends ConnectionOptions {
  readonly table?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The command, for the program to mount. */
export function leasesCommand(): Command {
  return withDynamoDb(withRegion(new Command("leases")))
    .description("Show the leases and the workers of an application. Also one whose workers are Java's KCL.")
    .argument("<application>", "the consumers' applicationName")
    .option("--table <name>", "name of the lease table (default: the application's)")
    .option("--json", "one JSON object")
    .action((application: string, options: LeasesOptions) =>
      inProcess((process) => leases(application, options, process)),
    );
}

/** Prints the application; gives the exit code. */
export async function leases(
  application: string,
  options: LeasesOptions,
  { print, say }: CommandProcess,
): Promise<number> {
  const dynamodb = dynamodbClient(options);
  try {
    const report = await readApplication({ applicationName: application, leaseTableName: options.table, dynamodb });
    for (const line of options.json === true ? [JSON.stringify(report)] : describe(report)) print(line);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof ConsumerError)) throw error;
    say(`millrace leases: ${error.message}`);
    return exitCodes.failed;
  } finally {
    dynamodb.destroy();
  }
}

function describe({ leases: all, workers, leader, leaseTable }: ApplicationReport): string[] {
  const finished = all.filter(({ isFinished }) => isFinished);
  const open = all.filter(({ isFinished }) => !isFinished);
  return [
    ...table([
      ["shard", "owner", "checkpoint", "failed attempts"],
      ...open.map((lease) => [
        lease.streamIdentifier === undefined ? lease.shardId : lease.leaseKey,
        lease.nextOwner === undefined ? (lease.owner ?? "nobody") : `${lease.owner ?? "nobody"} -> ${lease.nextOwner}`,
        lease.checkpoint,
        String(lease.failedAttempts),
      ]),
    ]),
    "",
    ...table([
      ["worker", "leases", "reported"],
      ...workers.map((worker) => [
        worker.workerId + (worker.workerId === leader ? " (leader)" : ""),
        String(worker.leases),
        `${new Date(worker.lastReportMs).toISOString()}${worker.isActive ? "" : ", too long ago"}`,
      ]),
    ]),
    "",
    `${leaseTable}: ${open.length} shards, ${finished.length} finished; ${leader === undefined ? "nobody leads" : `${leader} leads`}.`,
  ];
}
