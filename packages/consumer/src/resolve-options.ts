/**
 * Pure. The check of a consumer's options, and what is filled in where they say nothing.
 */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import {
  booleanOption,
  checkOptionNames,
  choiceOption,
  ConfigError,
  functionOption,
  integerOption,
  streamOption,
  textOption,
  clientOption,
} from "@millrace/core/options";
import type { StreamRef } from "@millrace/core/kinesis";
import type { Metrics } from "@millrace/core/observe";
import type { ConsumerEvent } from "./events.ts";
import type { MetricsLevel } from "./kcl-metrics.ts";
import type { StrategyOption } from "./leases/fleet.ts";
import type { LeaseTable } from "./leases/lease-table.ts";
import type { ConsumerOptions, InitialPositionOption, StreamOption } from "./options.ts";
import { checkDeaggregation, type DeaggregationOptions } from "./retrieval/deaggregation.ts";
import type { ConsumedStream, StartAt } from "./shards/consumed-stream.ts";

/** The options with defaults filled in. */
export interface ResolvedConsumerOptions {
  readonly applicationName: string;
  readonly workerId: string | undefined;
  /** True when lease keys name their stream, which is then looked up before the first call. */
  readonly isMultiStream: boolean;
  readonly streams: readonly ConsumedStream[];
  readonly client: KinesisClient | undefined;
  readonly dynamodb: DynamoDBClient | undefined;
  readonly leaseTable: LeaseTable | undefined;
  readonly leaseTableName: string;
  readonly failoverTimeMs: number;
  readonly leaseDiscoveryIntervalMs: number;
  readonly maxLeasesPerWorker: number;
  readonly leaseAssignmentStrategy: StrategyOption;
  readonly maxThroughputPerWorkerKBps: number;
  readonly rebalanceThresholdPercent: number;
  readonly rebalanceDampeningPercent: number;
  readonly workerMetrics: "auto" | "host" | "none";
  readonly leaderLeaseDurationMs: number;
  readonly shardSyncIntervalMs: number;
  readonly leaseCleanupIntervalMs: number;
  readonly formerStreamsKeptMs: number | undefined;
  readonly coordinatorTableName: string | undefined;
  readonly workerMetricsTableName: string | undefined;
  readonly migrateTables: boolean;
  readonly takeOverFrom2x: boolean;
  readonly gracefulHandOff: boolean;
  readonly handOffTimeoutMs: number;
  /** Undefined for no bound. */
  readonly maxHandlerMs: number | undefined;
  readonly pollIntervalMs: number;
  readonly maxRecordsPerCall: number;
  readonly maxBatchRecords: number;
  readonly prefetchMaxBytes: number;
  readonly prefetchTotalMaxBytes: number;
  readonly wireFormat: "json" | "cbor";
  /** Undefined for polling. */
  readonly fanOut: { readonly consumerName: string; readonly consumerArn: string | undefined } | undefined;
  readonly deaggregation: DeaggregationOptions;
  readonly fanOutClient: KinesisClient | undefined;
  readonly metrics: Metrics | undefined;
  readonly metricsLevel: MetricsLevel;
  readonly onEvent: ((event: ConsumerEvent) => void) | undefined;
}

const names: readonly (keyof ConsumerOptions)[] = [
  "streamName",
  "streamArn",
  "streams",
  "applicationName",
  "workerId",
  "client",
  "dynamodb",
  "leaseTable",
  "leaseTableName",
  "initialPosition",
  "failoverTimeMs",
  "leaseDiscoveryIntervalMs",
  "maxLeasesPerWorker",
  "leaseAssignmentStrategy",
  "maxThroughputPerWorkerKBps",
  "rebalanceThresholdPercent",
  "rebalanceDampeningPercent",
  "workerMetrics",
  "leaderLeaseDurationMs",
  "shardSyncIntervalMs",
  "leaseCleanupIntervalMs",
  "formerStreamsKeptMs",
  "coordinatorTableName",
  "workerMetricsTableName",
  "migrateTables",
  "takeOverFrom2x",
  "gracefulHandOff",
  "handOffTimeoutMs",
  "maxHandlerMs",
  "pollIntervalMs",
  "maxRecordsPerCall",
  "maxBatchRecords",
  "prefetchMaxBytes",
  "prefetchTotalMaxBytes",
  "retrieval",
  "wireFormat",
  "deaggregation",
  "fanOutClient",
  "metrics",
  "metricsLevel",
  "onEvent",
];

