/**
 * Driver. Where records go that are not tried any more.
 */
import { describeError } from "@millrace/core/observe";
import type { ConsumedRecord } from "../record.ts";

/** A record that is not tried any more. */
export interface FailedRecord {
  readonly record: ConsumedRecord;
  readonly shardId: string;
  readonly streamName: string;
  /** Calls of the handler, also those of former owners of the shard as far as they are known. */
  readonly attempts: number;
  readonly why: "attempts" | "age";
  /** What the handler threw last. */
  readonly error: unknown;
}

/**
 * Where records go that are not tried any more: a file, another stream, a queue. The record counts as done once `send`
 * has resolved; until then it is tried again, with backoff, so none is lost on the way. The same record may come more
 * than once, after the death of a worker.
 */
export interface DeadLetter {
  send(failed: FailedRecord): Promise<void>;
}

/**
 * A failed record as one line of JSON, with its payload in base64: what `deadLetterFile` writes, and a body for queues.
 *
 * @example
 * const onFailure = { send: (failed) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: deadLetterJson(failed) })) };
 */
export function deadLetterJson(failed: FailedRecord): string {
  const { record } = failed;
  return JSON.stringify({
    ...placeAndReason(failed),
    partitionKey: record.partitionKey,
    explicitHashKey: record.explicitHashKey,
    tags: record.tags,
    data: Buffer.from(record.data.buffer, record.data.byteOffset, record.data.byteLength).toString("base64"),
  });
}

/** Where a failed record stood, and why it is not tried any more: plain data. */
export function placeAndReason(failed: FailedRecord): Readonly<Record<string, string | number | undefined>> {
  const { record, shardId, streamName, attempts, why, error } = failed;
  return {
    streamName,
    shardId,
    sequenceNumber: record.sequenceNumber,
    subSequenceNumber: record.subSequenceNumber,
    arrival: record.approximateArrivalTimestamp?.toISOString(),
    attempts,
    why,
    error: describeError(error),
  };
}
