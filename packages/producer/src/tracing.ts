/**
 * Driver. Tells tracers about puts and requests, through two tracing channels of `node:diagnostics_channel`:
 * `millrace:producer:put` and `millrace:producer:request`. Nothing is made while nobody subscribes.
 *
 * Source of the order of events: Node, `TracingChannel` (`tracePromise`).
 */
import { tracingChannel } from "node:diagnostics_channel";
import type { UserRecord } from "@millrace/aggregation";
import type { Answer, PutRecordsResponse } from "@millrace/core/kinesis";
import type { PutResult } from "./attempt.ts";
import type { PlannedRequest } from "./pipeline/effects.ts";

/** What subscribers of `millrace:producer:put` get: one object for a put from its start to its end. */
export interface PutTrace {
  readonly streamName: string;
  /** As the caller gave it. */
  readonly record: UserRecord;
  /** Set by a subscriber of `start`, such as trace context: added to the record's tags, whose own values win. */
  addedTags?: Readonly<Record<string, string>> | undefined;
  /** Set before `asyncEnd` when the record was stored. */
  result?: PutResult | undefined;
  /** Set before `error` when it was not; before `end` when it was refused at once. */
  error?: unknown;
}

/** What subscribers of `millrace:producer:request` get: one object for a PutRecords request. */
export interface RequestTrace {
  readonly streamName: string;
  readonly kinesisRecords: number;
  readonly userRecords: number;
  /** Data and outer partition keys. */
  readonly bytes: number;
  /** The puts whose records are in it, of those that are traced. */
  puts(): Iterable<PutTrace>;
  /** Set before `asyncStart` when the service answered; single records may have been refused in it. */
  result?: PutRecordsResponse | undefined;
  /** Set before `error` when the request failed as a whole. */
  error?: unknown;
}

const putChannel = tracingChannel<unknown, PutTrace>("millrace:producer:put");
const requestChannel = tracingChannel<unknown, RequestTrace>("millrace:producer:request");

/** True while somebody wants to hear of puts. */
export function arePutsTraced(): boolean {
  return putChannel.hasSubscribers;
}

/** Traces the part of a put that happens at once. `accept` gets the record with the tags that subscribers added. */
export function tracePut<T>(
  streamName: string,
  record: UserRecord,
  accept: (record: UserRecord, trace: PutTrace) => T,
): T {
  const trace: PutTrace = { streamName, record };
  return putChannel.start.runStores(trace, () => {
    try {
      return accept(withTags(record, trace.addedTags), trace);
    } catch (error) {
      trace.error = error;
      putChannel.error.publish(trace);
      throw error;
    } finally {
      putChannel.end.publish(trace);
    }
  });
}

/** The record with more tags. Field by field, since it may be an object with getters; what is no record is left to be refused. */
function withTags(record: UserRecord, added: PutTrace["addedTags"]): UserRecord {
  const isRecord = typeof record === "object" && record !== null;
  if (added === undefined || !isRecord || (record.tags !== undefined && typeof record.tags !== "object")) return record;
  const { partitionKey, data, explicitHashKey, tags } = record;
  return { partitionKey, data, explicitHashKey, tags: { ...added, ...tags } };
}

/** Ends the trace of a put whose record was stored. */
export function putStored(trace: PutTrace, result: PutResult): void {
  trace.result = result;
  putChannel.asyncStart.publish(trace);
  putChannel.asyncEnd.publish(trace);
}

/** Ends the trace of a put that failed after it was accepted. */
export function putFailed(trace: PutTrace, error: unknown): void {
  trace.error = error;
  putChannel.error.publish(trace);
  putChannel.asyncStart.publish(trace);
  putChannel.asyncEnd.publish(trace);
}

/** Makes a request's call, traced if somebody wants to hear of requests. */
export async function traceRequest(
  streamName: string,
  request: PlannedRequest,
  call: () => Promise<Answer<PutRecordsResponse>>,
): Promise<Answer<PutRecordsResponse>> {
  if (!requestChannel.hasSubscribers) return call();
  const { records, userRecords, bytes } = request;
  const trace: RequestTrace = {
    streamName,
    kinesisRecords: records.length,
    userRecords,
    bytes,
    puts: () => putsOf(request),
  };
  // The channel knows failures as rejections, the port as values.
  const outcome: { answer?: Answer<PutRecordsResponse> } = {};
  const traced = async () => {
    const answer = await call();
    outcome.answer = answer;
    if (!answer.ok) throw answer.error;
    return answer.value;
  };
  const rejected: unknown = await requestChannel.tracePromise(traced, trace).catch((error: unknown) => error);
  if (outcome.answer === undefined) throw rejected;
  return outcome.answer;
}

function* putsOf({ records }: PlannedRequest): Iterable<PutTrace> {
  for (const { members } of records) for (const { trace } of members) if (trace !== undefined) yield trace;
}
