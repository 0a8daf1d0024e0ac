/**
 * Pure. A user record as the producer holds it, from the put to the answer.
 */
import type { UserRecord } from "@millrace/aggregation";
import type { ResolvedOptions } from "./options.ts";
import type { PendingRecord } from "./pipeline/records.ts";
import { checkUserRecord } from "./user-record.ts";

/**
 * The record, checked, with its times counted from `now`.
 * @throws {RecordError} when the record breaks a rule.
 */
export function pendingOf(
  record: UserRecord,
  options: Pick<ResolvedOptions, "recordTtlMs" | "recordMaxBufferedMs" | "maxRecordBytes">,
  now: number,
  cohort: PendingRecord["cohort"],
  resolve: PendingRecord["resolve"],
  reject: PendingRecord["reject"],
): PendingRecord {
  const checked = checkUserRecord(record, options.maxRecordBytes);
  // Whole milliseconds: fractions would cost an allocation for each of the times below.
  const acceptedAt = Math.floor(now);
  return {
    partitionKey: checked.partitionKey,
    data: checked.data,
    explicitHashKey: checked.explicitHashKey,
    tags: checked.tags,
    sizeBytes: checked.sizeBytes,
    hashKey: checked.explicitHashKey,
    acceptedAt,
    deadline: acceptedAt + options.recordMaxBufferedMs,
    expiresAt: acceptedAt + options.recordTtlMs,
    cohort,
    state: "waiting",
    earlier: undefined,
    hasPassed: false,
    mustBeAlone: false,
    isAborted: false,
    abortReason: undefined,
    resolve,
    reject,
    trace: undefined,
  };
}
