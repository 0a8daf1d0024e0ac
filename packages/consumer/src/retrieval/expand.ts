/**
 * Pure. Kinesis records into user records, in slices, without those that are done already.
 */
import { openRecords, readRules, type DeaggregateOptions } from "@millrace/aggregation";
import { compareSequenceNumbers, type ServiceRecord } from "@millrace/core/kinesis";
import { isSentinel, isShardEnd, type Checkpoint } from "../checkpoint/checkpoint.ts";
import { DeliveredRecords, type DeliveredRecord } from "./delivered-record.ts";

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
  const rules = readRules({ ...options, sliceRecords: maxRecords });
  // Reading begins at the checkpoint itself, because it may stand inside an aggregate.
  const { open, firstSubSequenceNumber } = withoutDone(records, done);
  const maker = new DeliveredRecords();
  for (const slice of openRecords(open, maker, rules, firstSubSequenceNumber)) {
    yield { records: slice, bytes: maker.takeBytes() };
  }
}

/** The Kinesis records that hold something after `done`, and the first place of the first of them that does. */
function withoutDone(
  records: readonly ServiceRecord[],
  done: Checkpoint,
): { readonly open: readonly ServiceRecord[]; readonly firstSubSequenceNumber: number } {
  if (isShardEnd(done)) return { open: [], firstSubSequenceNumber: 0 };
  const { sequenceNumber, subSequenceNumber } = done;
  if (isSentinel(sequenceNumber)) return { open: records, firstSubSequenceNumber: 0 };
  const first = records.findIndex((record) => compareSequenceNumbers(record.sequenceNumber, sequenceNumber) >= 0);
  if (first < 0) return { open: [], firstSubSequenceNumber: 0 };
  return {
    open: first === 0 ? records : records.slice(first),
    firstSubSequenceNumber: records[first]?.sequenceNumber === sequenceNumber ? subSequenceNumber + 1 : 0,
  };
}
