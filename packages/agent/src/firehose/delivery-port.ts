/**
 * Pure. Data Firehose as the agent sees it: one action, and its limits.
 *
 * Source of the limits: PutRecordBatch, Amazon Data Firehose API reference; read 2026-11-22.
 */
import type { KinesisError } from "@millrace/core/kinesis";

/** What one PutRecordBatch request takes at most, before base64. */
export const deliveryLimits = {
  requestRecords: 500,
  requestBytes: 4_194_304,
  recordBytes: 1_024_000,
} as const;

/** What became of one record of a request. */
export type DeliveryResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly errorCode: string; readonly errorMessage: string };

/** What became of a request: a result for each of its records, in order, or the failure of all. */
export type DeliveryAnswer =
  | { readonly ok: true; readonly results: readonly DeliveryResult[] }
  | { readonly ok: false; readonly error: KinesisError };

/** Sends records to one delivery stream. Never rejects and never tries again. */
export interface DeliveryPort {
  putRecordBatch(
    deliveryStream: string,
    records: readonly Uint8Array[],
    options: { readonly signal: AbortSignal },
  ): Promise<DeliveryAnswer>;
}
