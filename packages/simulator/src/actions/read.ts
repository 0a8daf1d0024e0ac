/**
 * Driver. GetShardIterator and GetRecords.
 *
 * Source: type docs of both in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { StoredRecord } from "../record-log.ts";
import { throughputExceeded, type Shard } from "../shard.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { Stream } from "../stream.ts";
import { rejectDryRun } from "./dry-run.ts";
import type { Inputs } from "./inputs.ts";
import { resolvePosition } from "./position.ts";

type GetShardIteratorInput = InputOf<Inputs["GetShardIterator"]>;
type GetRecordsInput = InputOf<Inputs["GetRecords"]>;

export function getShardIterator(state: ServiceState, input: GetShardIteratorInput): ServiceOutput {
  const stream = state.readableStream(input);
  const { nowMs, wallMs } = state.moment();
  const shard = stream.shard(input.ShardId, wallMs);
  rejectDryRun(input);
  if (!shard.iteratorCalls.has(1, nowMs)) {
    throw throughputExceeded(shard.shardId, stream.streamName, state.accountId);
  }
  const counter = resolvePosition(state, stream, shard, {
    action: "GetShardIterator",
    type: input.ShardIteratorType,
    sequenceNumber: input.StartingSequenceNumber,
    timestamp: input.Timestamp,
  });
  shard.iteratorCalls.take(1, nowMs);
  return { ShardIterator: sealIterator(state, stream, shard, counter) };
}

export function getRecords(state: ServiceState, input: GetRecordsInput): ServiceOutput {
  const { getRecordsRecords, getRecordsBytes, iteratorAgeMs } = state.limits;
  if (input.Limit !== undefined && input.Limit > getRecordsRecords) {
    throw new ServiceError("InvalidArgumentException", `Limit ${input.Limit} exceeds ${getRecordsRecords}.`);
  }
  const place = state.seal.openIterator(input.ShardIterator);
  if (place === undefined) throw new ServiceError("InvalidArgumentException", "Invalid ShardIterator.");
  const { nowMs, wallMs } = state.moment();
  if (nowMs - place.madeMs > iteratorAgeMs) {
    throw new ServiceError(
      "ExpiredIteratorException",
      `Iterator expired. It was made ${Math.round(nowMs - place.madeMs)} milliseconds ago, and is good for ${iteratorAgeMs}.`,
    );
  }
  const stream = state.readableStream({ StreamARN: place.streamArn });
  if (input.StreamARN !== undefined && input.StreamARN !== place.streamArn) {
    throw new ServiceError(
      "InvalidArgumentException",
      `StreamARN ${input.StreamARN} is not the stream of the iterator.`,
    );
  }
  if (stream.createdWallMs !== place.streamCreatedMs) throw state.streamNotFound(stream.streamName);
  const shard = stream.shard(place.shardId, wallMs);
  rejectDryRun(input);
  takeReadCall(state, stream, shard, nowMs);
  state.memory.trimExpired(stream, shard, wallMs);
  const slice = readSlice(shard, place.counter, input.Limit ?? getRecordsRecords, getRecordsBytes);
  takeReadBytes(state, shard, slice.bytes, nowMs);
  state.meter.countRead(slice.records.length, slice.bytes, { onDemand: stream.mode === "ON_DEMAND", fanOut: false });
  const ended = !shard.isOpen && slice.next >= shard.log.tip;
  return {
    Records: slice.records.map(describeRecord),
    MillisBehindLatest: millisBehindLatest(shard, slice.next, wallMs),
    ...(ended
      ? { ChildShards: describeChildren(stream, shard) }
      : { NextShardIterator: sealIterator(state, stream, shard, slice.next) }),
  };
}

/** Records from `counter` on, as many as fit. */
export interface RecordSlice {
  readonly records: readonly StoredRecord[];
  readonly bytes: number;
  /** Counter of the record that follows. */
  readonly next: number;
}

/** At most `maxRecords` records of at most `maxBytes`; the first one always. */
export function readSlice(shard: Shard, counter: number, maxRecords: number, maxBytes: number): RecordSlice {
  const records: StoredRecord[] = [];
  let bytes = 0;
  let next = Math.max(counter, shard.log.trimHorizon);
  while (records.length < maxRecords) {
    const record = shard.log.recordAt(next);
    if (record === undefined) break;
    if (records.length > 0 && bytes + record.bytes > maxBytes) break;
    records.push(record);
    bytes += record.bytes;
    next++;
  }
  return { records, bytes, next };
}

export function describeRecord(record: StoredRecord): ServiceOutput {
  return {
    SequenceNumber: record.sequenceNumber,
    ApproximateArrivalTimestamp: new Date(record.arrivalMs),
    Data: record.data,
    ...(record.partitionKey === undefined ? {} : { PartitionKey: record.partitionKey }),
    EncryptionType: record.encrypted ? "KMS" : "NONE",
  };
}

export function describeChildren(stream: Stream, shard: Shard): readonly ServiceOutput[] {
  return shard.childShardIds.flatMap((shardId) => {
    const child = stream.findShard(shardId);
    if (child === undefined) return [];
    const parents = [child.parentShardId, child.adjacentParentShardId].filter((id) => id !== undefined);
    return [{ ShardId: shardId, ParentShards: parents, HashKeyRange: describeRange(child) }];
  });
}

export function describeRange(shard: Shard): ServiceOutput {
  return { StartingHashKey: String(shard.startingHashKey), EndingHashKey: String(shard.endingHashKey) };
}

/** 0 at the tip; else the age of the next record, and at least 1: whoever is behind must be able to tell. */
export function millisBehindLatest(shard: Shard, next: number, wallMs: number): number {
  const record = shard.log.recordAt(next);
  return record === undefined ? 0 : Math.max(1, wallMs - record.arrivalMs);
}

function sealIterator(state: ServiceState, stream: Stream, shard: Shard, counter: number): string {
  return state.seal.sealIterator({
    streamArn: stream.streamArn,
    streamCreatedMs: stream.createdWallMs,
    shardId: shard.shardId,
    counter,
    madeMs: Math.floor(state.clock.steadyMs()),
  });
}

function takeReadCall(state: ServiceState, stream: Stream, shard: Shard, nowMs: number): void {
  if (!shard.readCalls.has(1, nowMs) || !shard.readBytes.isPositive(nowMs)) {
    throw throughputExceeded(shard.shardId, stream.streamName, state.accountId);
  }
  shard.readCalls.take(1, nowMs);
}

/**
 * An answer larger than a second's worth leaves a debt of its whole size: after one of 10 MiB the shard gives nothing
 * for 5 seconds.
 */
function takeReadBytes(state: ServiceState, shard: Shard, bytes: number, nowMs: number): void {
  if (bytes > state.limits.shardReadBytesPerSecond) shard.readBytes.owe(bytes, nowMs);
  else shard.readBytes.take(bytes, nowMs);
}