const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;

/**
 * Checks the options and fills in what was left out.
 * @throws {ConfigError} naming the first bad option.
 */
export function resolveConsumerOptions(options: ConsumerOptions): ResolvedConsumerOptions {
  checkOptionNames("ConsumerOptions", options, names);
  const applicationName = tableName("applicationName", options.applicationName);
  const integer = (name: keyof ConsumerOptions, min: number, max: number, fallback: number): number =>
    integerOption(name, options[name], { min, max, fallback });
  const failoverTimeMs = integer("failoverTimeMs", 300, hourMs, 10_000);
  return {
    applicationName,
    workerId: textOption("workerId", options.workerId),
    isMultiStream: options.streams !== undefined,
    streams: streamsOption(options),
    client: clientOption("client", options.client, "a KinesisClient of @aws-sdk/client-kinesis"),
    dynamodb: clientOption("dynamodb", options.dynamodb, "a DynamoDBClient of @aws-sdk/client-dynamodb"),
    leaseTable: options.leaseTable,
    leaseTableName: tableNameOption("leaseTableName", options.leaseTableName) ?? applicationName,
    failoverTimeMs,
    leaseDiscoveryIntervalMs: integer("leaseDiscoveryIntervalMs", 50, 60_000, 500),
    maxLeasesPerWorker: integer("maxLeasesPerWorker", 1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    leaseAssignmentStrategy: choiceOption(
      "leaseAssignmentStrategy",
      options.leaseAssignmentStrategy,
      ["auto", "utilization", "count"],
      "auto",
    ),
    maxThroughputPerWorkerKBps: integer(
      "maxThroughputPerWorkerKBps",
      1,
      Number.MAX_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
    ),
    rebalanceThresholdPercent: integer("rebalanceThresholdPercent", 0, 100, 10),
    rebalanceDampeningPercent: integer("rebalanceDampeningPercent", 1, 100, 60),
    workerMetrics: choiceOption("workerMetrics", options.workerMetrics, ["auto", "host", "none"], "auto"),
    leaderLeaseDurationMs: integer("leaderLeaseDurationMs", 300, hourMs, 20_000),
    shardSyncIntervalMs: integer("shardSyncIntervalMs", 1_000, 24 * hourMs, 120_000),
    leaseCleanupIntervalMs: integer("leaseCleanupIntervalMs", 1_000, 24 * hourMs, 300_000),
    formerStreamsKeptMs:
      options.formerStreamsKeptMs === undefined ? undefined : integer("formerStreamsKeptMs", 0, 365 * 24 * hourMs, 0),
    coordinatorTableName: tableNameOption("coordinatorTableName", options.coordinatorTableName),
    workerMetricsTableName: tableNameOption("workerMetricsTableName", options.workerMetricsTableName),
    migrateTables: booleanOption("migrateTables", options.migrateTables, false),
    takeOverFrom2x: booleanOption("takeOverFrom2x", options.takeOverFrom2x, false),
    gracefulHandOff: booleanOption("gracefulHandOff", options.gracefulHandOff, true),
    handOffTimeoutMs: integer("handOffTimeoutMs", 0, hourMs, 30_000),
    maxHandlerMs: options.maxHandlerMs === undefined ? undefined : integer("maxHandlerMs", 100, 24 * hourMs, 0),
    pollIntervalMs: integer("pollIntervalMs", 200, 600_000, 1_000),
    maxRecordsPerCall: integer("maxRecordsPerCall", 1, 10_000, 10_000),
    maxBatchRecords: integer("maxBatchRecords", 1, 1_000_000, 10_000),
    prefetchMaxBytes: integer("prefetchMaxBytes", 0, Number.MAX_SAFE_INTEGER, 8 * mebibyte),
    prefetchTotalMaxBytes: integer("prefetchTotalMaxBytes", 0, Number.MAX_SAFE_INTEGER, 64 * mebibyte),
    fanOut: retrievalOption(options.retrieval, applicationName),
    wireFormat: choiceOption("wireFormat", options.wireFormat, ["json", "cbor"], "json"),
    deaggregation: checkDeaggregation(options.deaggregation),
    fanOutClient: options.fanOutClient,
    metrics: metricsOption(options.metrics),
    metricsLevel: choiceOption("metricsLevel", options.metricsLevel, ["summary", "detailed"], "detailed"),
    onEvent: functionOption("onEvent", options.onEvent),
  };
}

function metricsOption(metrics: Metrics | undefined): Metrics | undefined {
  if (metrics === undefined || typeof (metrics as { record?: unknown } | null)?.record === "function") return metrics;
  throw new ConfigError({ path: "metrics", got: metrics, expected: "an object with a record function" });
}

/** Source: the pattern of table names in DynamoDB's CreateTable. */
function tableName(path: string, value: unknown): string {
  if (typeof value === "string" && /^[a-zA-Z0-9_.-]{3,255}$/.test(value)) return value;
  throw new ConfigError({ path, got: value, expected: "3 to 255 letters, digits, '_', '.' or '-'" });
}

function tableNameOption(path: string, value: unknown): string | undefined {
  return value === undefined ? undefined : tableName(path, value);
}

function consumedStream(ref: StreamRef & { readonly streamName: string }, startAt: StartAt): ConsumedStream {
  return { streamName: ref.streamName, ref, leaseKeyPrefix: "", streamIdentifier: undefined, startAt };
}

/** One stream under its own shard ids, or several whose prefixes are filled in once their creation times are known. */
function streamsOption(options: ConsumerOptions): readonly ConsumedStream[] {
  const { streams } = options;
  if (streams === undefined) {
    return [consumedStream(streamOption(options), startAtOption("initialPosition", options.initialPosition))];
  }
  if (options.streamName !== undefined || options.streamArn !== undefined) {
    throw new ConfigError({ path: "streams", got: streams, expected: "only one of streamName, streamArn and streams" });
  }
  if (!Array.isArray(streams) || streams.length === 0 || streams.length > 1_000) {
    throw new ConfigError({ path: "streams", got: streams, expected: "an array of 1 to 1,000 streams" });
  }
  return (streams as readonly StreamOption[]).map((stream, index) => {
    const path = `streams[${index}].`;
    checkOptionNames(`streams[${index}]`, stream, ["streamName", "streamArn", "initialPosition"]);
    const position = stream.initialPosition ?? options.initialPosition;
    const { streamName, streamArn } = stream;
    return consumedStream(
      streamOption({ streamName, streamArn }, path),
      startAtOption(`${path}initialPosition`, position),
    );
  });
}

function startAtOption(path: string, value: InitialPositionOption | undefined): StartAt {
  if (value === undefined || value === "TRIM_HORIZON") return { type: "TRIM_HORIZON" };
  if (value === "LATEST") return { type: "LATEST" };
  if (value instanceof Date && !Number.isNaN(value.getTime())) return { type: "AT_TIMESTAMP", timestamp: value };
  throw new ConfigError({ path, got: value, expected: '"TRIM_HORIZON", "LATEST" or a Date' });
}

function retrievalOption(
  value: ConsumerOptions["retrieval"],
  applicationName: string,
): ResolvedConsumerOptions["fanOut"] {
  if (value === undefined || value === "polling") return undefined;
  if (value === "fan-out") return { consumerName: applicationName, consumerArn: undefined };
  if (typeof value !== "object" || value === null || value.type !== "fan-out") {
    throw new ConfigError({ path: "retrieval", got: value, expected: '"polling", "fan-out" or { type: "fan-out" }' });
  }
  checkOptionNames("retrieval", value, ["type", "consumerName", "consumerArn"]);
  return {
    consumerName: textOption("retrieval.consumerName", value.consumerName) ?? applicationName,
    consumerArn: textOption("retrieval.consumerArn", value.consumerArn),
  };
}
