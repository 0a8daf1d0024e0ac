/**
 * Driver. `millrace quickstart [FILE]`.
 */
import { realSystem } from "@millrace/core/runtime";
import { Command } from "commander";
import { resolve } from "node:path";

import { exitCodes } from "../exit-codes.ts";
import { inspectSourceFile, SourceFileError } from "../io/source-file.ts";
import type { SourceFile } from "../io/source-file.ts";
import { Progress } from "../quickstart/progress.ts";
import { runQuickstart } from "../quickstart/quickstart.ts";
import { isFlawless, summaryJson, summaryTable } from "../quickstart/summary.ts";
import type { Totals } from "../quickstart/summary.ts";

/** The largest line that fits a Kinesis record with its partition key of at most 256 bytes. */
const longestLineBytes = 1024 * 1024 - 256;

/** The command, ready to be added to `millrace`. */
export function quickstartCommand(): Command {
  return new Command("quickstart")
    .description(
      "Ship every line of a file (or of a live access log) through agent, producer, stream and two consumer " +
        "workers, all in this process, and show that none was lost. Needs no account and no network.",
    )
    .argument("[file]", "a file with lines of text; it is only read (default: an access log that is written meanwhile)")
    .addHelpText(
      "after",
      "\nExit codes: 0 nothing lost, 1 something lost, 65 unfit file, 66 no such file, 130 interrupted.",
    )
    .action(async (file: string | undefined) => {
      process.exitCode = await quickstart(file);
    });
}

async function quickstart(file: string | undefined): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort(new Error("interrupted"));
  process.once("SIGINT", onInterrupt).once("SIGTERM", onInterrupt);
  const progress = new Progress(process.stderr, realSystem);
  try {
    // pnpm runs scripts in the workspace's root; a path is meant from where the command was typed.
    const source =
      file === undefined ? undefined : await inspectSourceFile(resolve(process.env["INIT_CWD"] ?? "", file));
    const unfit = source === undefined ? undefined : introduce(source, progress);
    if (unfit !== undefined) {
      console.error(`millrace: ${unfit}`);
      return exitCodes.badData;
    }
    const totals =
      source?.bytes === 0
        ? nothingShipped
        : await runQuickstart({ source, system: realSystem, progress, signal: interrupt.signal });
    console.log(["", ...summaryTable(totals), "", summaryJson(totals)].join("\n"));
    return isFlawless(totals.verdict) ? 0 : 1;
  } catch (error) {
    progress.end();
    if (interrupt.signal.aborted) return exitCodes.interrupted;
    if (error instanceof SourceFileError) {
      console.error(`millrace: ${error.message}`);
      return exitCodes.noInput;
    }
    throw error;
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  }
}

/** Says what is to be shipped; gives the reason where the file cannot be. */
function introduce(source: SourceFile, progress: Progress): string | undefined {
  if (source.bytes === 0) {
    progress.say(`${source.path} is empty: there is nothing to ship`);
    return undefined;
  }
  if (source.longestLineBytes > longestLineBytes) {
    return (
      `line ${source.longestLineNumber} of ${source.path} has ${source.longestLineBytes} bytes; ` +
      `a Kinesis record holds ${longestLineBytes} and its partition key. ` +
      (source.looksBinary ? "The file looks binary: name one with lines of text." : "Name a file with shorter lines.")
    );
  }
  progress.say(
    `${source.path}: ${source.lines.toLocaleString("en-US")} lines, ${source.bytes.toLocaleString("en-US")} bytes; ` +
      "a copy is shipped, the file itself is only read",
  );
  if (source.looksBinary) progress.say("it looks binary: what stands between two newline bytes counts as a line");
  if (!source.endsWithNewline) progress.say("its last line has no newline: it is shipped when the agent stops");
  return undefined;
}

const nothingShipped: Totals = {
  verdict: { linesShipped: 0, linesDelivered: 0, lost: 0, unexpected: 0, duplicates: 0, outOfOrder: 0 },
  deliveredBytes: 0,
  kinesisRecords: 0,
  putRecordsRequests: 0,
  elapsedMs: 0,
  handOverMs: undefined,
  putCostUsd: 0,
  putRecordCostUsd: 0,
};
