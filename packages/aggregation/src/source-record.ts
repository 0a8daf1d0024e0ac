/**
 * Pure. Brings a Kinesis record of any of three shapes to one.
 *
 * Source: `_Record` of `@aws-sdk/client-kinesis`; AWS Lambda developer guide, Kinesis record event.
 */
import { InvalidRecordError } from "./errors.ts";
import { isBytes } from "./record.ts";

/** What deaggregation needs of a Kinesis record. */
export interface SourceRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string | undefined;
  readonly sequenceNumber: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads a `KinesisRecord`, a record of the AWS SDK, or one of a Lambda event. */
export function readSource(record: unknown): SourceRecord {
  const fields = readFields("record", record);
  if (fields["kinesis"] !== undefined)
    return readLower(readFields("record.kinesis", fields["kinesis"]), "record.kinesis.");
  if (fields["Data"] === undefined && fields["SequenceNumber"] === undefined) return readLower(fields, "record.");
  return {
    data: readData("record.Data", fields["Data"]),
    partitionKey: readKey("record.PartitionKey", fields["PartitionKey"]),
    sequenceNumber: readSequenceNumber("record.SequenceNumber", fields["SequenceNumber"]),
  };
}

function readLower(fields: Fields, prefix: string): SourceRecord {
  const data = fields["data"];
  return {
    // Lambda hands data over as base64 text.
    data: readData(`${prefix}data`, typeof data === "string" ? Buffer.from(data, "base64") : data),
    partitionKey: readKey(`${prefix}partitionKey`, fields["partitionKey"]),
    sequenceNumber: readSequenceNumber(`${prefix}sequenceNumber`, fields["sequenceNumber"]),
  };
}

function readFields(path: string, value: unknown): Fields {
  if (typeof value === "object" && value !== null) return value as Fields;
  throw new InvalidRecordError({
    path,
    got: value,
    expected: "a Kinesis record ({ data, partitionKey, sequenceNumber }, or as the AWS SDK or Lambda hands it over)",
  });
}

function readData(path: string, value: unknown): Uint8Array {
  if (isBytes(value)) return value;
  throw new InvalidRecordError({ path, got: value, expected: "a Uint8Array, or base64 text in Lambda's shape" });
}

function readKey(path: string, value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
  throw new InvalidRecordError({ path, got: value, expected: "a string, or nothing" });
}

function readSequenceNumber(path: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new InvalidRecordError({ path, got: value, expected: "a string" });
}
