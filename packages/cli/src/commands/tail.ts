/**
 * Adapter. `millrace tail STREAM`: prints user records as they come, without leases and without a table.
 */
import { Consumer, ConsumerError, type ConsumedRecord, type ConsumerEvent } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { Command } from "commander";
import { exitCodes } from "../exit-codes.ts";
import { kinesisClient, streamRef, withKinesis, withRegion, type ConnectionOptions } from "../io/connection.ts";
import { inProcess, readCount, readPlace, type CommandProcess, type Place } from "./command-process.ts";

export interface TailOptions extends ConnectionOptions {
  readonly from: Place;
  readonly json?: boolean | undefined;
  readonly limit?: number | undefined;
}

/** The command, for the program to mount. */
export function tailCommand(): Command {
  return withKinesis(withRegion(new Command("tail")))
    .description("Print the user records of a stream as they come. Writes nothing anywhere.")
    .argument("<stream>", "name or ARN of the stream")
    .option("--from <place>", "latest, trim-horizon, or a time as in 2026-11-22T10:00:00Z", readPlace, "LATEST")
    .option("--json", "one JSON object for each record, with its keys, place and time")
    .option("-n, --limit <records>", "end after so many", readCount(1))
    .addHelpText("after", "\nReading shares each shard's 5 calls a second and 2 MiB/s with the stream's other readers.")
    .action((stream: string, options: TailOptions) => inProcess((process) => tail(stream, options, process)));
}

/** Prints records until the signal aborts or the limit is reached; gives the exit code. */
export async function tail(
  stream: string,
  options: TailOptions,
  { signal, print, say }: CommandProcess,
): Promise<number> {
  const client = kinesisClient(options);
  const consumer = new Consumer({
    ...streamRef(stream),
    applicationName: "millrace-tail",
    client,
    leaseTable: new MemoryLeaseTable(),
    initialPosition: options.from,
    onEvent: (event) => reportTrouble(event, say),
  });
  const format = options.json === true ? recordJson : (record: ConsumedRecord) => record.text();
  let left = options.limit ?? Infinity;
  try {
    for await (const batch of consumer.batches({ signal })) {
      for (const record of batch.records) {
        if (!print(format(record, batch.shardId))) return exitCodes.done;
        if (--left === 0) return exitCodes.done;
      }
    }
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof ConsumerError)) throw error;
    say(`millrace tail: ${error.message}`);
    return exitCodes.failed;
  } finally {
    await consumer.close();
    client.destroy();
  }
}

function reportTrouble(event: ConsumerEvent, say: (line: string) => void): void {
  if (event.type === "stream-call-failed") say(`millrace tail: ${event.operation}: ${event.error}; trying again`);
}

/** Data that is no text stands as base64, in a field of another name. */
function recordJson(record: ConsumedRecord, shardId: string): string {
  const text = record.text();
  const isText = Buffer.from(text).equals(record.data);
  return JSON.stringify({
    shardId,
    sequenceNumber: record.sequenceNumber,
    subSequenceNumber: record.subSequenceNumber,
    partitionKey: record.partitionKey,
    explicitHashKey: record.explicitHashKey,
    arrived: record.approximateArrivalTimestamp?.toISOString(),
    tags: record.tags,
    ...(isText ? { data: text } : { dataBase64: Buffer.from(record.data).toString("base64") }),
  });
}
