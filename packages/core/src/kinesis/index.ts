export { kinesisErrorFrom } from "./aws-failure.ts";
export { classifyFailure, KinesisError } from "./errors.ts";
export type { FailureKind } from "./errors.ts";
export { EventFrames } from "./event-frames.ts";
export type { EventFrame } from "./event-frames.ts";
export { childShards, serviceRecords } from "./read-records.ts";
export { compareSequenceNumbers, isSequenceNumber } from "./sequence-number.ts";
export type {
  Answer,
  CallOptions,
  ChildShard,
  GetRecordsRequest,
  GetRecordsResponse,
  GetShardIteratorRequest,
  GetShardIteratorResponse,
  KinesisPort,
  ListShardsRequest,
  ListShardsResponse,
  PutRecordsEntry,
  PutRecordsRequest,
  PutRecordsResponse,
  PutRecordsResultEntry,
  ServiceRecord,
  Shard,
  ShardFilter,
  StartingPosition,
  StreamRef,
  StreamSummary,
} from "./port.ts";
export { decodeGetRecordsJson } from "./wire-json.ts";
