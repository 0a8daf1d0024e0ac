/**
 * Pure. What a flow is told.
 */
import type { Backoff } from "@millrace/core/runtime";
import type { FramingRules } from "./framing-rules.ts";
import type { PartitionKeyRule } from "./partition-key.ts";
import type { Rates } from "./rate-limit.ts";
import type { Transform } from "../transform/transform.ts";

/** Everything a flow is told; `config/flow-settings.ts` makes it from the configuration. */
export interface FlowSettings {
  /** Key of its positions. */
  readonly id: string;
  /** Absolute globs. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly initialPosition: "START_OF_FILE" | "END_OF_FILE";
  readonly framing: FramingRules;
  readonly headerLines: number;
  readonly partitionKey: PartitionKeyRule;
  readonly transform: Transform | undefined;
  /** How old what is known of the host may be; undefined where the transform does not ask for it. */
  readonly instanceTtlMs: number | undefined;
  /** What becomes of a record that the transform cannot take. */
  readonly onParseError: "raw" | "drop" | "deadLetter";
  readonly onAmbiguousFile: "start" | "end" | "fail";
  /** Ask the file system to say what changes. */
  readonly watchFiles: boolean;
  readonly minLookMs: number;
  readonly maxScanMs: number;
  readonly rotateWaitMs: number;
  readonly partialLineFlushMs: number | undefined;
  readonly multiLineTimeoutMs: number;
  readonly forgetAfterMs: number;
  readonly maxOpenFiles: number;
  readonly turnBytes: number;
  readonly backoff: Backoff;
  readonly rates: Rates;
  readonly saveEveryMs: number;
}
