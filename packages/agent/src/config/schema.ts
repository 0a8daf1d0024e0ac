/**
 * Pure. The keys of agent.json: the Kinesis Agent's, with its defaults, and this agent's own.
 *
 * Keys are flat: the dots belong to the names. Source: the Kinesis Agent's documentation, and the keys that
 * `awslabs/amazon-kinesis-agent` 2.0.13 reads.
 */
import { z } from "zod";
import { deliveryLimits } from "../firehose/delivery-port.ts";
import { processingSchema } from "./processing.ts";
import { choice, flag, integer, pattern, text, texts } from "./values.ts";

const minute = 60_000;
export const dayMs = 86_400_000;
const mebibyte = 1_048_576;

/** Of the Data Streams' limit of 1 MiB, a partition key may take 256 bytes. */
const recordMaxBytes = mebibyte - 256;

/** Keys of the whole agent that are accepted and change nothing here, as threads and sockets of the JVM. */
export const keysWithoutEffect: readonly string[] = [
  "cloudwatch.emitMetrics",
  "cloudwatch.tagInstance",
  "cloudwatch.metricsBufferTimeMillis",
  "cloudwatch.metricsQueueSize",
  "cloudwatch.namespace",
  "cloudwatch.endpoint",
  "log.emitMetrics",
  "log.emitInternalMetrics",
  "log.file",
  "checkpoints.queryTimeoutSeconds",
  "checkpoints.connectionTimeoutSeconds",
  "maxSendingThreadsPerCore",
  "maxSendingThreads",
  "sendingThreadsKeepAliveMillis",
  "sendingThreadsMaxQueueSize",
  "connectionTTLMillis",
  "useTcpKeepAlive",
  "useHttpGzip",
  "userAgentOverride",
];

/** Keys of a flow that do the same: queues that are not here (`maxBufferedBytes` bounds all memory). */
export const flowKeysWithoutEffect = [
  "publishQueueCapacity",
  "waitOnFullPublishQueueMillis",
  "waitOnEmptyPublishQueueMillis",
  "waitOnFullRetryQueueMillis",
  "log.emitInternalMetrics",
] as const;

/** Keys that load a Java class for credentials. Passing over one would send with another identity. */
export const javaCredentialKeys = [
  "userDefinedCredentialsProvider.classname",
  "userDefinedCredentialsProvider.location",
] as const;

const anything = z.unknown().optional();

/** A shape that takes anything for each of `keys`. */
function allowed<const K extends string>(keys: Iterable<K>): Record<K, typeof anything> {
  return Object.fromEntries(Array.from(keys, (key) => [key, anything])) as Record<K, typeof anything>;
}

export const flowSchema = z.strictObject({
  filePattern: texts(),
  kinesisStream: text().optional(),
  deliveryStream: text().optional(),
  partitionKeyOption: choice(["RANDOM", "DETERMINISTIC"]).default("RANDOM"),
  initialPosition: choice(["START_OF_FILE", "END_OF_FILE"]).default("END_OF_FILE"),
  maxBufferAgeMillis: integer(0, 15 * minute).default(minute),
  maxBufferSizeRecords: integer(1, 500).default(500),
  maxBufferSizeBytes: integer(1, 5 * mebibyte).optional(),
  minTimeBetweenFilePollsMillis: integer(1, minute).default(100),
  maxTimeBetweenFileTrackerRefreshMillis: integer(10, 10 * minute).default(10_000),
  multiLineStartPattern: pattern("start").optional(),
  fileFooterPattern: pattern("whole").optional(),
  skipHeaderLines: integer(0).default(0),
  truncatedRecordTerminator: z.string("a string").default("\n"),
  aggregatedRecordSizeBytes: integer(0, deliveryLimits.recordBytes).default(0),
  retryInitialBackoffMillis: integer(1, 15 * minute).default(100),
  retryMaxBackoffMillis: integer(1, 15 * minute).default(10_000),
  dataProcessingOptions: processingSchema.default([]),

  // This agent's own.
  exclude: texts().default([]),
  partitionKey: text().optional(),
  onLongLine: choice(["truncate", "split", "skip"]).default("truncate"),
  onParseError: choice(["raw", "drop", "deadLetter"]).default("raw"),
  onAmbiguousFile: choice(["start", "end", "fail"]).default("start"),
  multiLineContinuePattern: pattern("start").optional(),
  multiLineTimeoutMillis: integer(1, 60 * minute).default(1_000),
  multiLineMaxLines: integer(1, 1_000_000).default(1_000),
  partialLineFlushMillis: integer(1).optional(),
  rotateWaitMillis: integer(0, 60 * minute).default(10_000),
  maxRecordSizeBytes: integer(16, 10 * mebibyte - 256).optional(),
  stripNewline: flag().default(false),
  aggregation: flag().default(false),
  compression: choice(["none", "gzip", "zstd"]).default("none"),
  ordering: choice(["none", "perKey"]).default("none"),
  maxBytesPerSecond: integer(1).optional(),
  maxRecordsPerSecond: integer(1).optional(),
  ...allowed(flowKeysWithoutEffect),
});

export const agentSchema = z.strictObject({
  flows: z.array(flowSchema, "a list of flows").min(1, "a list with at least one flow"),
  awsAccessKeyId: text().optional(),
  awsSecretAccessKey: text().optional(),
  assumeRoleARN: text().optional(),
  assumeRoleExternalId: text().optional(),
  "sts.endpoint": text().optional(),
  "kinesis.endpoint": text().optional(),
  "kinesis.region": text().optional(),
  "firehose.endpoint": text().optional(),
  "log.level": choice(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  "log.statusReportingPeriodSeconds": integer(1, 86_400).default(30),
  checkpointFile: text().default("/var/run/aws-kinesis-agent/checkpoints"),
  checkpointTimeToLiveDays: integer(1, 3_650).default(7),
  maxConnections: integer(1, 256).default(24),
  connectionTimeoutMillis: integer(1, 15 * minute).default(10_000),
  socketTimeoutMillis: integer(1, 15 * minute).default(50_000),
  shutdownTimeoutMillis: integer(0, 60 * minute).default(10_000),
  userAgent: text().optional(),

  // This agent's own.
  "firehose.region": text().optional(),
  positionsFile: text().default("/var/lib/millrace-agent/positions.db"),
  deadLetterDirectory: text().optional(),
  maxBufferedBytes: integer(8 * mebibyte).default(64 * mebibyte),
  maxOpenFiles: integer(1).default(1_000),
  watchFiles: flag().default(true),
  importCheckpoints: flag().default(true),
  reloadOnChange: flag().default(true),
  "http.port": integer(0, 65_535).optional(),
  "http.host": text().default("127.0.0.1"),
  ...allowed(keysWithoutEffect),
  ...allowed(javaCredentialKeys),
});

export type FlowConfig = z.output<typeof flowSchema>;
export type AgentConfig = z.output<typeof agentSchema>;

/** What may be written in a flow of `agent.json`. */
export type FlowConfigInput = z.input<typeof flowSchema>;
/** What may be written in `agent.json`. */
export type AgentConfigInput = z.input<typeof agentSchema>;

/** Bytes that the data of one record may have. */
export function maxRecordBytesOf(flow: FlowConfig): number {
  return flow.maxRecordSizeBytes ?? (flow.deliveryStream === undefined ? recordMaxBytes : deliveryLimits.recordBytes);
}

/** True when a record of the flow may be several lines. */
export function isMultiLine(flow: FlowConfig): boolean {
  return flow.multiLineStartPattern !== undefined || flow.multiLineContinuePattern !== undefined;
}
