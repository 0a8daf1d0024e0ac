/**
 * Pure. The options of `runEach` and `runBatches`: how many at a time, how often again, and what then.
 */
import { booleanOption, checkOptionNames, ConfigError, functionOption, integerOption } from "@millrace/core/options";
import type { ConsumedRecord } from "../record.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { RetryLimits } from "./failure-policy.ts";

/** Options of `runEach`. */
export interface EachOptions {
  /**
   * Records of one shard that are handled at a time. Records of one partition key are handled one after another at any
   * number. Integer, 1 to 10,000. @default 1
   */
  readonly concurrency?: number | undefined;
  /**
   * Calls for one record, counted over restarts and owners. A call that ended with its process counts as soon as it is
   * certain which record it was (see the package's README). Integer from 1.
   * @default no bound: a record is tried until it succeeds
   */
  readonly maxAttempts?: number | undefined;
  /**
   * Age of a record since its arrival past which it is not tried again after a failure, in milliseconds. Integer from 0.
   * @default no bound
   */
  readonly maxRecordAgeMs?: number | undefined;
  /**
   * What follows the last attempt. `"stop"` keeps the shard where it is: its lease is renewed, its health says why, and
   * nothing is lost; a restart tries again. A dead letter takes the record, and the shard goes on.
   * @default "stop"
   */
  readonly onFailure?: "stop" | DeadLetter | undefined;
  /** Records for which it returns false are done without a call of the handler. @default every record is handled */
  readonly filter?: ((record: ConsumedRecord) => boolean) | undefined;
  /** Ends the run as `close` does. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `runBatches`: those of `runEach`, and how records become batches. */
export interface BatchOptions extends EachOptions {
  /**
   * Batches of one shard that are handled at a time. Records of one partition key go into batches that are handled one
   * after another at any number. Integer, 1 to 10,000. @default 1
   */
  readonly concurrency?: number | undefined;
  /** User records of a batch. Integer, 1 to 1,000,000. @default 100. Source: Lambda, BatchSize for Kinesis. */
  readonly maxBatchRecords?: number | undefined;
  /**
   * Payload bytes of a batch; one record may be larger, alone. Integer from 1.
   * @default 6_000_000. Source: Lambda, payload limit of an invocation.
   */
  readonly maxBatchBytes?: number | undefined;
  /**
   * How long the first record of a batch waits for others, in milliseconds. With 0 a batch is what one read gave, cut to
   * size. Integer, 0 to 300,000. @default 0. Source: Lambda, MaximumBatchingWindowInSeconds, 0 to 300.
   */
  readonly batchWindowMs?: number | undefined;
  /**
   * Whether a batch that fails is tried again in halves, down to the record that fails alone; `maxAttempts` and
   * `maxRecordAgeMs` then end the trying for that record only. Without it they end it for the whole batch.
   * @default true. Lambda's BisectBatchOnFunctionError is false.
   */
  readonly bisect?: boolean | undefined;
}

export interface ResolvedEachOptions extends RetryLimits {
  readonly concurrency: number;
  readonly deadLetter: DeadLetter | undefined;
  readonly filter: ((record: ConsumedRecord) => boolean) | undefined;
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  readonly batchWindowMs: number;
}

const eachNames: readonly (keyof EachOptions)[] = [
  "concurrency",
  "maxAttempts",
  "maxRecordAgeMs",
  "onFailure",
  "filter",
  "signal",
];
const batchNames: readonly (keyof BatchOptions)[] = [
  ...eachNames,
  "maxBatchRecords",
  "maxBatchBytes",
  "batchWindowMs",
  "bisect",
];
const unbounded = Number.MAX_SAFE_INTEGER;

/**
 * Checks the options of `runEach` and fills in what was left out: each record is a batch of its own.
 * @throws {ConfigError} naming the first bad option.
 */
export function resolveEachOptions(options: EachOptions): ResolvedEachOptions {
  checkOptionNames("EachOptions", options, eachNames);
  return { ...policyOf(options), maxBatchRecords: 1, maxBatchBytes: unbounded, batchWindowMs: 0, bisect: true };
}

/**
 * Checks the options of `runBatches` and fills in what was left out.
 * @throws {ConfigError} naming the first bad option.
 */
export function resolveBatchOptions(options: BatchOptions): ResolvedEachOptions {
  checkOptionNames("BatchOptions", options, batchNames);
  const { maxBatchRecords, maxBatchBytes, batchWindowMs, bisect } = options;
  return {
    ...policyOf(options),
    maxBatchRecords: integerOption("maxBatchRecords", maxBatchRecords, { min: 1, max: 1_000_000, fallback: 100 }),
    maxBatchBytes: integerOption("maxBatchBytes", maxBatchBytes, { min: 1, max: unbounded, fallback: 6_000_000 }),
    batchWindowMs: integerOption("batchWindowMs", batchWindowMs, { min: 0, max: 300_000, fallback: 0 }),
    bisect: booleanOption("bisect", bisect, true),
  };
}

type Policy = Pick<ResolvedEachOptions, "concurrency" | "maxAttempts" | "maxRecordAgeMs" | "deadLetter" | "filter">;

function policyOf(options: EachOptions): Policy {
  const { maxAttempts, maxRecordAgeMs } = options;
  const deadLetter = deadLetterOption(options.onFailure);
  if (deadLetter !== undefined && maxAttempts === undefined && maxRecordAgeMs === undefined) {
    throw new ConfigError({
      path: "maxAttempts",
      got: undefined,
      expected: "maxAttempts or maxRecordAgeMs where onFailure is a dead letter",
      hint: "Without a bound no record ever fails for good, and the dead letter gets none.",
    });
  }
  return {
    concurrency: integerOption("concurrency", options.concurrency, { min: 1, max: 10_000, fallback: 1 }),
    maxAttempts: integerOption("maxAttempts", maxAttempts, { min: 1, max: unbounded, fallback: unbounded }),
    maxRecordAgeMs: integerOption("maxRecordAgeMs", maxRecordAgeMs, { min: 0, max: unbounded, fallback: unbounded }),
    deadLetter,
    filter: functionOption("filter", options.filter),
  };
}

/** True when trying a record may come to an end. */
export function isTryingBounded(limits: RetryLimits): boolean {
  return limits.maxAttempts < unbounded || limits.maxRecordAgeMs < unbounded;
}

function deadLetterOption(value: EachOptions["onFailure"]): DeadLetter | undefined {
  if (value === undefined || value === "stop") return undefined;
  if (typeof value === "object" && value !== null && typeof value.send === "function") return value;
  throw new ConfigError({ path: "onFailure", got: value, expected: '"stop" or an object with a function send' });
}
