/**
 * Pure. User records as the pipeline holds them, for tests of its parts.
 */
import type { UserRecord } from "@millrace/aggregation";
import { FlushBarrier } from "../flush-barrier.ts";
import type { PendingRecord } from "../pipeline/records.ts";
import { checkUserRecord } from "../user-record.ts";

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
  const checked = checkUserRecord(record, 10_485_760);
  return {
    ...checked,
    hashKey: checked.explicitHashKey,
    acceptedAt,
    deadline: acceptedAt + lingerMs,
    expiresAt: acceptedAt + ttlMs,
    cohort,
    state: "buffered",
    earlier: undefined,
    hasPassed: false,
    mustBeAlone: false,
    isAborted: false,
    abortReason: undefined,
    resolve: undefined,
    reject: undefined,
  };
}
