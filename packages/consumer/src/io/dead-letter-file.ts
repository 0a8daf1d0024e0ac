/**
 * Adapter. Dead letters as lines of JSON in a file.
 */
import { open } from "node:fs/promises";
import { describeError } from "@millrace/core/observe";
import type { DeadLetter } from "../processing/each-options.ts";

/**
 * A dead letter that appends each failed record to a file as one line of JSON, its payload in base64, and resolves once
 * the line is on disk.
 * @param path of the file; it is created where it does not exist. Several workers may share it on one host.
 */
export function deadLetterFile(path: string): DeadLetter {
  let chain: Promise<unknown> = Promise.resolve();
  return {
    send(failed) {
      const { record, shardId, streamName, attempts, why, error } = failed;
      const line = JSON.stringify({
        streamName,
        shardId,
        sequenceNumber: record.sequenceNumber,
        subSequenceNumber: record.subSequenceNumber,
        partitionKey: record.partitionKey,
        explicitHashKey: record.explicitHashKey,
        arrival: record.approximateArrivalTimestamp?.toISOString(),
        tags: record.tags,
        attempts,
        why,
        error: describeError(error),
        data: Buffer.from(record.data.buffer, record.data.byteOffset, record.data.byteLength).toString("base64"),
      });
      // One line after another: two writes at a time could interleave.
      const written = chain.then(() => append(path, `${line}\n`));
      chain = written.catch(() => undefined);
      return written;
    },
  };
}

async function append(path: string, text: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.appendFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}
