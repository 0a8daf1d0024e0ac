/**
 * Pure. How aggregates that are not as they should be are treated, and counted.
 *
 * Nothing is left out in silence: by default everything is delivered, and every defect is an event (decision 9).
 */
import {
  createCounts,
  type DeaggregateOptions,
  type DeaggregationCounts,
  type DefectOutcome,
} from "@millrace/aggregation";
import { checkOptionNames, ConfigError } from "@millrace/core/options";
import type { HashRange } from "../leases/lease.ts";

/** What to do about each defect: deliver it all the same, leave it out and count it, or fail the handler. */
export interface DeaggregationOptions {
  /** An aggregate whose digest does not match. "deliver" passes the Kinesis record whole. @default "deliver" */
  readonly onBadDigest?: DefectOutcome | undefined;
  /** An aggregate whose digest matches and whose bytes do not parse. @default "deliver", whole */
  readonly onUnparsable?: DefectOutcome | undefined;
  /** A user record that names a key its aggregate does not have. @default "deliver", without the key */
  readonly onBadIndex?: DefectOutcome | undefined;
  /**
   * A user record whose hash key does not belong to the shard it came from. KCL drops its whole aggregate in silence;
   * here "skip" leaves out this user record only. The keys are looked at only where this is given, and never on streams
   * with the AUTO record distribution strategy. @default "deliver", without a look
   */
  readonly onOutOfRange?: DefectOutcome | undefined;
  /**
   * A compressed aggregate that cannot be opened: damaged, grown beyond its bounds, or by an algorithm that this runtime
   * lacks. @default "deliver", its compressed bytes as one user record with the tag that names the algorithm
   */
  readonly onBadCompression?: DefectOutcome | undefined;
}

/** The rules of one stream. */
export interface DeaggregationRules extends DeaggregationOptions {
  /** False on AUTO streams, where keys do not decide the shard. */
  readonly keysDecideShard: boolean;
}

/** How many of each defect one Kinesis read held. */
export type DefectCounts = Pick<
  DeaggregationCounts,
  "badDigest" | "unparsable" | "badIndex" | "outOfRange" | "badCompression"
>;

const names: readonly (keyof DeaggregationOptions)[] = [
  "onBadDigest",
  "onUnparsable",
  "onBadIndex",
  "onOutOfRange",
  "onBadCompression",
];
const outcomes: ReadonlySet<unknown> = new Set([undefined, "deliver", "skip", "fail"]);

/** @throws {ConfigError} naming the first bad option. */
export function checkDeaggregation(options: DeaggregationOptions | undefined): DeaggregationOptions {
  if (options === undefined) return {};
  checkOptionNames("deaggregation", options, names);
  for (const name of names) {
    if (outcomes.has(options[name])) continue;
    throw new ConfigError({
      path: `deaggregation.${name}`,
      got: options[name],
      expected: '"deliver", "skip" or "fail"',
    });
  }
  return options;
}

/** The options for one shard's records. `onDefects` is told what was counted since it was told last. */
export function deaggregationFor(
  rules: DeaggregationRules,
  range: HashRange | undefined,
  onDefects: (counts: DefectCounts) => void,
): DeaggregateOptions & { readonly tellDefects: () => void } {
  let counts = createCounts();
  const checksRange = rules.onOutOfRange !== undefined && rules.keysDecideShard && range !== undefined;
  const { onBadDigest, onUnparsable, onBadIndex, onOutOfRange, onBadCompression } = rules;
  return {
    onBadDigest,
    onUnparsable,
    onBadIndex,
    onOutOfRange,
    onBadCompression,
    hashKeyRange: checksRange ? { startingHashKey: range.start, endingHashKey: range.end } : undefined,
    get counts() {
      return counts;
    },
    tellDefects() {
      const { badDigest, unparsable, badIndex, outOfRange, badCompression } = counts;
      if (badDigest + unparsable + badIndex + outOfRange + badCompression === 0) return;
      counts = createCounts();
      onDefects({ badDigest, unparsable, badIndex, outOfRange, badCompression });
    },
  };
}
