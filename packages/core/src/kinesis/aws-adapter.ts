/**
 * Adapter. The Kinesis port over the user's own `KinesisClient`.
 *
 * Credentials, region, endpoint, proxy, TLS, middleware and mocks are the client's. Retries are not: the SDK's retry
 * step is taken out of each call, because only the callers here know what may be sent again, and when.
 */
import {
  DescribeStreamSummaryCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import type {
  DescribeStreamSummaryOutput,
  GetShardIteratorOutput,
  ListShardsInput,
  ListShardsOutput,
  PutRecordsInput,
  PutRecordsOutput,
  Shard as WireShard,
} from "@aws-sdk/client-kinesis";

import { CborProbe, FastGetRecordsCommand, FastPutRecordsCommand, type WireFormat } from "./commands.ts";
import { kinesisErrorFrom } from "./aws-failure.ts";
import { KinesisError } from "./errors.ts";
import { getRecordsResponse } from "./read-records.ts";
import type {
  Answer,
  CallOptions,
  GetShardIteratorResponse,
  KinesisPort,
  ListShardsRequest,
  ListShardsResponse,
  PutRecordsRequest,
  PutRecordsResponse,
  Shard,
  ShardFilter,
  StartingPosition,
  StreamRef,
  StreamSummary,
} from "./port.ts";

export { createKinesisClient, type KinesisClientOptions } from "./client-adapter.ts";

/** How the port speaks with the service. */
export interface KinesisPortOptions {
  /**
   * `cbor` needs no base64 and less CPU. It is tried once with ListShards, which must name the stream, and JSON is used
   * where the service does not take it.
   * @default "json"
   */
  readonly wireFormat?: WireFormat | undefined;
}

/** The port over `client`. Closing the client is its owner's part. */
export function kinesisFromClient(client: KinesisClient, portOptions: KinesisPortOptions = {}): KinesisPort {
  const cbor = portOptions.wireFormat === "cbor" ? new CborProbe(client) : undefined;
  return {
    putRecords: async (request, options) => {
      const format = cbor === undefined ? "json" : await cbor.formatFor(streamFields(request), options?.signal);
      return call(options, putRecordsResponse, (prepare, sendOptions) =>
        client.send(prepare(new FastPutRecordsCommand(putRecordsInput(request), format)), sendOptions),
      );
    },
    getShardIterator: async (request, options) => {
      // Every reader asks for an iterator first, and the probe needs the stream, which GetRecords need not name.
      await cbor?.formatFor(streamFields(request), options?.signal);
      return call(options, getShardIteratorResponse, (prepare, sendOptions) =>
        client.send(
          prepare(
            new GetShardIteratorCommand({
              ...streamFields(request),
              ShardId: request.shardId,
              ...positionFields(request.position),
            }),
          ),
          sendOptions,
        ),
      );
    },
    getRecords: (request, options) =>
      call(options, getRecordsResponse, (prepare, sendOptions) =>
        client.send(
          prepare(
            new FastGetRecordsCommand(
              { ShardIterator: request.shardIterator, Limit: request.limit, StreamARN: request.streamArn },
              cbor?.known ?? "json",
            ),
          ),
          sendOptions,
        ),
      ),
    listShards: (request, options) =>
      call(options, listShardsResponse, (prepare, sendOptions) =>
        client.send(prepare(new ListShardsCommand(listShardsInput(request))), sendOptions),
      ),
    describeStreamSummary: (request, options) =>
      call(options, streamSummary, (prepare, sendOptions) =>
        client.send(prepare(new DescribeStreamSummaryCommand(streamFields(request))), sendOptions),
      ),
  };
}

/** The part of an SDK command that this file changes, whatever its action. */
interface AnyCommand {
  readonly middlewareStack: {
    add(middleware: (next: Next) => Next, options: object): void;
  };
}

type Prepare = <Command extends object>(command: Command) => Command;
type SendOptions = { readonly abortSignal?: AbortSignal };

/** One call: prepares its command, sends it, reads its output, and turns whatever is thrown into a failure. */
async function call<Output, T>(
  options: CallOptions | undefined,
  read: (output: Output) => T,
  send: (prepare: Prepare, sendOptions: SendOptions) => Promise<Output | undefined>,
): Promise<Answer<T>> {
  const signal = options?.signal;
  const seen: { commandName: string; date?: string | undefined } = { commandName: "" };
  try {
    const output = await send(
      (command) => {
        seen.commandName = command.constructor.name;
        prepareStack(command as unknown as AnyCommand, seen);
        return command;
      },
      signal === undefined ? {} : { abortSignal: signal },
    );
    if (output === undefined) return { ok: false, error: undefinedAnswer(seen.commandName) };
    const serviceTime = seen.date === undefined ? Number.NaN : Date.parse(seen.date);
    return { ok: true, value: read(output), serviceTime: Number.isNaN(serviceTime) ? undefined : serviceTime };
  } catch (error) {
    return { ok: false, error: kinesisErrorFrom(error, signal) };
  }
}

type Next = (args: never) => Promise<{ response?: unknown }>;

/** Takes the SDK's retry step out of one call and remembers the `Date` header of its answer. */
function prepareStack(command: AnyCommand, seen: { date?: string | undefined }): void {
  command.middlewareStack.add((next) => (args) => next(args), {
    name: "retryMiddleware",
    step: "finalizeRequest",
    priority: "high",
    override: true,
  });
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = (result.response ?? {}) as { headers?: Record<string, string> };
      seen.date = headers?.["date"];
      return result;
    },
    { name: "millraceServiceTime", step: "deserialize", priority: "low", override: true },
  );
}

