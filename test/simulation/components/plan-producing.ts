/**
 * Pure. Draws the producing programs of a world.
 */
import type { Prng } from "@millrace/simulator";
import type { Ledger } from "./ledger.ts";
import { Producing } from "./producing.ts";

/** Share of one shard's throughput that all producers together use. */
const defaultLoad = 0.2;
/** Of all producers together: more take long, and show nothing new. */
const defaultRecordsPerSecond = 400;
const mebibyte = 1_048_576;

/** What a world decides about a program. */
export interface ProducingPlan {
  readonly name: string;
  readonly streamName: string;
  readonly ledger: Ledger;
  /** Programs that share the stream. */
  readonly count: number;
  /** Records a second of all of them together, at most. @default 400 */
  readonly maxRecordsPerSecond?: number | undefined;
  /** Share of one shard's throughput that all of them use at most, 0 to 1. @default 0.2 */
  readonly maxLoad?: number | undefined;
}

/** A program of its own size and habits, which leaves a single shard most of its throughput. */
export function planProducing(random: Prng, plan: ProducingPlan): Producing {
  const { name, streamName, ledger, count } = plan;
  const { maxRecordsPerSecond = defaultRecordsPerSecond, maxLoad = defaultLoad } = plan;
  const isLarge = random.chance(0.1);
  const aggregation = random.chance(0.8);
  const minRecordBytes = 40;
  const maxRecordBytes = isLarge ? 200_000 : random.pick([60, 300, 2_000]);
  const burstRecords = isLarge ? 3 : random.pick([1, 10, 40]);
  const burstBytes = (burstRecords * (minRecordBytes + maxRecordBytes)) / 4;
  const meanBurst = (1 + burstRecords) / 2;
  // Records a second count against a shard only where each is a Kinesis record of its own.
  const shareOfSecond = Math.max(burstBytes / mebibyte, aggregation ? 0 : meanBurst / 1_000);
  return new Producing({
    name,
    ledger,
    load: {
      keys: random.pick([1, 3, 50]),
      minRecordBytes,
      maxRecordBytes,
      burstRecords,
      meanPauseMs: Math.max(
        random.pick([10, 50, 200]),
        (1_000 * count * shareOfSecond) / maxLoad,
        (1_000 * count * meanBurst) / maxRecordsPerSecond,
      ),
    },
    producer: {
      streamName,
      aggregation,
      recordMaxBufferedMs: random.pick([0, 20, 100]),
      recordTtlMs: random.pick([2_000, 10_000, 30_000]),
      maxConnections: random.pick([1, 4, 24]),
      maxBufferedRecords: random.pick([50, 1_000, 200_000]),
      maxBufferedBytes: random.pick([mebibyte, 16 * mebibyte]),
      maxWaitingRecords: random.pick([0, 100, 10_000]),
      aggregationKey: random.pick(["a", "first", "perKey"] as const),
      ...(aggregation && { compression: random.pick(["none", "gzip", "zstd"] as const) }),
    },
  });
}
