/**
 * Pure. User records as the pipeline holds them, for tests of its parts.
 */
import type { UserRecord } from "@millrace/aggregation";
import { FlushBarrier } from "../flush-barrier.ts";
import { pendingOf } from "../pending.ts";
import type { PendingRecord } from "../pipeline/records.ts";

export interface PendingFields {
  readonly partitionKey?: string;
  readonly bytes?: number;
  readonly record?: UserRecord;
  readonly acceptedAt?: number;
  readonly lingerMs?: number;
  readonly ttlMs?: number;
}

const { cohort } = new FlushBarrier();

/** A record that was accepted at `acceptedAt` and that nobody waits for. */
export function pendingRecord(fields: PendingFields = {}): PendingRecord {
  const { partitionKey = "key", bytes = 10, acceptedAt = 0, lingerMs = 100, ttlMs = 30_000 } = fields;
  const record = fields.record ?? { partitionKey, data: new Uint8Array(bytes) };
  const options = { recordTtlMs: ttlMs, recordMaxBufferedMs: lingerMs, maxRecordBytes: 10_485_760 };
  return { ...pendingOf(record, options, acceptedAt, cohort, undefined, undefined), state: "buffered" };
}
