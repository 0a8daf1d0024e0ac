/**
 * Pure. The options of a producer, their defaults and their bounds.
 *
 * Names and defaults follow the KPL where it has the option. Source: KPL `KinesisProducerConfiguration.java`.
 */
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { CompressionAlgorithm } from "@millrace/aggregation";
import type { StreamRef } from "@millrace/core/kinesis";
import type { Metrics } from "@millrace/core/observe";
import {
  booleanOption,
  checkOptionNames,
  choiceOption,
  functionOption,
  integerOption,
  streamOption,
  clientOption,
} from "@millrace/core/options";
import type { ProducerEvent } from "./events.ts";
import { compressionOption, metricsOption } from "./option-checks.ts";

/** Which user records share an aggregate, and under which partition key. */
export type AggregationKey = "a" | "first" | "perKey";

/** How a producer is set up. Only the stream is required. */
export interface ProducerOptions {
  /** The stream, by name. Give this or `streamArn`. */
  readonly streamName?: string | undefined;
  /** The stream, by ARN; reaches streams of other accounts. Give this or `streamName`. */
  readonly streamArn?: string | undefined;
  /**
   * The AWS client: credentials, region, endpoint, proxy and TLS are its own. It stays open when the producer closes.
   * @default a client made by the producer, with HTTP/1.1 keep-alive and without SDK retries, closed with it.
   */
  readonly client?: KinesisClient | undefined;
  /**
   * Region of the client that the producer makes.
   * @default the ARN's region, else what the AWS SDK finds in the environment.
   */
  readonly region?: string | undefined;
  /** Pack many user records into one Kinesis record (KPL format). @default true */
  readonly aggregation?: boolean | undefined;
  /**
   * Largest aggregate with its partition key, in bytes; a record larger than this is sent alone. Integer, 64 to 1,048,576.
   * Kinesis bills per started 25 KB of a record: the default stays under two such units whether one is 25,000 or
   * 25,600 bytes.
   * @default 49,900
   */
  readonly aggregationMaxBytes?: number | undefined;
  /** Most user records in one aggregate. Integer, at least 1. @default 4,294,967,295 */
  readonly aggregationMaxRecords?: number | undefined;
  /**
   * What the user records of an aggregate have in common beside their shard, and which partition key it goes out under:
   * - `a`: the shard alone, under the key "a", as the KPL does. The fewest Kinesis records.
   * - `first`: the shard alone, under the key of its first user record.
   * - `perKey`: their partition key, under that key. Lambda's parallelization factor works by the key of the Kinesis
   *   record, so it then spreads and orders by yours. It costs at least one Kinesis record (one PUT payload unit, one of
   *   the shard's 1,000 records per second) for each key and linger; at most 4,096 keys linger at one time.
   * @default "a"
   */
  readonly aggregationKey?: AggregationKey | undefined;
  /**
   * Compresses aggregates, and records of their own from 1,024 bytes on, where that saves a tenth or more. An aggregate
   * then holds so much that it has about `aggregationMaxBytes` once compressed, 1 MiB at most. **Only Millrace's readers
   * open them**: others see one user record with a tag. Needs `aggregation`; `zstd` needs Node 22.15 or later.
   * @default "none"
   */
  readonly compression?: "none" | CompressionAlgorithm | undefined;
  /** Most Kinesis records in one request. Integer, 1 to 500. @default 500 */
  readonly collectionMaxRecords?: number | undefined;
  /** Most bytes in one request, data and keys. Integer, 52,224 to 10,485,760. @default 5,242,880 */
  readonly collectionMaxBytes?: number | undefined;
  /**
   * Longest time a record waits for others before it is sent, in milliseconds. Integer, 0 to `recordTtlMs`.
   * Lower means less latency and smaller aggregates.
   * @default 100
   */
  readonly recordMaxBufferedMs?: number | undefined;
  /**
   * How long the producer tries to store a record, from the put on, in milliseconds. Integer, at least 100.
   * A record that is in a request when its time ends gets that request's answer.
   * @default 30,000
   */
  readonly recordTtlMs?: number | undefined;
  /** Largest record, data and partition key together, in bytes. Integer, 64 to 10,485,760.
   * Raise it only for a stream whose `MaxRecordSizeInKiB` was raised.
   * @default 1,048,576
   */
  readonly maxRecordBytes?: number | undefined;
  /** Traffic given to a shard, in percent of what one shard takes (1,000 records and 1 MiB per second). Integer, at least 1.
   * Above 100 so that one producer can fill a shard; throttles lower it for a while.
   * @default 150
   */
  readonly rateLimitPercent?: number | undefined;
  /** Let a throttled record fail at once instead of sending it again. @default false */
  readonly failIfThrottled?: boolean | undefined;
  /**
   * `perKey` stores the first copies of one partition key's records in the order of their puts, through retries and
   * resharding. Records of a key then wait while one Kinesis record with that key is under way, so a single hot key
   * gets one aggregate per round trip. Refused on streams with AUTO record distribution.
   * @default "none"
   */
  readonly ordering?: "none" | "perKey" | undefined;
  /**
   * With `ordering: "perKey"`, what a failed record does to those of its key that wait behind it: `fail` fails them
   * too (code "OrderBroken"), so that the caller can put all of them again; `continue` sends them without it. To have
   * them held instead while the service is out of reach, raise `recordTtlMs`: a record that does not fail breaks no order.
   * @default "fail"
   */
  readonly onOrderBreak?: "fail" | "continue" | undefined;
  /**
   * How requests are written. `cbor` (what the AWS SDK for Java speaks with Kinesis) needs no base64 and less CPU; it is
   * tried with one ListShards call, and JSON is used where it is not taken.
   * @default "json"
   */
  readonly wireFormat?: "json" | "cbor" | undefined;
  /** Most requests in flight. Integer, 1 to 256. @default 24 */
  readonly maxConnections?: number | undefined;
  /** Longest time for one request, in milliseconds. Integer, 100 to 600,000. @default 6,000 */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * Most bytes held, those of puts that wait included, each record counted with 2,048 bytes on top of its data and key.
   * Integer, at least 1,048,576.
   * @default 134,217,728
   */
  readonly maxBufferedBytes?: number | undefined;
  /** Most records held. Integer, at least 1. @default 200,000 */
  readonly maxBufferedRecords?: number | undefined;
  /**
   * Most puts that may wait for room; the next is rejected with BufferFullError. Integer, at least 0. Their bytes count
   * towards `maxBufferedBytes`, an eighth of which is theirs alone.
   * @default 10,000
   */
  readonly maxWaitingRecords?: number | undefined;
  /**
   * Gets what the KPL measures, under its names: `cloudWatchMetrics(...)`, `embeddedMetrics(...)` or your own.
   * @default none: nothing is measured or sent
   */
  readonly metrics?: Metrics | undefined;
  /** Called with every event. It must not block; what it throws is reported once as a process warning. */
  readonly onEvent?: ((event: ProducerEvent) => void) | undefined;
}

