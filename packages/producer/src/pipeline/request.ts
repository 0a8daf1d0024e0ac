/**
 * Pure. Turns Kinesis records into a PutRecords request.
 */
import { sealAggregates, type AggregatedRecord } from "@millrace/aggregation";
import type { PutRecordsEntry } from "@millrace/core/kinesis";
import { aggregateAgain } from "./closed-aggregate.ts";
import type { PlannedRequest } from "./effects.ts";
import type { OutgoingRecord } from "./records.ts";

/** The request of these records; from now on their members' bytes may reach the service. */
export function planRequest(records: readonly OutgoingRecord[], now: number, requestTimeoutMs: number): PlannedRequest {
  let userRecords = 0;
  let bytes = 0;
  let expiresAt = now;
  const entries: PutRecordsEntry[] = [];
  const aggregates: AggregatedRecord[] = [];
  for (const outgoing of records) {
    const entry = entryOf(outgoing);
    entries.push(entry);
    if (outgoing.built?.isUnsealed === true) aggregates.push(outgoing.built);
    bytes += outgoing.sizeBytes;
    userRecords += outgoing.members.length;
    if (outgoing.expiresAt > expiresAt) expiresAt = outgoing.expiresAt;
    for (const member of outgoing.members) member.state = "in-request";
  }
  sealAggregates(aggregates);
  const timeoutMs = Math.max(1, Math.min(requestTimeoutMs, expiresAt - now));
  return { records, entries, userRecords, bytes, timeoutMs };
}

/** What goes over the wire for a Kinesis record. */
function entryOf(outgoing: OutgoingRecord): PutRecordsEntry {
  if (outgoing.packing === "compressed" && outgoing.built !== undefined) return outgoing.built;
  const [first] = outgoing.members;
  if (first !== undefined && outgoing.members.length === 1 && first.tags === undefined) {
    const { data, partitionKey, explicitHashKey } = first;
    return { data, partitionKey, explicitHashKey: explicitHashKey?.toString() };
  }
  return (outgoing.built ??= aggregateAgain(outgoing));
}
