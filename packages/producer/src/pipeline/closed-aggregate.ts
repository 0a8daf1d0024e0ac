/**
 * Pure. Makes Kinesis records of aggregates: of one that was filled, and of what is left of one.
 */
import { Aggregator, type AggregatedRecord } from "@millrace/aggregation";
import { loneRecord, noAttempts, type OutgoingRecord, type PendingRecord } from "./records.ts";

/** An aggregate to which nothing is added any more. */
export interface FilledAggregate {
  readonly shardId: string;
  /** Its partition key, from two members on. */
  readonly outerKey: string;
  /** Holds the members' bytes, from two on. */
  readonly aggregator: Aggregator | undefined;
  readonly members: [PendingRecord, ...PendingRecord[]];
  readonly deadline: number;
  readonly expiresAt: number;
}

/** The Kinesis record that an aggregate becomes when it is closed. */
export function outgoingOf(filled: FilledAggregate): OutgoingRecord {
  const { aggregator, members, outerKey, shardId, deadline, expiresAt } = filled;
  const [first] = members;
  if (aggregator === undefined || members.length === 1) return loneRecord(first, shardId);
  const built = withOuterKey(aggregator.build({ seal: false }), outerKey);
  const sizeBytes = built.data.byteLength + Buffer.byteLength(outerKey);
  return {
    members,
    built,
    outerKey,
    shardId,
    sizeBytes,
    plainBytes: sizeBytes,
    packing: "plain",
    deadline,
    expiresAt,
    notBefore: 0,
    lastTouchedAt: first.earlier?.endedAt ?? first.acceptedAt,
    attempts: noAttempts,
    mayHaveBeenStored: false,
    alone: false,
  };
}

/** The shard is decided by the explicit hash key that every aggregate has, whatever its partition key. */
function withOuterKey(built: AggregatedRecord, partitionKey: string): AggregatedRecord {
  return built.count === 1 || built.partitionKey === partitionKey ? built : { ...built, partitionKey };
}

// Only the service's own bound holds for records that were together once: without some of them they take no more room.
const largestBlobBytes = 10_485_759;

/** The aggregate of records that were in one before and lost some of their company. */
export function aggregateAgain(
  { members, outerKey }: OutgoingRecord,
  options?: { readonly wrap: boolean },
): AggregatedRecord {
  const aggregator = new Aggregator({ maxBytes: largestBlobBytes });
  for (const member of members) aggregator.add(member);
  return withOuterKey(aggregator.build({ ...options, seal: false }), outerKey);
}
