/**
 * Pure. Kinesis records into user records, in slices, without those that are done already.
 */
import { deaggregateLazily, type DeaggregateOptions } from "@millrace/aggregation";
import type { ServiceRecord } from "@millrace/core/kinesis";
import { compareCheckpoints, type Checkpoint } from "../checkpoint/checkpoint.ts";
import { DeliveredRecord } from "../record.ts";

/** User records made in one step: a few milliseconds of work. */
const sliceRecords = 4_096;

/** User records and their payload bytes. */
export interface ExpandedSlice {
  readonly records: readonly DeliveredRecord[];
  readonly bytes: number;
}

/**
 * The user records after `done`, at most `maxRecords` at a time, made as they are asked for. A slice may be empty where
 * a step was one of checking, so that the caller can let other work run.
 */
export function* expandRecords(
  records: readonly ServiceRecord[],
  done: Checkpoint,
  maxRecords: number,
  options: DeaggregateOptions = {},
): Generator<ExpandedSlice, void, undefined> {
  let slice: DeliveredRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const arrival = record.approximateArrivalTimestamp;
    for (const views of deaggregateLazily(record, { ...options, sliceRecords: Math.min(maxRecords, sliceRecords) })) {
      if (views.length === 0) yield { records: [], bytes: 0 };
      for (const view of views) {
        // Reading begins at the checkpoint itself, because it may stand inside an aggregate.
        if (compareCheckpoints(view, done) <= 0) continue;
        slice.push(new DeliveredRecord(view, arrival));
        bytes += view.data.byteLength;
        if (slice.length < maxRecords) continue;
        yield { records: slice, bytes };
        slice = [];
        bytes = 0;
      }
    }
  }
  if (slice.length > 0) yield { records: slice, bytes };
}