/** The options with nothing left open. */
export interface ResolvedOptions {
  readonly stream: StreamRef & { readonly streamName: string };
  readonly client: KinesisClient | undefined;
  readonly region: string | undefined;
  readonly aggregation: boolean;
  readonly aggregationMaxBytes: number;
  readonly aggregationMaxRecords: number;
  readonly aggregationKey: AggregationKey;
  readonly compression: "none" | CompressionAlgorithm;
  readonly collectionMaxRecords: number;
  readonly collectionMaxBytes: number;
  readonly recordMaxBufferedMs: number;
  readonly recordTtlMs: number;
  readonly maxRecordBytes: number;
  readonly rateLimitPercent: number;
  readonly failIfThrottled: boolean;
  readonly ordering: "none" | "perKey";
  readonly onOrderBreak: "fail" | "continue";
  readonly wireFormat: "json" | "cbor";
  readonly maxConnections: number;
  readonly requestTimeoutMs: number;
  readonly maxBufferedBytes: number;
  readonly maxBufferedRecords: number;
  readonly maxWaitingRecords: number;
  readonly metrics: Metrics | undefined;
  readonly onEvent: ((event: ProducerEvent) => void) | undefined;
}

const mebibyte = 1_048_576;
const optionNames: readonly (keyof ProducerOptions)[] = [
  "streamName",
  "streamArn",
  "client",
  "region",
  "aggregation",
  "aggregationMaxBytes",
  "aggregationMaxRecords",
  "aggregationKey",
  "compression",
  "collectionMaxRecords",
  "collectionMaxBytes",
  "recordMaxBufferedMs",
  "recordTtlMs",
  "maxRecordBytes",
  "rateLimitPercent",
  "failIfThrottled",
  "ordering",
  "onOrderBreak",
  "wireFormat",
  "maxConnections",
  "requestTimeoutMs",
  "maxBufferedBytes",
  "maxBufferedRecords",
  "maxWaitingRecords",
  "metrics",
  "onEvent",
];

