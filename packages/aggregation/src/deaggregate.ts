/**
 * Pure. Unpacks a Kinesis record into user records: an aggregate into its members, everything else as it came.
 */
import { readRules } from "./deaggregate-options.ts";
import type { DeaggregateOptions, LazyOptions } from "./deaggregate-options.ts";
import { InvalidRecordError } from "./errors.ts";
import { isDigestRight, isFramed } from "./format.ts";
import { asBuffer, openRecords, type RecordMaker } from "./open-records.ts";
import { readSource } from "./source-record.ts";
import type { SourceRecord } from "./source-record.ts";
import { isBytes } from "./record.ts";
import type { KinesisRecord, LambdaRecord, SdkRecord, UserRecordView } from "./record.ts";

/** Any record that can be unpacked: as Millrace reads it, as the AWS SDK returns it, or as Lambda hands it over. */
export type AnyKinesisRecord = KinesisRecord | SdkRecord | LambdaRecord;

const EAGER_MAX_RECORDS = 250_000;
/**
 * True when `data` is an aggregate: it has the magic bytes, and its MD5 digest matches. Reads all of it; what merely
 * begins like an aggregate is none.
 * @throws {InvalidRecordError} when `data` are no bytes.
 */
export function isAggregated(data: Uint8Array): boolean {
  if (!isBytes(data)) throw new InvalidRecordError({ path: "data", got: data, expected: "a Uint8Array" });
  return isFramed(data) && isDigestRight(asBuffer(data));
}

/**
 * The user records of a Kinesis record, in order: the members of an aggregate, or the record itself when it is none.
 * Never throws for what the bytes hold, unless an option says "fail". An aggregate of no records yields none. Data are
 * views into the record's bytes, not copies.
 * @throws {InvalidRecordError} when `record` has none of the known shapes or an option is bad.
 * @throws {DeaggregationError} for a defect whose outcome is "fail".
 */
export function deaggregate(record: AnyKinesisRecord, options: DeaggregateOptions = {}): UserRecordView[] {
  const maxRecords = options.maxRecords ?? EAGER_MAX_RECORDS;
  const views: UserRecordView[] = [];
  for (const slice of deaggregateLazily(record, { ...options, maxRecords })) {
    for (const view of slice) views.push(view);
  }
  return views;
}

/**
 * Like `deaggregate`, in slices that are made as they are asked for: an aggregate of millions takes memory for one slice
 * at a time. Between two slices the caller may let other work run; no step takes long, and a slice may be empty because
 * the step was one of checking. The whole aggregate is checked before its first user record is yielded. Throws what
 * `deaggregate` throws, once the first slice is asked for.
 */
export function* deaggregateLazily(
  record: AnyKinesisRecord,
  options: LazyOptions = {},
): Generator<UserRecordView[], void, undefined> {
  yield* openRecords([readSource(record)], viewMaker, readRules(options));
}

const viewMaker: RecordMaker<SourceRecord, UserRecordView> = {
  whole: ({ data, partitionKey, sequenceNumber }) => ({
    data,
    partitionKey,
    explicitHashKey: undefined,
    sequenceNumber,
    subSequenceNumber: 0,
    aggregated: false,
    tags: undefined,
  }),
  member({ sequenceNumber }, message, subSequenceNumber) {
    const { tags } = message;
    return {
      data: message.bytes.subarray(message.dataStart, message.dataEnd),
      partitionKey: message.partitionKeys.at(message.partitionKeyIndex),
      explicitHashKey: message.explicitHashKeys.at(message.explicitHashKeyIndex),
      sequenceNumber,
      subSequenceNumber,
      aggregated: true,
      tags: tags === undefined ? undefined : message.readTags(tags),
    };
  },
};
