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
  return {
    partitionKey: checked.partitionKey,
    data: checked.data,
    explicitHashKey: checked.explicitHashKey,
    tags: checked.tags,
    sizeBytes: checked.sizeBytes,
    hashKey: checked.explicitHashKey,
    acceptedAt: now,
    // Options come out of a place that held larger numbers; without | 0 each record's times would be allocated.
    deadline: now + (options.recordMaxBufferedMs | 0),
    expiresAt: now + (options.recordTtlMs | 0),
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
