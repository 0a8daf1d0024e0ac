/**
 * Adapter. `millrace put STREAM [FILE]`: every line becomes a user record.
 */
import { createReadStream } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";
import type { UserRecord } from "@millrace/aggregation";
import { realSystem, type System } from "@millrace/core/runtime";
import { Producer, type PutError } from "@millrace/producer";
import { Command, Option } from "commander";
import { exitCodes } from "../exit-codes.ts";
import { kinesisClient, streamRef, withKinesis, withRegion, type ConnectionOptions } from "../io/connection.ts";
import { linesFrom, LineTooLongError } from "../io/lines.ts";
import { inProcess, type CommandProcess } from "./command-process.ts";

export interface PutOptions extends ConnectionOptions {
  readonly key?: string | undefined;
  readonly keyField?: string | undefined;
  readonly aggregation: boolean;
}

/** No stream takes a larger record. Source: kinesis-service limits, MaxRecordSizeInKiB up to 10,240. */
const maxLineBytes = 10 * 1024 * 1024;
const newline = 0x0a;

/** The command, for the program to mount. */
export function putCommand(): Command {
  return withKinesis(withRegion(new Command("put")))
    .description("Put every line of a file, or of standard input, into a stream.")
    .argument("<stream>", "name or ARN of the stream")
    .argument("[file]", "a file with lines of text (default: standard input)")
    .addOption(
      new Option("--key <text>", "one partition key for all (default: a random one each)").conflicts("keyField"),
    )
    .option("--key-field <name>", "the partition key is this field of the line's JSON object")
    .option("--no-aggregation", "one Kinesis record for each line, for readers that do not know KPL's format")
    .addHelpText(
      "after",
      '\nThe last line of the output is JSON: {"stored":N,"failed":N}.' +
        "\nExit codes: 0 every line is stored, 1 some are not, 66 no such file, 130 interrupted.",
    )
    .action(async (stream: string, file: string | undefined, options: PutOptions) => {
      const input = file === undefined ? process.stdin : createReadStream(file);
      await inProcess((commandProcess) => put(stream, input, options, commandProcess));
    });
}

/** Puts lines until `input` ends or the signal aborts; gives the exit code. */
export async function put(
  stream: string,
  input: Readable,
  options: PutOptions,
  { signal, print, say }: CommandProcess,
): Promise<number> {
  const client = kinesisClient(options);
  const counts = { stored: 0, failed: 0 };
  const fail = (lineNumber: number, why: string) => {
    counts.failed++;
    say(`millrace put: line ${lineNumber}: ${why}`);
  };
  const producer = new Producer({
    ...streamRef(stream),
    client,
    aggregation: options.aggregation,
    maxRecordBytes: maxLineBytes,
  });
  const lineNumbers = new WeakMap<UserRecord, number>();
  addAbortSignal(signal, input);
  try {
    for await (const outcome of producer.putEach(recordsOf(input, options, lineNumbers, fail, realSystem))) {
      if (outcome.ok) counts.stored++;
      else {
        fail(lineNumbers.get(outcome.record) ?? 0, describePutError(outcome.error));
        if (outcome.error.scope === "stream") break;
      }
    }
  } catch (error) {
    const exitCode = inputFailure(error, signal);
    if (exitCode === undefined) throw error;
    if (!signal.aborted) say(`millrace put: ${(error as Error).message}`);
    return exitCode;
  } finally {
    input.destroy();
    await producer.close();
    client.destroy();
    print(JSON.stringify(counts));
  }
  return counts.failed === 0 ? exitCodes.done : exitCodes.failed;
}

/** The lines as user records; a line that can be none is reported and left out. */
async function* recordsOf(
  input: AsyncIterable<Uint8Array>,
  options: PutOptions,
  lineNumbers: WeakMap<UserRecord, number>,
  fail: (lineNumber: number, why: string) => void,
  system: System,
): AsyncGenerator<UserRecord> {
  let lineNumber = 0;
  for await (const lines of linesFrom(input, maxLineBytes)) {
    for (const line of lines) {
      lineNumber++;
      const data = line.at(-1) === newline ? line.subarray(0, -1) : line;
      const partitionKey = partitionKeyOf(data, options, system);
      if (partitionKey === undefined) {
        fail(lineNumber, `expected a JSON object with a field ${JSON.stringify(options.keyField)} of text or a number`);
        continue;
      }
      const record = { partitionKey, data };
      lineNumbers.set(record, lineNumber);
      yield record;
    }
  }
}

function partitionKeyOf(data: Uint8Array, options: PutOptions, system: System): string | undefined {
  if (options.keyField === undefined) return options.key ?? String(Math.floor(system.random() * 1e9));
  try {
    const value = (JSON.parse(Buffer.from(data).toString()) as Record<string, unknown> | null)?.[options.keyField];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

function describePutError(error: PutError): string {
  const doubt = error.mayHaveBeenStored ? " (it may be in the stream all the same)" : "";
  return `${error.code}: ${error.message}${doubt}`;
}

/** The exit code for an input that ended in a failure; undefined for what is no failure of the input. */
function inputFailure(error: unknown, signal: AbortSignal): number | undefined {
  if (signal.aborted) return exitCodes.interrupted;
  if (error instanceof LineTooLongError) return exitCodes.badData;
  return (error as NodeJS.ErrnoException).syscall === undefined ? undefined : exitCodes.noInput;
}
