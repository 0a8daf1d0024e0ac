/**
 * Adapter. Enhanced fan-out through the SDK: SubscribeToShard is HTTP/2, so it has a client of its own.
 */
import {
  DescribeStreamConsumerCommand,
  KinesisClient,
  RegisterStreamConsumerCommand,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
} from "@aws-sdk/client-kinesis";
import {
  classifyFailure,
  childShards,
  KinesisError,
  serviceRecords,
  type Answer,
  type CallOptions,
} from "@millrace/core/kinesis";
import { FastSubscribeToShardCommand } from "./subscribe-command.ts";
import type { FanOutPort, StreamConsumer, SubscriptionEvent } from "../retrieval/fan-out-port.ts";

/** A client for HTTP/2 with the Region, endpoint and credentials of another, whose own handler may be HTTP/1.1. */
export function createFanOutClient(client: KinesisClient | undefined): KinesisClient {
  if (client === undefined) return new KinesisClient({});
  const { region, credentials, endpoint } = client.config;
  return new KinesisClient({ region, credentials, ...(endpoint === undefined ? {} : { endpoint }) });
}

/** The port over a client. */
export function fanOutFromClient(client: KinesisClient): FanOutPort {
  return {
    describeStreamConsumer: ({ streamArn, consumerName }, options) =>
      settle(async () => {
        const command = new DescribeStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: consumerName });
        const { ConsumerDescription } = await client.send(command, abortOf(options));
        return asConsumer(ConsumerDescription);
      }, options),
    registerStreamConsumer: ({ streamArn, consumerName }, options) =>
      settle(async () => {
        const command = new RegisterStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: consumerName });
        const { Consumer } = await client.send(command, abortOf(options));
        return asConsumer(Consumer);
      }, options),
    subscribeToShard: ({ consumerArn, shardId, position }, options) =>
      settle(async () => {
        const command = new FastSubscribeToShardCommand({
          ConsumerARN: consumerArn,
          ShardId: shardId,
          StartingPosition: {
            Type: position.type,
            SequenceNumber: "sequenceNumber" in position ? position.sequenceNumber : undefined,
            Timestamp: "timestamp" in position ? position.timestamp : undefined,
          },
        });
        const { EventStream } = await client.send(command, abortOf(options));
        if (EventStream === undefined) throw new Error("SubscribeToShard answered without an event stream");
        return readEvents(EventStream, options);
      }, options),
  };
}

function abortOf(options: CallOptions | undefined): { abortSignal?: AbortSignal } {
  return options?.signal === undefined ? {} : { abortSignal: options.signal };
}

function asConsumer(
  consumer: { ConsumerARN?: string | undefined; ConsumerStatus?: StreamConsumer["status"] | undefined } | undefined,
): StreamConsumer {
  return { consumerArn: consumer?.ConsumerARN ?? "", status: consumer?.ConsumerStatus ?? "CREATING" };
}

async function settle<T>(call: () => Promise<T>, options: CallOptions | undefined): Promise<Answer<T>> {
  try {
    return { ok: true, value: await call(), serviceTime: undefined };
  } catch (error) {
    return { ok: false, error: asKinesisError(error, options) };
  }
}

function asKinesisError(thrown: unknown, options: CallOptions | undefined): KinesisError {
  if (thrown instanceof KinesisError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const code = (error as { code?: unknown }).code;
  const name = typeof code === "string" ? code : error.name;
  const kind = options?.signal?.aborted === true ? "aborted" : classifyFailure(name, status);
  return new KinesisError({
    code: name,
    message: error.message,
    kind,
    httpStatus: status,
    mayHaveTakenEffect: false,
    cause: error,
  });
}

async function* readEvents(
  stream: AsyncIterable<SubscribeToShardEventStream>,
  options: CallOptions | undefined,
): AsyncGenerator<SubscriptionEvent> {
  try {
    for await (const frame of stream) {
      if (frame.SubscribeToShardEvent !== undefined) yield asEvent(frame.SubscribeToShardEvent);
      // Exceptions arrive as members of the union; the SDK throws them or hands them over, by its version.
      const thrown = Object.entries(frame).find(
        ([name, value]) => name !== "SubscribeToShardEvent" && value !== undefined,
      );
      if (thrown !== undefined) throw thrown[1];
    }
  } catch (error) {
    throw asKinesisError(error, options);
  }
}

function asEvent(event: SubscribeToShardEvent): SubscriptionEvent {
  return {
    records: serviceRecords(event.Records),
    continuationSequenceNumber: event.ContinuationSequenceNumber,
    millisBehindLatest: event.MillisBehindLatest ?? 0,
    childShards: childShards(event.ChildShards),
  };
}
