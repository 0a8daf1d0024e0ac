/**
 * Pure. Transforms of text: SINGLELINE, ADDBRACKETS and ADDMETADATA.
 * Source: the Kinesis Agent's documentation of `dataProcessingOptions`, and its observed results.
 */
import { jsonRecord, textOf, type Transform } from "./transform.ts";

/** Puts the lines of a record on one line. */
export function singleLine(options: readonly ("NO_TRIM" | "ESCAPE_NEW_LINE")[]): Transform {
  const trims = !options.includes("NO_TRIM");
  const joint = options.includes("ESCAPE_NEW_LINE") ? String.raw`\\n` : "";
  return (data) => {
    const lines = textOf(data).replace(/\n$/, "").split("\n");
    return Buffer.from(`${lines.map((line) => (trims ? line.trim() : line)).join(joint)}\n`);
  };
}

/** Wraps a record in `{` and `}`. */
export const addBrackets: Transform = (data) => Buffer.from(`{${textOf(data).trimEnd()}}\n`);

/** Puts a record under `data`, beside `metadata` and, where asked for, the time under `ts`. */
export function addMetadata(options: {
  readonly metadata: unknown;
  readonly timestamp: boolean;
  readonly jsonFormat: "COMPACT" | "PRETTYPRINT";
}): Transform {
  const { jsonFormat, metadata, timestamp } = options;
  return (data, { wallNowMs }) => {
    const time = timestamp ? { ts: new Date(wallNowMs).toISOString() } : {};
    return jsonRecord({ ...time, metadata, data: textOf(data).trim() }, jsonFormat);
  };
}
