/**
 * Pure. What a caller learns about one try to store a record.
 *
 * Source of the fields: KPL's `Attempt` (delay, duration, success, error code and message).
 */

/** One PutRecords request that a record was in. Records of one aggregate share their attempts. */
export interface Attempt {
  /** Milliseconds before the request began: since the put for the first, since the end of the one before for others. */
  readonly delayMs: number;
  /** Milliseconds from request to answer. */
  readonly durationMs: number;
  readonly success: boolean;
  /** Why it failed: the service's error name, or the system's (`ECONNRESET`), or `WrongShard`. */
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

/** Where Kinesis stored a user record. */
export interface PutResult {
  readonly shardId: string;
  /** Of the Kinesis record, which holds many user records when they were aggregated. */
  readonly sequenceNumber: string;
  /** The user record's place inside its aggregate, from 0; absent when it was stored alone. */
  readonly subSequenceNumber?: number;
  /** Every request that this record was in, oldest first; the last one succeeded. */
  readonly attempts: readonly Attempt[];
}
