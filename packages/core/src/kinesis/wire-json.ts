/**
 * Pure. The two large payloads of Kinesis in `application/x-amz-json-1.1`: PutRecords requests and GetRecords answers.
 *
 * The SDK's own serializer walks its schema for every field of every record; these know their two shapes.
 * Source: API reference of PutRecords and GetRecords; AWS JSON 1.1 protocol (blobs in base64, times in seconds).
 */
import type { GetRecordsOutput, PutRecordsInput, PutRecordsOutput } from "@aws-sdk/client-kinesis";
import { dateOfSeconds, scanRecords } from "./scan-records.ts";

const dataField = '{"Data":"';
const keyField = '","PartitionKey":';
const hashKeyField = ',"ExplicitHashKey":"';

/** The body of a PutRecords request. */
export function encodePutRecordsJson(input: PutRecordsInput): Buffer {
  const { Records: records = [], ...stream } = input;
  const tail = `],${JSON.stringify(stream).slice(1)}`;
  const keys: string[] = [];
  let bytes = '{"Records":['.length + Buffer.byteLength(tail) + records.length;
  for (const record of records) {
    const key = JSON.stringify(record.PartitionKey ?? "");
    keys.push(key);
    bytes += dataField.length + base64Length(record.Data) + keyField.length + Buffer.byteLength(key) + 1;
    if (record.ExplicitHashKey !== undefined) bytes += hashKeyField.length + record.ExplicitHashKey.length + 1;
  }
  const body = Buffer.allocUnsafe(bytes);
  let at = body.write('{"Records":[', 0, "latin1");
  for (const [index, record] of records.entries()) {
    const hashKey = record.ExplicitHashKey === undefined ? "" : `${hashKeyField}${record.ExplicitHashKey}"`;
    // Each write is a call out of JavaScript, which costs more than the few bytes it moves.
    at += body.write(index > 0 ? `,${dataField}` : dataField, at, "latin1");
    at += body.write(base64Of(record.Data), at, "latin1");
    at += body.write(`${keyField}${keys[index]}${hashKey}}`, at, "utf8");
  }
  at += body.write(tail, at, "utf8");
  return body.subarray(0, at);
}

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

function base64Length(data: Uint8Array | undefined): number {
  return Math.ceil((data?.byteLength ?? 0) / 3) * 4;
}

function base64Of(data: Uint8Array | undefined): string {
  if (data === undefined) return "";
  return Buffer.isBuffer(data)
    ? data.toString("base64")
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
}
