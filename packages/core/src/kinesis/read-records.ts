/**
 * Pure. Records and child shards from the SDK's names to ours, out of GetRecords and SubscribeToShard.
 */
import type { ChildShard as WireChildShard, GetRecordsOutput, _Record as WireRecord } from "@aws-sdk/client-kinesis";
import type { ChildShard, GetRecordsResponse, ServiceRecord } from "./port.ts";

/** The answer to GetRecords. */
export function getRecordsResponse(output: GetRecordsOutput): GetRecordsResponse {
  return {
    records: serviceRecords(output.Records),
    nextShardIterator: output.NextShardIterator ?? undefined,
    millisBehindLatest: output.MillisBehindLatest ?? 0,
    childShards: childShards(output.ChildShards),
  };
}

/** Kinesis records as they were read. */
export function serviceRecords(records: readonly WireRecord[] | undefined | null): ServiceRecord[] {
  return (records ?? []).map((record) => ({
    data: record.Data ?? new Uint8Array(),
    partitionKey: record.PartitionKey ?? undefined,
    sequenceNumber: record.SequenceNumber ?? "",
    approximateArrivalTimestamp: record.ApproximateArrivalTimestamp,
  }));
}

/** The shards that follow one that has ended. */
export function childShards(children: readonly WireChildShard[] | undefined | null): ChildShard[] {
  return (children ?? []).map((child) => ({
    shardId: child.ShardId ?? "",
    parentShardIds: child.ParentShards ?? [],
    startingHashKey: BigInt(child.HashKeyRange?.StartingHashKey ?? 0),
    endingHashKey: BigInt(child.HashKeyRange?.EndingHashKey ?? 0),
  }));
}
