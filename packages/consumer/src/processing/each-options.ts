/**
 * Pure. The options of `runEach`: how many at a time, how often again, and what then.
 */
import { checkOptionNames, ConfigError, functionOption, integerOption } from "@millrace/core/options";
import type { ConsumedRecord } from "../record.ts";

/** A record that is not tried any more. */
export interface FailedRecord {
  readonly record: ConsumedRecord;
  readonly shardId: string;
  readonly streamName: string;
  /** Calls of the handler, also those of former owners of the shard as far as they are known. */
  readonly attempts: number;
  readonly why: "attempts" | "age";
  /** What the handler threw last. */
  readonly error: unknown;
}

/**
 * Where records go that are not tried any more: a file, another stream, a queue. The record counts as done once `send`
 * has resolved; until then it is tried again, with backoff, so none is lost on the way.
 */
export interface DeadLetter {
  send(failed: FailedRecord): Promise<void>;
}

/** Options of `runEach`. */
export interface EachOptions {
  /**
   * Records of one shard that are handled at a time. Records of one partition key are handled one after another at any
   * number. Integer, 1 to 10,000. @default 1
   */
  readonly concurrency?: number | undefined;
  /**
   * Calls for one record, counted over restarts and owners as far as they could be stored. Integer from 1.
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

export interface ResolvedEachOptions {
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly maxRecordAgeMs: number;
  readonly deadLetter: DeadLetter | undefined;
  readonly filter: ((record: ConsumedRecord) => boolean) | undefined;
}

const names: readonly (keyof EachOptions)[] = [
  "concurrency",
  "maxAttempts",
  "maxRecordAgeMs",
  "onFailure",
  "filter",
  "signal",
];

/**
 * Checks the options and fills in what was left out.
 * @throws {ConfigError} naming the first bad option.
 */
export function resolveEachOptions(options: EachOptions): ResolvedEachOptions {
  checkOptionNames("EachOptions", options, names);
  const max = Number.MAX_SAFE_INTEGER;
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
    maxAttempts: integerOption("maxAttempts", maxAttempts, { min: 1, max, fallback: max }),
    maxRecordAgeMs: integerOption("maxRecordAgeMs", maxRecordAgeMs, { min: 0, max, fallback: max }),
    deadLetter,
    filter: functionOption("filter", options.filter),
  };
}

function deadLetterOption(value: EachOptions["onFailure"]): DeadLetter | undefined {
  if (value === undefined || value === "stop") return undefined;
  if (typeof value === "object" && value !== null && typeof value.send === "function") return value;
  throw new ConfigError({ path: "onFailure", got: value, expected: '"stop" or an object with a function send' });
}
