/**
 * Pure. Which stream the caller means: `streamName` or `streamArn`.
 */
import type { StreamRef } from "../kinesis/port.ts";
import { ConfigError } from "./config-error.ts";

/** A stream's ARN in its parts. */
export interface StreamArn {
  readonly region: string;
  readonly accountId: string;
  readonly streamName: string;
}

// Source: type docs of StreamARN and StreamName, `@aws-sdk/client-kinesis` 3.1143.0.
const streamNamePattern = /^[a-zA-Z0-9_.-]{1,128}$/;
const streamArnPattern = /^arn:aws[^:]*:kinesis:([^:]+):(\d{12}):stream\/([a-zA-Z0-9_.-]{1,128})$/;

/** The parts of a stream's ARN; undefined when `text` is none. */
export function parseStreamArn(text: string): StreamArn | undefined {
  const match = streamArnPattern.exec(text);
  if (match === null) return undefined;
  const [, region = "", accountId = "", streamName = ""] = match;
  return { region, accountId, streamName };
}

/**
 * The stream that the options name: exactly one of `streamName` and `streamArn`.
 * @throws {ConfigError} when neither or both came, or the one that came cannot be a stream's.
 */
export function streamOption(options: StreamRef, where = ""): StreamRef & { readonly streamName: string } {
  const { streamName, streamArn } = options;
  if (streamName !== undefined && streamArn !== undefined) {
    throw new ConfigError({
      path: `${where}streamArn`,
      got: streamArn,
      expected: "only one of streamName and streamArn",
      hint: "Leave streamName out: the ARN contains it.",
    });
  }
  if (streamArn !== undefined) {
    const parts = typeof streamArn === "string" ? parseStreamArn(streamArn) : undefined;
    if (parts === undefined) {
      throw new ConfigError({
        path: `${where}streamArn`,
        got: streamArn,
        expected: "a stream's ARN like arn:aws:kinesis:eu-west-1:123456789012:stream/clicks",
      });
    }
    return { streamArn, streamName: parts.streamName };
  }
  if (typeof streamName !== "string" || !streamNamePattern.test(streamName)) {
    throw new ConfigError({
      path: `${where}streamName`,
      got: streamName,
      expected: "a stream's name of 1 to 128 letters, digits, '_', '.' or '-'",
      hint: streamName === undefined ? "Give streamName or streamArn." : undefined,
    });
  }
  return { streamName };
}
