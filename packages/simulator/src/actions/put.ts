/**
 * Driver. PutRecord and PutRecords.
 *
 * Source: type docs of both in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { hashPartitionKey, parseHashKey } from "../hash-key.ts";
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { StoredRecord } from "../record-log.ts";
import { throughputExceeded, type Shard } from "../shard.ts";
import { validationError } from "../shapes/check-input.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { Stream } from "../stream.ts";
import { rejectDryRun } from "./dry-run.ts";
import type { Inputs } from "./inputs.ts";

type PutRecordInput = InputOf<Inputs["PutRecord"]>;
type PutRecordsInput = InputOf<Inputs["PutRecords"]>;

/** What the two actions have in common of a record. */
interface Entry {
  readonly Data: Uint8Array;
  readonly PartitionKey?: string | undefined;
  readonly ExplicitHashKey?: string | undefined;
}

/** Says of an entry of a request that it fails, before the shard is asked; see `faults.ts`. */
export type EntryVerdict = (
  shardId: string,
) => "ProvisionedThroughputExceededException" | "InternalFailure" | undefined;

export function putRecord(state: ServiceState, input: PutRecordInput): ServiceOutput {
  const stream = state.readableStream(input);
  rejectDryRun(input);
  const keyBytes = checkEntry(stream, input, "");
  const shard = routeEntry(state, stream, input);
  const { nowMs, wallMs } = state.moment();
  const ordering = input.SequenceNumberForOrdering;
  if (ordering !== undefined && !shard.precedesTip(ordering, wallMs)) {
    throw new ServiceError(
      "InvalidArgumentException",
      `SequenceNumberForOrdering ${ordering} used in PutRecord on stream ${stream.streamName} under account ${state.accountId} is invalid.`,
    );
  }
  if (!shard.takeWrite(input.Data.byteLength + keyBytes, nowMs)) {
    state.meter.countThrottledRecord();
    throw throughputExceeded(shard.shardId, stream.streamName, state.accountId);
  }
  const record = store(state, stream, shard, input, keyBytes);
  shard.notifyWatchers();
  state.memory.trimToCap();
  return { ShardId: shard.shardId, SequenceNumber: record.sequenceNumber, EncryptionType: encryptionType(stream) };
}

export function putRecords(state: ServiceState, input: PutRecordsInput, verdict?: EntryVerdict): ServiceOutput {
  const stream = state.readableStream(input);
  rejectDryRun(input);
  const keyBytes = checkRequest(state, stream, input.Records);
  // Every entry is routed before the first is stored: a bad hash key refuses the request as a whole.
  const shards = input.Records.map((entry) => routeEntry(state, stream, entry));
  const nowMs = state.clock.steadyMs();
  const changed = new Set<Shard>();
  let failed = 0;
  const results = input.Records.map((entry, index) => {
    const shard = shards[index];
    if (shard === undefined) throw new Error("every entry was routed");
    const entryKeyBytes = keyBytes[index] ?? 0;
    const ordered = verdict?.(shard.shardId);
    if (ordered === "InternalFailure") {
      failed++;
      return { ErrorCode: ordered, ErrorMessage: "Internal service failure." };
    }
    if (ordered !== undefined || !shard.takeWrite(entry.Data.byteLength + entryKeyBytes, nowMs)) {
      failed++;
      state.meter.countThrottledRecord();
      const { code, message } = throughputExceeded(shard.shardId, stream.streamName, state.accountId);
      return { ErrorCode: code, ErrorMessage: message };
    }
    const record = store(state, stream, shard, entry, entryKeyBytes);
    changed.add(shard);
    return { SequenceNumber: record.sequenceNumber, ShardId: shard.shardId };
  });
  for (const shard of changed) shard.notifyWatchers();
  state.memory.trimToCap();
  return { FailedRecordCount: failed, Records: results, EncryptionType: encryptionType(stream) };
}

/** Checks what no shape can hold of a whole request; gives each entry's key in bytes. */
function checkRequest(state: ServiceState, stream: Stream, entries: readonly Entry[]): readonly number[] {
  const { putRecordsRecords, putRecordsBytes } = state.limits;
  if (entries.length > putRecordsRecords) {
    throw validationError("records", `Member must have length less than or equal to ${putRecordsRecords}`);
  }
  let bytes = 0;
  const keyBytes = entries.map((entry, index) => {
    const entryKeyBytes = checkEntry(stream, entry, `records.${index + 1}.member.`);
    bytes += entry.Data.byteLength + entryKeyBytes;
    return entryKeyBytes;
  });
  if (bytes > putRecordsBytes) {
    throw new ServiceError(
      "InvalidArgumentException",
      `Records size of ${bytes} bytes exceeds ${putRecordsBytes} bytes, partition keys included.`,
    );
  }
  return keyBytes;
}

/** Checks one entry against its stream's settings; gives its key in bytes. */
function checkEntry(stream: Stream, entry: Entry, path: string): number {
  const { PartitionKey: key, Data: data } = entry;
  if (key === undefined && stream.strategy === "USER_PARTITION_KEY") {
    throw validationError(`${path}partitionKey`, "Member must not be null");
  }
  const keyBytes = key === undefined || stream.strategy === "AUTO" ? 0 : Buffer.byteLength(key, "utf8");
  const maxBytes = stream.maxRecordSizeKiB * 1024;
  if (data.byteLength + keyBytes > maxBytes && stream.limits.recordSizeKiB !== Infinity) {
    throw validationError(
      `${path}data`,
      `Member must have length, partition key included, less than or equal to ${maxBytes}`,
    );
  }
  return keyBytes;
}

function routeEntry(state: ServiceState, stream: Stream, entry: Entry): Shard {
  if (stream.strategy === "AUTO") {
    const open = stream.openShards;
    const shard = open[Math.floor(state.clock.random() * open.length)];
    if (shard === undefined) throw new Error(`stream ${stream.streamName} has no open shard`);
    return shard;
  }
  const place =
    entry.ExplicitHashKey === undefined
      ? hashPartitionKey(entry.PartitionKey ?? "")
      : parseHashKey(entry.ExplicitHashKey, "ExplicitHashKey");
  return stream.shardAt(place);
}

function store(state: ServiceState, stream: Stream, shard: Shard, entry: Entry, keyBytes: number): StoredRecord {
  const key = stream.strategy === "AUTO" ? undefined : entry.PartitionKey;
  const encrypted = stream.isEncryptedAt(state.clock.steadyMs());
  const record = shard.append(entry.Data, key, keyBytes, encrypted, state.clock.wallMs());
  state.memory.add(record.bytes);
  state.meter.countStored(record.bytes, stream.mode === "ON_DEMAND");
  return record;
}

function encryptionType(stream: Stream): "KMS" | "NONE" {
  return stream.encryptionKeyId === undefined ? "NONE" : "KMS";
}
