/**
 * Driver. The service in process behind the port that the adapter over the user's client implements too.
 *
 * Bytes are copied on the way in and out, as a wire would: neither side can change the other's records.
 */
import {
  KinesisError,
  type Answer,
  type CallOptions,
  type ChildShard,
  type GetRecordsRequest,
  type GetRecordsResponse,
  type GetShardIteratorRequest,
  type GetShardIteratorResponse,
  type KinesisPort,
  type ListShardsRequest,
  type ListShardsResponse,
  type PutRecordsRequest,
  type PutRecordsResponse,
  type ServiceRecord,
  type Shard,
  type ShardFilter,
  type StreamRef,
  type StreamSummary,
} from "@millrace/core/kinesis";
import { ServiceError, WireFault } from "./service-error.ts";
import type { KinesisExecutor, ServiceInput, ServiceOutput } from "./service-port.ts";

export class InProcessKinesis implements KinesisPort {
  readonly #service: KinesisExecutor;
  readonly #wallMs: () => number;

  /** `wallMs` gives the service's wall clock, for the time that each answer carries. */
  constructor(service: KinesisExecutor, wallMs: () => number) {
    this.#service = service;
    this.#wallMs = wallMs;
  }

  putRecords(request: PutRecordsRequest, options?: CallOptions): Promise<Answer<PutRecordsResponse>> {
    const Records = request.records.map((record) => ({
      Data: record.data.slice(),
      PartitionKey: record.partitionKey,
      ExplicitHashKey: record.explicitHashKey,
    }));
    return this.#call("PutRecords", { ...streamFields(request), Records }, options, (output) => ({
      records: (output["Records"] as ServiceOutput[]).map((entry) =>
        entry["ErrorCode"] === undefined
          ? { ok: true, shardId: textOf(entry, "ShardId"), sequenceNumber: textOf(entry, "SequenceNumber") }
          : { ok: false, errorCode: textOf(entry, "ErrorCode"), errorMessage: textOf(entry, "ErrorMessage") },
      ),
    }));
  }

  getShardIterator(request: GetShardIteratorRequest, options?: CallOptions): Promise<Answer<GetShardIteratorResponse>> {
    const { position } = request;
    const input = {
      ...streamFields(request),
      ShardId: request.shardId,
      ShardIteratorType: position.type,
      StartingSequenceNumber: "sequenceNumber" in position ? position.sequenceNumber : undefined,
      Timestamp: "timestamp" in position ? position.timestamp : undefined,
    };
    return this.#call("GetShardIterator", input, options, (output) => ({
      shardIterator: textOf(output, "ShardIterator"),
    }));
  }

  getRecords(request: GetRecordsRequest, options?: CallOptions): Promise<Answer<GetRecordsResponse>> {
    const input = { ShardIterator: request.shardIterator, Limit: request.limit, StreamARN: request.streamArn };
    return this.#call("GetRecords", input, options, (output) => ({
      records: (output["Records"] as ServiceOutput[]).map(readRecord),
      nextShardIterator: output["NextShardIterator"] as string | undefined,
      millisBehindLatest: output["MillisBehindLatest"] as number,
      childShards: ((output["ChildShards"] ?? []) as ServiceOutput[]).map(readChildShard),
    }));
  }

  listShards(request: ListShardsRequest, options?: CallOptions): Promise<Answer<ListShardsResponse>> {
    const input =
      request.nextToken === undefined
        ? {
            ...streamFields(request),
            MaxResults: request.maxResults,
            ExclusiveStartShardId: request.exclusiveStartShardId,
            StreamCreationTimestamp: request.streamCreationTimestamp,
            ShardFilter: request.filter === undefined ? undefined : filterFields(request.filter),
          }
        : { NextToken: request.nextToken, MaxResults: request.maxResults };
    return this.#call("ListShards", input, options, (output) => ({
      shards: (output["Shards"] as ServiceOutput[]).map(readShard),
      nextToken: output["NextToken"] as string | undefined,
    }));
  }

  describeStreamSummary(request: StreamRef, options?: CallOptions): Promise<Answer<StreamSummary>> {
    return this.#call("DescribeStreamSummary", streamFields(request), options, (output) => {
      const summary = output["StreamDescriptionSummary"] as ServiceOutput;
      return {
        streamName: textOf(summary, "StreamName"),
        streamArn: textOf(summary, "StreamARN"),
        streamStatus: summary["StreamStatus"] as StreamSummary["streamStatus"],
        streamMode: (summary["StreamModeDetails"] as { StreamMode: StreamSummary["streamMode"] }).StreamMode,
        streamCreationTimestamp: summary["StreamCreationTimestamp"] as Date,
        retentionPeriodHours: summary["RetentionPeriodHours"] as number,
        openShardCount: summary["OpenShardCount"] as number,
        maxRecordSizeKiB: summary["MaxRecordSizeInKiB"] as number,
        recordDistributionStrategy: summary[
          "RecordDistributionStrategy"
        ] as StreamSummary["recordDistributionStrategy"],
      };
    });
  }

  async #call<T>(
    action: string,
    input: ServiceInput,
    options: CallOptions | undefined,
    read: (output: ServiceOutput) => T,
  ): Promise<Answer<T>> {
    const signal = options?.signal;
    if (isAborted(signal)) return { ok: false, error: abortedError(signal, false) };
    try {
      const output = await this.#service.execute(action, input, { signal });
      // A caller that has gone away does not see its answer, as on a wire.
      if (isAborted(signal)) return { ok: false, error: abortedError(signal, true) };
      return { ok: true, value: read(output), serviceTime: Math.floor(this.#wallMs() / 1000) * 1000 };
    } catch (error) {
      if (isAborted(signal)) return { ok: false, error: abortedError(signal, true) };
      if (error instanceof ServiceError || error instanceof WireFault) {
        return { ok: false, error: toKinesisError(error) };
      }
      throw error;
    }
  }
}

/** Refusals of the service that mean: not so fast. */
const throttles: ReadonlySet<string> = new Set([
  "KMSThrottlingException",
  "LimitExceededException",
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
]);

/** A failure of the service or of the way to it, as the port tells it. */
function toKinesisError(error: ServiceError | WireFault): KinesisError {
  if (error instanceof ServiceError) {
    return new KinesisError({
      code: error.code,
      message: error.message,
      kind: error.statusCode >= 500 ? "transient" : throttles.has(error.code) ? "throttle" : "permanent",
      httpStatus: error.statusCode,
      mayHaveTakenEffect: error.statusCode >= 500,
    });
  }
  const isReset = error.kind !== "raw-body";
  return new KinesisError({
    code: isReset ? "ECONNRESET" : "UnparsableAnswer",
    message: error.message,
    kind: "transient",
    httpStatus: isReset ? undefined : error.statusCode,
    mayHaveTakenEffect: true,
    cause: error,
  });
}

function isAborted(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal?.aborted === true;
}

function abortedError(signal: AbortSignal, mayHaveTakenEffect: boolean): KinesisError {
  return new KinesisError({
    code: "AbortError",
    message: "The call was ended by its signal.",
    kind: "aborted",
    mayHaveTakenEffect,
    cause: signal.reason,
  });
}

function streamFields(ref: StreamRef): ServiceInput {
  return { StreamName: ref.streamName, StreamARN: ref.streamArn };
}

function filterFields(filter: ShardFilter): ServiceInput {
  return {
    Type: filter.type,
    ShardId: "shardId" in filter ? filter.shardId : undefined,
    Timestamp: "timestamp" in filter ? filter.timestamp : undefined,
  };
}

function textOf(output: ServiceOutput, name: string): string {
  return output[name] as string;
}

function readRecord(record: ServiceOutput): ServiceRecord {
  return {
    data: (record["Data"] as Uint8Array).slice(),
    partitionKey: record["PartitionKey"] as string | undefined,
    sequenceNumber: textOf(record, "SequenceNumber"),
    approximateArrivalTimestamp: record["ApproximateArrivalTimestamp"] as Date,
  };
}

function readRange(output: ServiceOutput) {
  const range = output["HashKeyRange"] as { StartingHashKey: string; EndingHashKey: string };
  return { startingHashKey: BigInt(range.StartingHashKey), endingHashKey: BigInt(range.EndingHashKey) };
}

function readChildShard(child: ServiceOutput): ChildShard {
  return {
    shardId: textOf(child, "ShardId"),
    parentShardIds: child["ParentShards"] as string[],
    ...readRange(child),
  };
}

function readShard(shard: ServiceOutput): Shard {
  const numbers = shard["SequenceNumberRange"] as { StartingSequenceNumber: string; EndingSequenceNumber?: string };
  return {
    shardId: textOf(shard, "ShardId"),
    parentShardId: shard["ParentShardId"] as string | undefined,
    adjacentParentShardId: shard["AdjacentParentShardId"] as string | undefined,
    ...readRange(shard),
    startingSequenceNumber: numbers.StartingSequenceNumber,
    endingSequenceNumber: numbers.EndingSequenceNumber,
  };
}
