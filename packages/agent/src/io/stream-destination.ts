/**
 * Adapter. The producer of a flow, set up from agent.json.
 */
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { KinesisPort } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import { Producer, type ProducerOptions } from "@millrace/producer";
import { type AgentConfig, type FlowConfig, maxRecordBytesOf } from "../config/schema.ts";
import type { Destination } from "../destination.ts";

export interface StreamDestinationOptions {
  readonly flow: FlowConfig;
  readonly config: AgentConfig;
  readonly client: KinesisClient | undefined;
  readonly maxBufferedBytes: number;
  readonly wiring: { readonly kinesis?: KinesisPort | undefined; readonly system?: System | undefined };
}

/** How long the producer tries before it hands a record back; the flow then pauses and sends it again. */
const recordTtlMs = 300_000;

/** A producer for the flow's stream. */
export function createStreamDestination(options: StreamDestinationOptions): Destination {
  const { client, config, flow, maxBufferedBytes, wiring } = options;
  const { kinesisStream = "" } = flow;
  const producerOptions: ProducerOptions = {
    ...(kinesisStream.startsWith("arn:") ? { streamArn: kinesisStream } : { streamName: kinesisStream }),
    client,
    // The Kinesis Agent sends plain records; readers that know nothing of aggregates depend on it.
    aggregation: flow.aggregation,
    compression: flow.compression,
    ordering: flow.ordering,
    collectionMaxRecords: flow.maxBufferSizeRecords,
    collectionMaxBytes: Math.max(52_224, flow.maxBufferSizeBytes ?? 5_242_880),
    recordMaxBufferedMs: flow.maxBufferAgeMillis,
    recordTtlMs: recordTtlMs + flow.maxBufferAgeMillis,
    maxRecordBytes: maxRecordBytesOf(flow) + 256,
    maxConnections: config.maxConnections,
    requestTimeoutMs: config.socketTimeoutMillis,
    maxBufferedBytes: Math.max(1_048_576, maxBufferedBytes),
    // The reader's budget bounds what is put; none of it may be refused for room.
    maxWaitingRecords: 1_000_000,
  };
  const { kinesis, system } = wiring;
  return new Producer(producerOptions, {
    ...(kinesis === undefined ? {} : { kinesis }),
    ...(system === undefined ? {} : { system }),
  });
}
