/**
 * Driver. What a command says of the error that ended it.
 */
import { describeError } from "@millrace/core/observe";
import { ConfigError } from "@millrace/core/options";

/** The last line of the log: what ended a command, with what to do where that is known. */
export function errorLine(error: unknown): string {
  const detail =
    error instanceof ConfigError
      ? { path: error.path, got: error.got, expected: error.expected, hint: error.hint }
      : { stack: error instanceof Error ? error.stack : undefined };
  return JSON.stringify({ level: "fatal", msg: describeError(error), ...detail });
}