function undefinedAnswer(commandName: string): KinesisError {
  return new KinesisError({
    code: "UndefinedAnswer",
    message: `client.send(${commandName}) resolved to undefined; a mocked client must be given an answer`,
    kind: "permanent",
    mayHaveTakenEffect: false,
  });
}

function streamFields(stream: StreamRef): { StreamName?: string; StreamARN?: string } {
  if (stream.streamArn !== undefined) return { StreamARN: stream.streamArn };
  return stream.streamName === undefined ? {} : { StreamName: stream.streamName };
}

function putRecordsInput(request: PutRecordsRequest): PutRecordsInput {
  return {
    ...streamFields(request),
    Records: request.records.map((record) => ({
      Data: record.data,
      PartitionKey: record.partitionKey,
      ExplicitHashKey: record.explicitHashKey,
    })),
  };
}

function putRecordsResponse(output: PutRecordsOutput): PutRecordsResponse {
  return {
    records: (output.Records ?? []).map((entry) =>
      entry.ErrorCode === undefined && entry.SequenceNumber !== undefined && entry.ShardId !== undefined
        ? { ok: true, shardId: entry.ShardId, sequenceNumber: entry.SequenceNumber }
        : { ok: false, errorCode: entry.ErrorCode ?? "InternalFailure", errorMessage: entry.ErrorMessage ?? "" },
    ),
  };
}

function positionFields(position: StartingPosition) {
  switch (position.type) {
    case "AT_TIMESTAMP":
      return { ShardIteratorType: position.type, Timestamp: position.timestamp };
    case "AT_SEQUENCE_NUMBER":
    case "AFTER_SEQUENCE_NUMBER":
      return { ShardIteratorType: position.type, StartingSequenceNumber: position.sequenceNumber };
    default:
      return { ShardIteratorType: position.type };
  }
}

function getShardIteratorResponse(output: GetShardIteratorOutput): GetShardIteratorResponse {
  return { shardIterator: output.ShardIterator ?? "" };
}

function listShardsResponse(output: ListShardsOutput): ListShardsResponse {
  return { shards: (output.Shards ?? []).map(shardFromWire), nextToken: output.NextToken };
}

function listShardsInput(request: ListShardsRequest): ListShardsInput {
  if (request.nextToken !== undefined) return { NextToken: request.nextToken, MaxResults: request.maxResults };
  return {
    ...streamFields(request),
    MaxResults: request.maxResults,
    ExclusiveStartShardId: request.exclusiveStartShardId,
    StreamCreationTimestamp: request.streamCreationTimestamp,
    ShardFilter: request.filter === undefined ? undefined : shardFilterFields(request.filter),
  };
}

function shardFilterFields(filter: ShardFilter) {
  switch (filter.type) {
    case "AFTER_SHARD_ID":
      return { Type: filter.type, ShardId: filter.shardId };
    case "AT_TIMESTAMP":
    case "FROM_TIMESTAMP":
      return { Type: filter.type, Timestamp: filter.timestamp };
    default:
      return { Type: filter.type };
  }
}

function shardFromWire(shard: WireShard): Shard {
  return {
    shardId: shard.ShardId ?? "",
    parentShardId: shard.ParentShardId,
    adjacentParentShardId: shard.AdjacentParentShardId,
    startingHashKey: BigInt(shard.HashKeyRange?.StartingHashKey ?? 0),
    endingHashKey: BigInt(shard.HashKeyRange?.EndingHashKey ?? 0),
    startingSequenceNumber: shard.SequenceNumberRange?.StartingSequenceNumber ?? "0",
    endingSequenceNumber: shard.SequenceNumberRange?.EndingSequenceNumber,
  };
}

function streamSummary(output: DescribeStreamSummaryOutput): StreamSummary {
  const summary = output.StreamDescriptionSummary;
  return {
    streamName: summary?.StreamName ?? "",
    streamArn: summary?.StreamARN ?? "",
    streamStatus: summary?.StreamStatus ?? "ACTIVE",
    // Streams made before on-demand mode existed are described without a mode.
    streamMode: summary?.StreamModeDetails?.StreamMode ?? "PROVISIONED",
    streamCreationTimestamp: summary?.StreamCreationTimestamp ?? new Date(0),
    retentionPeriodHours: summary?.RetentionPeriodHours ?? 24,
    openShardCount: summary?.OpenShardCount ?? 0,
    maxRecordSizeKiB: summary?.MaxRecordSizeInKiB ?? 1024,
    recordDistributionStrategy: summary?.RecordDistributionStrategy ?? "USER_PARTITION_KEY",
  };
}
