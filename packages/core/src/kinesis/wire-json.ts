/**
 * Pure. Reads the answers of PutRecords and GetRecords in `application/x-amz-json-1.1`.
 *
 * The SDK's own deserializer walks its schema for every field of every record; these know their two shapes.
 * Source: API reference of PutRecords and GetRecords; AWS JSON 1.1 protocol (blobs in base64, times in seconds).
 */
import type { GetRecordsOutput, PutRecordsOutput } from "@aws-sdk/client-kinesis";
import { dateOfSeconds, scanRecords } from "./scan-records.ts";

/** The answer to PutRecords. */
export function decodePutRecordsJson(body: Buffer): PutRecordsOutput {
  return JSON.parse(body.toString("utf8")) as PutRecordsOutput;
}

interface JsonRecord {
  Data?: string | Uint8Array;
  ApproximateArrivalTimestamp?: number | Date;
}

/** The answer to GetRecords, or an event of SubscribeToShard. `body` may be used again afterwards. */
export function decodeGetRecordsJson(body: Buffer): GetRecordsOutput {
  const scanned = scanRecords(body);
  if (scanned !== undefined) {
    const output = JSON.parse(scanned.rest) as { Records?: unknown };
    output.Records = scanned.records;
    return output as GetRecordsOutput;
  }
  const output = JSON.parse(body.toString("utf8")) as { Records?: JsonRecord[] };
  for (const record of output.Records ?? []) {
    if (typeof record.Data === "string") record.Data = Buffer.from(record.Data, "base64");
    const arrival = record.ApproximateArrivalTimestamp;
    if (typeof arrival === "number") record.ApproximateArrivalTimestamp = dateOfSeconds(arrival);
  }
  return output as GetRecordsOutput;
}