/**
 * Fills the defaults in.
 * @throws {ConfigError} for an option that is unknown, of a wrong type or out of its bounds.
 */
export function resolveProducerOptions(options: ProducerOptions): ResolvedOptions {
  checkOptionNames("options", options, optionNames);
  const stream = streamOption(options);
  const client = clientOption("client", options.client, "a KinesisClient of @aws-sdk/client-kinesis");
  const max = Number.MAX_SAFE_INTEGER;
  const integer = (name: keyof ProducerOptions, fallback: number, min: number, most: number) =>
    integerOption(name, options[name], { min, max: most, fallback });
  const recordTtlMs = integer("recordTtlMs", 30_000, 100, 2 ** 31 - 1);
  return {
    stream,
    client,
    region: options.region,
    aggregation: booleanOption("aggregation", options.aggregation, true),
    aggregationMaxBytes: integer("aggregationMaxBytes", 49_900, 64, mebibyte),
    aggregationMaxRecords: integer("aggregationMaxRecords", 4_294_967_295, 1, max),
    aggregationKey: choiceOption("aggregationKey", options.aggregationKey, ["a", "first", "perKey"], "a"),
    compression: compressionOption(options),
    // A request takes 500 records, and 10 MiB of data and keys. Source: PutRecords; read 2026-11-22.
    collectionMaxRecords: integer("collectionMaxRecords", 500, 1, 500),
    collectionMaxBytes: integer("collectionMaxBytes", 5 * mebibyte, 52_224, 10 * mebibyte),
    recordMaxBufferedMs: integer("recordMaxBufferedMs", Math.min(100, recordTtlMs), 0, recordTtlMs),
    recordTtlMs,
    maxRecordBytes: integer("maxRecordBytes", mebibyte, 64, 10 * mebibyte),
    rateLimitPercent: integer("rateLimitPercent", 150, 1, max),
    failIfThrottled: booleanOption("failIfThrottled", options.failIfThrottled, false),
    ordering: choiceOption("ordering", options.ordering, ["none", "perKey"], "none"),
    onOrderBreak: choiceOption("onOrderBreak", options.onOrderBreak, ["fail", "continue"], "fail"),
    wireFormat: choiceOption("wireFormat", options.wireFormat, ["json", "cbor"], "json"),
    maxConnections: integer("maxConnections", 24, 1, 256),
    requestTimeoutMs: integer("requestTimeoutMs", 6_000, 100, 600_000),
    maxBufferedBytes: integer("maxBufferedBytes", 128 * mebibyte, mebibyte, max),
    maxBufferedRecords: integer("maxBufferedRecords", 200_000, 1, max),
    maxWaitingRecords: integer("maxWaitingRecords", 10_000, 0, max),
    metrics: metricsOption(options.metrics),
    onEvent: functionOption("onEvent", options.onEvent),
  };
}
