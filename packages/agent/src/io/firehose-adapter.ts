/**
 * Adapter. PutRecordBatch of Data Firehose through the AWS SDK.
 */
import { type FirehoseClient, PutRecordBatchCommand } from "@aws-sdk/client-firehose";
import { kinesisErrorFrom } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import { type AgentConfig, type FlowConfig, isMultiLine } from "../config/schema.ts";
import type { Destination } from "../destination.ts";
import { type DeliveryAnswer, deliveryLimits, type DeliveryPort } from "../firehose/delivery-port.ts";
import { FirehoseDestination } from "../firehose/firehose-destination.ts";

/** Requests of one flow under way at once: enough to fill a delivery stream of 5 MB/s through a slow network. */
const maxRequestsPerFlow = 4;

/** The flow's delivery stream. */
export function createFirehoseDestination(options: {
  readonly flow: FlowConfig;
  readonly config: AgentConfig;
  readonly client: FirehoseClient;
  readonly maxBufferedBytes: number;
  readonly system: System;
}): Destination {
  const { client, config, flow, maxBufferedBytes, system } = options;
  return new FirehoseDestination({
    deliveryStream: flow.deliveryStream ?? "",
    port: deliveryPort(client),
    system,
    rules: {
      maxRecords: flow.maxBufferSizeRecords,
      maxBytes: flow.maxBufferSizeBytes ?? deliveryLimits.requestBytes,
      joinedMaxBytes: isMultiLine(flow) ? 0 : flow.aggregatedRecordSizeBytes,
    },
    maxBufferAgeMs: flow.maxBufferAgeMillis,
    maxBufferedBytes,
    maxConnections: Math.min(maxRequestsPerFlow, config.maxConnections),
    requestTimeoutMs: config.socketTimeoutMillis,
  });
}

/** Data Firehose behind a client. */
export function deliveryPort(client: FirehoseClient): DeliveryPort {
  return {
    async putRecordBatch(deliveryStream, records, { signal }): Promise<DeliveryAnswer> {
      const command = new PutRecordBatchCommand({
        DeliveryStreamName: deliveryStream,
        Records: records.map((Data) => ({ Data })),
      });
      try {
        // An unconfigured mock answers nothing.
        const answer = (await client.send(command, { abortSignal: signal })) as
          | { RequestResponses?: { RecordId?: string; ErrorCode?: string; ErrorMessage?: string }[] }
          | undefined;
        const results = (answer?.RequestResponses ?? []).map(({ ErrorCode, ErrorMessage }) =>
          ErrorCode === undefined
            ? ({ ok: true } as const)
            : ({ ok: false, errorCode: ErrorCode, errorMessage: ErrorMessage ?? "" } as const),
        );
        return { ok: true, results };
      } catch (error) {
        return { ok: false, error: kinesisErrorFrom(error, signal) };
      }
    },
  };
}
