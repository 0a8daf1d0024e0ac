/**
 * Pure. What the pipeline asks its driver to do, as data.
 */
import type { PutRecordsEntry } from "@millrace/core/kinesis";
import type { ProducerEvent } from "../events.ts";
import type { AggregatedRecord } from "@millrace/aggregation";
import type { OutgoingRecord, PendingRecord } from "./records.ts";

/** A PutRecords request to send. */
export interface PlannedRequest {
  readonly records: readonly OutgoingRecord[];
  readonly entries: readonly PutRecordsEntry[];
  readonly userRecords: number;
  readonly bytes: number;
  /** End the call after this long: its outcome is then unknown. */
  readonly timeoutMs: number;
}

/** Where Kinesis says it stored a record. */
export interface Stored {
  readonly type: "stored";
  readonly outgoing: OutgoingRecord;
  readonly shardId: string;
  readonly sequenceNumber: string;
}

export type Effect =
  | { readonly type: "send"; readonly request: PlannedRequest }
  | { readonly type: "list-shards" }
  | { readonly type: "describe-stream" }
  /** To be answered with `packed`. */
  | { readonly type: "compress"; readonly outgoing: OutgoingRecord; readonly aggregate: AggregatedRecord }
  | Stored
  /** `error` is a PutError, or the caller's own reason for withdrawing the record. */
  | { readonly type: "failed"; readonly members: readonly PendingRecord[]; readonly error: unknown }
  | { readonly type: "event"; readonly event: ProducerEvent };

/** What there is to do now, and when to look again: Infinity for not before something else happens. */
export interface Plan {
  readonly effects: readonly Effect[];
  readonly wakeAt: number;
}
