/**
 * Pure. Every limit of the service as a number, and how a caller switches one off or sets another value.
 *
 * Source of each value: type docs of `@aws-sdk/client-kinesis` 3.1143.0 and AWS's page "Quotas and limits", both read
 * 2026-11. `docs/simulator-rules.md` says what each one does.
 */
import { ConfigError, nearestName } from "@millrace/core/options";

const mebibyte = 1_048_576;

/** The limits with the service's values. */
export const serviceLimits = {
  /** Records in one PutRecords call. */
  putRecordsRecords: 500,
  /** Bytes of one PutRecords call, partition keys included. */
  putRecordsBytes: 10 * mebibyte,
  /** The most that a stream's largest record, key included, can be set to, in KiB; a new stream has 1,024. */
  recordSizeKiB: 10_240,
  /** Records a second that a shard takes. */
  shardWriteRecordsPerSecond: 1_000,
  /** Bytes a second that a shard takes, partition keys included. */
  shardWriteBytesPerSecond: mebibyte,
  /** Bytes that a shard takes at once where its stream allows records larger than a second's worth. */
  shardWriteBurstBytes: 10 * mebibyte,
  /** GetRecords calls a second of one shard. */
  shardReadCallsPerSecond: 5,
  /** Bytes a second that GetRecords returns of one shard. */
  shardReadBytesPerSecond: 2 * mebibyte,
  /** Records of one GetRecords answer; a `Limit` above it is refused. */
  getRecordsRecords: 10_000,
  /** Bytes of one GetRecords answer. */
  getRecordsBytes: 10 * mebibyte,
  /** Age at which a shard iterator expires, in milliseconds. */
  iteratorAgeMs: 300_000,
  /** GetShardIterator calls a second of one shard. */
  shardIteratorsPerSecond: 5,
  /** Registered consumers of a stream. */
  consumersPerStream: 20,
  /** The same for on-demand streams of an account with the throughput commitment ("On-demand Advantage"). */
  consumersPerStreamAdvantage: 50,
  /** Consumers of a stream that are being created. */
  consumersCreating: 5,
  /** Bytes a second that one subscription delivers. */
  subscriptionBytesPerSecond: 2 * mebibyte,
  /** SubscribeToShard calls a second of one consumer and shard. */
  subscribeCallsPerSecond: 1,
  /** Time after a subscription began in which the same consumer cannot subscribe again, in milliseconds. */
  subscriptionTakeoverMs: 5_000,
  /** Longest life of a subscription, in milliseconds. */
  subscriptionMs: 300_000,
  /** RegisterStreamConsumer and DeregisterStreamConsumer calls a second, each. */
  registerConsumerPerSecond: 5,
  /** ListShards calls a second of one stream. */
  listShardsPerSecond: 1_000,
  /** Shards of one ListShards page. */
  listShardsPage: 1_000,
  /** Age at which a page token expires, in milliseconds. */
  nextTokenAgeMs: 300_000,
  /** DescribeStream calls a second. */
  describeStreamPerSecond: 10,
  /** DescribeStreamSummary calls a second. */
  describeStreamSummaryPerSecond: 20,
  /** DescribeStreamConsumer calls a second. */
  describeStreamConsumerPerSecond: 20,
  /** DescribeLimits calls a second. */
  describeLimitsPerSecond: 1,
  /** Calls a second of each other action of the control plane. */
  controlCallsPerSecond: 5,
  /** UpdateShardCount calls a second. */
  updateShardCountPerSecond: 10,
  /** UpdateShardCount calls of one stream in a rolling 24 hours. */
  updateShardCountPerDay: 10,
  /** UpdateShardCount goes to at most this many times the shards there are, and to no less than this part of them. */
  updateShardCountFactor: 2,
  /** Shards that UpdateShardCount goes to at most. */
  updateShardCountShards: 10_000,
  /** Streams that are being created. */
  streamsCreating: 5,
  /** Open shards of all provisioned streams. The value of us-east-1, us-west-2 and eu-west-1; elsewhere 1,000 or 6,000. */
  openShards: 20_000,
  /** On-demand streams. */
  onDemandStreams: 50,
  /** Changes of the capacity mode of one stream in a rolling 24 hours. */
  modeChangesPerDay: 2,
  /** Warm throughput of one stream, in MiB a second. */
  warmThroughputMiBps: 10_240,
  /** UpdateStreamWarmThroughput calls a second. */
  warmThroughputPerSecond: 5,
  /** Longest retention, in hours. */
  retentionHours: 8_760,
  /** Encryption keys that one stream can take in a rolling 24 hours. */
  keyChangesPerDay: 25,
  /** Time after encryption began in which some records are still stored without it, in milliseconds. */
  encryptionDelayMs: 5_000,
  /** Tags of one stream or consumer. */
  tagsPerResource: 50,
  /** 1 while records older than the retention are trimmed; off, they are kept. */
  retentionTrim: 1,
} as const;

/** The name of a limit. */
export type LimitName = keyof typeof serviceLimits;

/** Every limit with the value in force; Infinity where it is off. */
export type Limits = Readonly<Record<LimitName, number>>;

/** `false` for none at all; else by name `false` for off, a number for another value, `true` for the service's. */
export type LimitOptions = false | { readonly [K in LimitName]?: number | boolean | undefined };

/** Waits, which are over at once when they are switched off; every other limit is then endless. */
const waits: ReadonlySet<LimitName> = new Set<LimitName>(["subscriptionTakeoverMs", "encryptionDelayMs"]);

const names = Object.keys(serviceLimits) as LimitName[];

/**
 * The limits in force.
 * @throws {ConfigError} for an unknown name or a value that is no limit.
 */
export function resolveLimits(options: LimitOptions | undefined): Limits {
  const limits: Record<LimitName, number> = { ...serviceLimits };
  if (options === undefined) return limits;
  if (options === false) {
    for (const name of names) limits[name] = off(name);
    return limits;
  }
  if (typeof options !== "object" || options === null) {
    throw new ConfigError({ path: "limits", got: options, expected: "false, or an object with limits by name" });
  }
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name as LimitName)) {
      const near = nearestName(name, names);
      throw new ConfigError({
        path: `limits.${name}`,
        got: value,
        expected: "the name of a limit",
        hint: near === undefined ? "The names stand in docs/simulator-rules.md." : `Did you mean ${near}?`,
      });
    }
    if (value === undefined || value === true) continue;
    if (value !== false && !(typeof value === "number" && value > 0)) {
      throw new ConfigError({ path: `limits.${name}`, got: value, expected: "true, false or a number above 0" });
    }
    limits[name as LimitName] = value === false ? off(name as LimitName) : value;
  }
  return limits;
}

function off(name: LimitName): number {
  return waits.has(name) ? 0 : Infinity;
}
