/**
 * Pure. What survives a restart: a row per file generation, and the interface of the store that keeps the rows.
 */
import type { BytesHash } from "./file-id.ts";
import type { FramingState } from "./framing-rules.ts";

/** A generation as saved. */
export interface SavedGeneration {
  /** Random. */
  readonly id: string;
  /** Where it was last seen. */
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly bornMs: number;
  readonly fingerprint: BytesHash;
  /** Every byte before it is settled [C10]. */
  readonly positionBytes: number;
  /** Of the bytes that end at `positionBytes`. */
  readonly marker: BytesHash;
  /** In the middle of what `positionBytes` stands. */
  readonly framing: FramingState;
  /** Size and time of change when last seen. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The file was not there when the row was written. */
  readonly isMissing: boolean;
  /** Milliseconds since 1970. */
  readonly updatedMs: number;
}

/** What a flow starts from. */
export interface SavedFlow {
  /** False at the first start ever: only then does `initialPosition` decide where files begin. */
  readonly isKnown: boolean;
  readonly generations: readonly SavedGeneration[];
}

/** Keeps positions. Each call is durable when it returns, and throws when it could not be. */
export interface PositionStore {
  load(flowId: string): SavedFlow;
  /** Writes the rows and removes the others, all or nothing. */
  save(flowId: string, rows: readonly SavedGeneration[], removedIds: readonly string[]): void;
  close(): void;
}
