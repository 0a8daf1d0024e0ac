/**
 * Adapter. What a command has of its process: where it writes, and when it is to end.
 */
import { ConfigError } from "@millrace/core/options";
import { realSystem } from "@millrace/core/runtime";
import { InvalidArgumentError } from "commander";
import { exitCodes } from "../exit-codes.ts";

/** The process as a command sees it; a test gives one of its own. */
export interface CommandProcess {
  /** Aborts when the user wants the command to end. */
  readonly signal: AbortSignal;
  /** Writes a line of the result; false once nobody reads it any more. */
  readonly print: (line: string) => boolean;
  /** Writes a line for the user's eyes, beside the result. */
  readonly say: (line: string) => void;
}

/**
 * Runs a command in this process: SIGINT and SIGTERM ask it to end, a second one ends it at once, and a reader that
 * goes away (`millrace tail clicks | head`) ends it too. Sets the exit code.
 */
export async function inProcess(command: (process: CommandProcess) => Promise<number>): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort(new Error("interrupted"));
  };
  let readerIsThere = true;
  const onOutputError = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    readerIsThere = false;
    controller.abort(new Error("nobody reads the output"));
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  process.stdout.on("error", onOutputError);
  try {
    process.exitCode = await command({
      signal: controller.signal,
      print(line) {
        if (readerIsThere) process.stdout.write(`${line}\n`);
        return readerIsThere;
      },
      say: (line) => void process.stderr.write(`${line}\n`),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`millrace: ${error.message}\n`);
    process.exitCode = exitCodes.usage;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    process.stdout.off("error", onOutputError);
  }
}

/** A parser of an integer of at least `min`, for an option. */
export function readCount(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`Expected an integer of at least ${min}.`);
  };
}

/** A place in a stream, as a user names it. */
export type Place = "LATEST" | "TRIM_HORIZON" | Date;

/** The parser of a place, for an option. */
export function readPlace(text: string): Place {
  const place = text.toUpperCase().replace("-", "_");
  if (place === "LATEST" || place === "TRIM_HORIZON") return place;
  const time = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(time.getTime())) {
    if (time.getTime() <= realSystem.wallNow()) return time;
    throw new InvalidArgumentError("Expected a time that has passed.");
  }
  throw new InvalidArgumentError("Expected latest, trim-horizon, or a time as in 2026-11-22T10:00:00Z.");
}
