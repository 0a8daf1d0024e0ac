/**
 * Pure. What framing is told, and what it gives.
 */

/** What happens to a line that is longer than a record may be. */
export type LongLineRule = "truncate" | "split" | "skip";

/** How lines are put together. Exactly one of the patterns is there. */
export interface MultiLineRules {
  /** A line that matches begins a record. */
  readonly start: RegExp | undefined;
  /** A line that matches belongs to the record before it. */
  readonly continuation: RegExp | undefined;
  /** Lines of a record at most. */
  readonly maxLines: number;
}

/** How a flow cuts its files. */
export interface FramingRules {
  /** Bytes of a record at most. */
  readonly maxRecordBytes: number;
  readonly onLongLine: LongLineRule;
  /** Written over the end of a truncated record. */
  readonly terminator: Uint8Array;
  /** A line that matches whole, trimmed, ends the file: what follows is not read. */
  readonly footer: RegExp | undefined;
  readonly multiLine: MultiLineRules | undefined;
  /** True to leave the `\n` out of single-line records. */
  readonly stripNewline: boolean;
}

/** In the middle of what a position stands. */
export interface FramingState {
  /** Lines at the head of the file that are still to be left out. */
  readonly headerLinesLeft: number;
  /** `discard`: the rest of a line that was truncated or skipped. `split`: the rest of a line that was split. */
  readonly inside: "line-start" | "discard" | "split";
  /** The footer has been seen. */
  readonly ended: boolean;
}

/** Why bytes became no record. */
export type SkipReason = "header" | "footer" | "long-line";

/** A stretch of the file: a record, or bytes left out by a rule. */
export interface FramedSpan {
  /** Where it ends, counted from the beginning of the file. */
  readonly endBytes: number;
  /** Undefined where a rule left the bytes out. */
  readonly data: Uint8Array | undefined;
  readonly skipped: SkipReason | undefined;
  readonly truncated: boolean;
  /** The state at its end. */
  readonly state: FramingState;
}

/** What came of a buffer. */
export interface Framed {
  readonly spans: readonly FramedSpan[];
  /** Where the first unframed byte is now, counted from the beginning of the file. */
  readonly positionBytes: number;
  readonly state: FramingState;
}
