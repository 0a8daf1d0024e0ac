/** Pure. How deaggregation treats what is not as it should be: the options, their defaults, the counters. */
import { InvalidRecordError } from "./errors.ts";
import { parseExplicitHashKey } from "./hash-key.ts";

const SLICE_RECORDS = 4096;

/** What to do about a defect: deliver the record all the same, leave it out, or throw a DeaggregationError. */
export type DefectOutcome = "deliver" | "skip" | "fail";

/** How often each thing was met. The caller owns it and may pass the same one to many calls, which add to it. */
export interface DeaggregationCounts {
  /** Aggregates opened. */
  aggregates: number;
  /** User records yielded, out of aggregates or plain. */
  userRecords: number;
  /** Aggregates whose digest does not match. */
  badDigest: number;
  /** Aggregates whose digest matches but whose bytes do not parse. */
  unparsable: number;
  /** User records that name an entry their table does not have. */
  badIndex: number;
  /** User records outside `hashKeyRange`. */
  outOfRange: number;
  /** Compressed aggregates opened; they count as aggregates too. */
  compressed: number;
  /** Compressed aggregates that cannot be opened. */
  badCompression: number;
  /** Aggregates delivered whole because they hold more than `maxRecords`. */
  tooManyRecords: number;
}

/** How `deaggregate` treats what is not as it should be. */
export interface DeaggregateOptions {
  /**
   * An aggregate whose MD5 digest does not match. "deliver" passes the Kinesis record whole and unchanged.
   * @default "deliver"
   */
  readonly onBadDigest?: DefectOutcome | undefined;
  /**
   * An aggregate whose digest matches but whose bytes do not parse. "deliver" passes the Kinesis record whole.
   * @default "deliver"
   */
  readonly onUnparsable?: DefectOutcome | undefined;
  /**
   * A user record that names an entry which its key table does not have. "deliver" yields it without that key; "skip"
   * leaves out this user record only.
   * @default "deliver"
   */
  readonly onBadIndex?: DefectOutcome | undefined;
  /**
   * A user record in an aggregate whose hash key is outside `hashKeyRange`, or whose explicit hash key is no number:
   * a copy that its producer sends again, or one that a foreign writer put into the wrong shard. "skip" leaves out this
   * user record only; the KCL drops its whole aggregate in silence.
   * @default "deliver"
   */
  readonly onOutOfRange?: DefectOutcome | undefined;
  /**
   * A compressed aggregate (`compression` of Millrace's producer) that cannot be opened: damaged, by an algorithm that this
   * runtime lacks (zstd needs Node 22.15), or grown past 2 MiB and a hundred times its compressed bytes, or past 10 MiB.
   * "deliver" yields its compressed bytes as one user record, with the tag that names the algorithm.
   * @default "deliver"
   */
  readonly onBadCompression?: DefectOutcome | undefined;
  /**
   * The shard's range, both ends included. Without it nothing is out of range. Not for streams with the AUTO record
   * distribution strategy, where keys do not decide the shard.
   */
  readonly hashKeyRange?:
    | { readonly startingHashKey: bigint | string; readonly endingHashKey: bigint | string }
    | undefined;
  /**
   * An aggregate of more user records than this is delivered whole, unopened. Integer of at least 1.
   * @default 250_000 for `deaggregate`, whose answer takes about 200 bytes for each; no limit for `deaggregateLazily`.
   */
  readonly maxRecords?: number | undefined;
  /** Counters to add to. */
  readonly counts?: DeaggregationCounts | undefined;
}

/** Options of `deaggregateLazily`. */
export interface LazyOptions extends DeaggregateOptions {
  /**
   * Most user records in one slice. Integer of at least 1.
   * @default 4096, which take a few milliseconds
   */
  readonly sliceRecords?: number | undefined;
}

/** Counters at zero, for `DeaggregateOptions.counts`. */
export function createCounts(): DeaggregationCounts {
  return {
    aggregates: 0,
    userRecords: 0,
    badDigest: 0,
    unparsable: 0,
    badIndex: 0,
    outOfRange: 0,
    compressed: 0,
    badCompression: 0,
    tooManyRecords: 0,
  };
}

/** The options, checked, with their defaults. */
export interface Rules {
  readonly onBadDigest: DefectOutcome;
  readonly onUnparsable: DefectOutcome;
  readonly onBadIndex: DefectOutcome;
  readonly onOutOfRange: DefectOutcome;
  readonly onBadCompression: DefectOutcome;
  readonly range: { readonly start: bigint; readonly end: bigint } | undefined;
  readonly maxRecords: number;
  readonly sliceRecords: number;
  readonly counts: DeaggregationCounts;
}

/** Checks the options and fills in their defaults. */
export function readRules(options: LazyOptions): Rules {
  const range = options.hashKeyRange;
  return {
    onBadDigest: readOutcome("onBadDigest", options.onBadDigest),
    onUnparsable: readOutcome("onUnparsable", options.onUnparsable),
    onBadIndex: readOutcome("onBadIndex", options.onBadIndex),
    onOutOfRange: readOutcome("onOutOfRange", options.onOutOfRange),
    onBadCompression: readOutcome("onBadCompression", options.onBadCompression),
    range:
      range === undefined
        ? undefined
        : { start: parseExplicitHashKey(range.startingHashKey), end: parseExplicitHashKey(range.endingHashKey) },
    maxRecords: readCount("maxRecords", options.maxRecords, Number.POSITIVE_INFINITY),
    sliceRecords: readCount("sliceRecords", options.sliceRecords, SLICE_RECORDS),
    counts: options.counts ?? createCounts(),
  };
}

function readOutcome(path: string, value: DefectOutcome | undefined): DefectOutcome {
  if (value === undefined) return "deliver";
  if (value === "deliver" || value === "skip" || value === "fail") return value;
  throw new InvalidRecordError({ path, got: value, expected: '"deliver", "skip" or "fail"' });
}

function readCount(path: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw new InvalidRecordError({ path, got: value, expected: "an integer of at least 1" });
}
