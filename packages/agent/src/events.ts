/**
 * Pure. What the agent tells its embedder, its log and `node:diagnostics_channel` (`millrace:agent`).
 *
 * Every event is plain JSON data. No event carries a record's content.
 */

/** How a generation came to be followed. */
export type FoundBecause = "first-start" | "new" | "resumed" | "returned";

/** What became of a file that was followed. */
export type RotatedHow = "renamed" | "moved-away" | "deleted" | "truncated" | "replaced" | "copied" | "missing";

/** Counters of one flow since its start. */
export interface FlowCounters {
  /** Records and bytes framed. */
  recordsRead: number;
  bytesRead: number;
  /** Records and bytes that the destination stored. */
  recordsSent: number;
  bytesSent: number;
  /** Records that a transform or rule left out. */
  recordsFiltered: number;
  /** Records that went through the flow's transforms. */
  recordsTransformed: number;
  /** Records that a transform could not take; `onParseError` says what became of them. */
  recordsUnparsed: number;
  /** Lines cut, split or skipped for their length. */
  longLines: number;
  /** Puts that failed and were, or will be, put again. */
  recordsRetried: number;
  /** Records that the destination will never accept, written to the dead-letter file. */
  recordsUndeliverable: number;
  /** Bytes that a truncation or deletion took before they were read, as far as they were seen [C9]. */
  bytesPossiblyLost: number;
  /** Files that could not be told apart. */
  ambiguousFiles: number;
}

/** One thing that happened, told apart by `type`. The union may grow in a minor release. */
export type AgentEvent =
  /** A key of the configuration that works and that its author should know about. */
  | { readonly type: "config-warning"; readonly path: string; readonly text: string }
  /** Another configuration took effect; how many flows it touched. */
  | {
      readonly type: "reloaded";
      readonly unchanged: number;
      readonly added: number;
      readonly changed: number;
      readonly removed: number;
    }
  /** Another configuration was wrong, and the one before it goes on. */
  | { readonly type: "reload-refused"; readonly error: string }
  | { readonly type: "flow-started"; readonly flow: string; readonly patterns: readonly string[] }
  /** The first start of a flow that the Kinesis Agent has sent before: this many files go on where it left off. */
  | { readonly type: "checkpoints-taken-over"; readonly flow: string; readonly files: number }
  /** ADDEC2METADATA is asked for and the host's metadata service does not answer: records pass without it. */
  | { readonly type: "instance-metadata-missing"; readonly error: string }
  | { readonly type: "flow-stopped"; readonly flow: string; readonly unsettledRecords: number }
  | {
      readonly type: "file-found";
      readonly flow: string;
      readonly path: string;
      readonly generation: string;
      readonly positionBytes: number;
      readonly because: FoundBecause;
    }
  | {
      readonly type: "file-rotated";
      readonly flow: string;
      readonly path: string;
      readonly generation: string;
      readonly how: RotatedHow;
      /** Where its bytes are read now, where that is another path. */
      readonly newPath?: string | undefined;
    }
  | { readonly type: "file-finished"; readonly flow: string; readonly path: string; readonly generation: string }
  | {
      readonly type: "bytes-possibly-lost";
      readonly flow: string;
      readonly path: string;
      readonly bytes: number;
      readonly because: "truncated" | "missing" | "unreadable";
    }
  | {
      readonly type: "ambiguous-file";
      readonly flow: string;
      readonly path: string;
      /** The path it may be a copy or a continuation of. */
      readonly like: string;
      readonly resolvedAs: "start" | "end" | "fail";
    }
  | { readonly type: "file-unreadable"; readonly flow: string; readonly path: string; readonly code: string }
  | {
      readonly type: "flow-paused";
      readonly flow: string;
      readonly records: number;
      readonly error: string;
      readonly retryInMs: number;
    }
  | { readonly type: "flow-resumed"; readonly flow: string }
  | {
      readonly type: "record-undeliverable";
      readonly flow: string;
      readonly path: string;
      readonly startBytes: number;
      readonly endBytes: number;
      readonly error: string;
    }
  | { readonly type: "long-line"; readonly flow: string; readonly path: string; readonly endBytes: number }
  | { readonly type: "positions-not-saved"; readonly flow: string; readonly error: string }
  | { readonly type: "flow-failed"; readonly flow: string; readonly error: string }
  | {
      readonly type: "progress";
      readonly flow: string;
      readonly counters: Readonly<FlowCounters>;
      /** Bytes that its files held unread when they were last looked at. */
      readonly bytesBehind: number;
    }
  /** Sums over all flows. */
  | {
      readonly type: "agent-progress";
      readonly recordsRead: number;
      readonly bytesRead: number;
      readonly recordsSent: number;
      readonly uptimeMs: number;
    };

/** Counters at zero. */
export function createCounters(): FlowCounters {
  return {
    recordsRead: 0,
    bytesRead: 0,
    recordsSent: 0,
    bytesSent: 0,
    recordsFiltered: 0,
    recordsTransformed: 0,
    recordsUnparsed: 0,
    longLines: 0,
    recordsRetried: 0,
    recordsUndeliverable: 0,
    bytesPossiblyLost: 0,
    ambiguousFiles: 0,
  };
}
