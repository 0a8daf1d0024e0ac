/** Pure. The public names of `@millrace/aggregation`. */
export { Aggregator, sealAggregates } from "./aggregate.ts";
export { canCompress, COMPRESSION_TAG } from "./compression.ts";
export type { CompressionAlgorithm } from "./compression.ts";
export { createCounts, readRules } from "./deaggregate-options.ts";
export type {
  DeaggregateOptions,
  DeaggregationCounts,
  DefectOutcome,
  LazyOptions,
  Rules,
} from "./deaggregate-options.ts";
export { deaggregate, deaggregateLazily, isAggregated } from "./deaggregate.ts";
export type { AnyKinesisRecord } from "./deaggregate.ts";
export { DeaggregationError, InvalidRecordError } from "./errors.ts";
export type { DeaggregationReason } from "./errors.ts";
export { MAX_HASH_KEY, hashKeyTop32, parseExplicitHashKey, partitionKeyHash, userRecordHash } from "./hash-key.ts";
export { openRecords } from "./open-records.ts";
export type { RecordMaker } from "./open-records.ts";
export { kinesisRecordBytes } from "./record-bytes.ts";
export { wrapCompressed } from "./wrap-compressed.ts";
export type {
  AggregatedRecord,
  KinesisRecord,
  LambdaPayload,
  LambdaRecord,
  SdkRecord,
  UserRecord,
  UserRecordView,
} from "./record.ts";
export type { MessageReader, TagsPlace } from "./wire.ts";
