/**
 * Adapter. `millrace doctor STREAM`: whether what a producer or a consumer needs is there, and what to do where not.
 */
import { kinesisFromClient } from "@millrace/core/aws";
import { realSystem } from "@millrace/core/runtime";
import { readApplication } from "@millrace/consumer/operate";
import { Command } from "commander";
import { examine } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
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
import { inProcess, type CommandProcess } from "./command-process.ts";

export interface DoctorOptions extends ConnectionOptions {
  readonly application?: string | undefined;
  readonly table?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The command, for the program to mount. */
export function doctorCommand(): Command {
  return withDynamoDb(withKinesis(withRegion(new Command("doctor"))))
    .description(
      "Look at credentials, clock, stream, permissions, and an application's leases and lag. Writes nothing.",
    )
    .argument("<stream>", "name or ARN of the stream")
    .option("--application <name>", "look at this application's leases too, and at how far it is behind")
    .option("--table <name>", "name of its lease table (default: the application's)")
    .option("--json", "one JSON object for each finding")
    .addHelpText(
      "after",
      "\nPermission to write is not tried: that would put a record.\nExit codes: 0 nothing failed, 1 something did.",
    )
    .action((stream: string, options: DoctorOptions) => inProcess((process) => doctor(stream, options, process)));
}

/** Prints the findings as they come; gives the exit code. */
export async function doctor(
  stream: string,
  options: DoctorOptions,
  { signal, print }: CommandProcess,
): Promise<number> {
  const client = kinesisClient(options);
  const dynamodb = dynamodbClient(options);
  const { application, table: leaseTableName } = options;
  const findings = examine({
    kinesis: kinesisFromClient(client),
    stream: streamRef(stream),
    credentials: () => client.config.credentials(),
    application:
      application === undefined
        ? undefined
        : () => readApplication({ applicationName: application, leaseTableName, dynamodb }),
    wallNow: () => realSystem.wallNow(),
    signal,
  });
  let exitCode: number = exitCodes.done;
  try {
    for await (const finding of findings) {
      if (signal.aborted) return exitCodes.interrupted;
      if (finding.verdict === "fail") exitCode = exitCodes.failed;
      print(options.json === true ? JSON.stringify(finding) : describe(finding));
    }
    return exitCode;
  } finally {
    client.destroy();
    dynamodb.destroy();
  }
}

function describe({ verdict, what, advice }: Finding): string {
  const line = `${verdict === "fail" ? "FAIL" : verdict.padEnd(4)}  ${what}`;
  return advice === undefined ? line : `${line}\n      ${advice}`;
}
