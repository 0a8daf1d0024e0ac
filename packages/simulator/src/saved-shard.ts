/**
 * Pure. A shard as plain data: what is kept of it over a restart.
 */

/** A shard without its records. */
export interface SavedShard {
  readonly start: string;
  readonly end: string;
  readonly parent: string | undefined;
  readonly adjacentParent: string | undefined;
  readonly createdWallMs: number;
  readonly createdSecond: number;
  readonly closedWallMs: number | undefined;
  readonly endingSequenceNumber: string | undefined;
  readonly children: readonly string[];
  /** Counters of the oldest record and of the next to come. */
  readonly trimHorizon: number;
  readonly tip: number;
}
