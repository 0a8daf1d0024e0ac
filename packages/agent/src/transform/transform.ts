/**
 * Pure. What a flow does to a record between reading and sending, as a type.
 */

import type { InstanceFields } from "./ec2.ts";

/** Where a record comes from. */
export interface RecordSource {
  readonly path: string;
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly wallNowMs: number;
  /** What the host is, where a transform asks for it and it is known. */
  readonly instance?: InstanceFields | undefined;
}

/** Gives the record to send. Throws a TransformError where the record is not of the form that it expects. */
export type Transform = (data: Uint8Array, source: RecordSource) => Uint8Array;

/** A record is not of the form that a transform expects. Its text holds nothing of the record. */
export class TransformError extends Error {
  override readonly name = "TransformError";
  readonly code = "ERR_TRANSFORM";
}

/** Applies one transform after the other. */
export function inOrder(transforms: readonly Transform[]): Transform | undefined {
  if (transforms.length === 0) return undefined;
  return (data, source) => {
    let result = data;
    for (const transform of transforms) result = transform(result, source);
    return result;
  };
}

/** The record as text. */
export function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("utf8");
}

/** A JSON document as a record: on one line, or over several, ended by a newline. */
export function jsonRecord(value: unknown, format: "COMPACT" | "PRETTYPRINT"): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, format === "PRETTYPRINT" ? 2 : undefined)}\n`);
}
