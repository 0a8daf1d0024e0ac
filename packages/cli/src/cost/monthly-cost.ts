/**
 * Pure. What a month of a workload costs, by way of writing it.
 *
 * Source of the billing rules: prices.ts of the simulator and kinesis-service.md 4: a Kinesis record is billed in payload
 * units of 25 KB, each record rounded up; shards, and a consumer with fan-out, by the hour.
 */
import { Aggregator } from "@millrace/aggregation";
import type { Prices } from "@millrace/simulator";

/** Traffic as its owner knows it. */
export interface Workload {
  readonly recordsPerSecond: number;
  /** Data of one user record, without its key. */
  readonly recordBytes: number;
  /** Shards; more are taken where the traffic needs them. */
  readonly shards: number;
  /** Processes that produce: each fills aggregates of its own. */
  readonly producers: number;
  /** Longest wait of a record for others. */
  readonly lingerMs: number;
  /** Consumers with enhanced fan-out. */
  readonly fanOutConsumers: number;
}

/** One way of writing the workload. */
export interface WayOfWriting {
  readonly name: string;
  readonly kinesisRecordsPerSecond: number;
  readonly shards: number;
  readonly putUsd: number;
  readonly shardUsd: number;
  readonly fanOutUsd: number;
  readonly totalUsd: number;
  readonly usdPerMillionRecords: number;
}

/** Length of a month as AWS reckons prices: 730 hours. */
const hoursPerMonth = 730;
const secondsPerMonth = hoursPerMonth * 3600;
const keyBytes = 16;
// A shard takes 1,000 Kinesis records and 1 MiB a second. Source: kinesis-service.md 1.1.
const shardRecordsPerSecond = 1000;
const shardBytesPerSecond = 1024 * 1024;
/** The default of `aggregationMaxBytes`. */
const aggregateMaxBytes = 49_900;

/** The workload written one by one, and written in aggregates. */
export function monthlyCosts(workload: Workload, prices: Prices): readonly WayOfWriting[] {
  const { recordsPerSecond, recordBytes } = workload;
  return [
    costOf("one Kinesis record each", workload, prices, { recordsPerSecond, recordBytes: recordBytes + keyBytes }),
    costOf("Millrace, aggregated", workload, prices, aggregated(workload)),
  ];
}

interface KinesisTraffic {
  readonly recordsPerSecond: number;
  readonly recordBytes: number;
}

/** An aggregate leaves when it is full, or when its first record has waited for the linger. */
function aggregated({ recordsPerSecond, recordBytes, ...workload }: Workload): KinesisTraffic {
  const shards = Math.max(
    workload.shards,
    Math.ceil((recordsPerSecond * (recordBytes + keyBytes)) / shardBytesPerSecond),
  );
  const perAggregator = recordsPerSecond / workload.producers / shards;
  const withinLinger = Math.max(1, Math.floor((perAggregator * workload.lingerMs) / 1000));
  const { count, bytes } = fill(recordBytes, withinLinger);
  return { recordsPerSecond: recordsPerSecond / count, recordBytes: bytes };
}

/** Packs records as the producer does, with keys of which no two are the same: the least that can be saved. */
function fill(recordBytes: number, atMost: number): { readonly count: number; readonly bytes: number } {
  const aggregator = new Aggregator({ maxBytes: aggregateMaxBytes });
  const data = new Uint8Array(recordBytes);
  let count = 0;
  while (count < atMost && aggregator.add({ partitionKey: String(count).padStart(keyBytes, "0"), data })) count++;
  if (count <= 1) return { count: 1, bytes: recordBytes + keyBytes };
  return { count, bytes: aggregator.sizeBytes };
}

function costOf(name: string, workload: Workload, prices: Prices, traffic: KinesisTraffic): WayOfWriting {
  const bytesPerSecond = traffic.recordsPerSecond * traffic.recordBytes;
  const shards = Math.max(
    workload.shards,
    Math.ceil(traffic.recordsPerSecond / shardRecordsPerSecond),
    Math.ceil(bytesPerSecond / shardBytesPerSecond),
  );
  const units = Math.max(1, Math.ceil(traffic.recordBytes / prices.payloadUnitBytes));
  const putUsd = traffic.recordsPerSecond * units * secondsPerMonth * prices.putPayloadUnit;
  const shardUsd = shards * hoursPerMonth * prices.shardHour;
  const fanOutUsd =
    workload.fanOutConsumers *
    (shards * hoursPerMonth * prices.fanOutConsumerShardHour +
      ((bytesPerSecond * secondsPerMonth) / 1e9) * prices.fanOutGB);
  const totalUsd = putUsd + shardUsd + fanOutUsd;
  return {
    name,
    kinesisRecordsPerSecond: traffic.recordsPerSecond,
    shards,
    putUsd,
    shardUsd,
    fanOutUsd,
    totalUsd,
    usdPerMillionRecords: (totalUsd / (workload.recordsPerSecond * secondsPerMonth)) * 1e6,
  };
}
