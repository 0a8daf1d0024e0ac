/**
 * Adapter. The layout of the positions file, and how a file of an older layout becomes one of this.
 */
import type { DatabaseSync } from "node:sqlite";

/** The positions file is damaged, of a newer version, or another program's. An operator decides. */
export class PositionsUnreadableError extends Error {
  override readonly name = "PositionsUnreadableError";
  readonly code = "ERR_POSITIONS_UNREADABLE";
}

/** What makes each layout from the one before it; the first begins with an empty file. Entries are never changed. */
export const positionLayouts: readonly string[] = [
  `
  CREATE TABLE flow (
    flow TEXT PRIMARY KEY
  ) STRICT;
  CREATE TABLE generation (
    flow TEXT NOT NULL,
    id TEXT NOT NULL,
    path TEXT NOT NULL,
    device TEXT NOT NULL,
    inode TEXT NOT NULL,
    born_ms REAL NOT NULL,
    fingerprint_bytes INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    position_bytes INTEGER NOT NULL,
    marker_bytes INTEGER NOT NULL,
    marker TEXT NOT NULL,
    framing TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    modified_ms REAL NOT NULL,
    is_missing INTEGER NOT NULL,
    updated_ms REAL NOT NULL,
    PRIMARY KEY (flow, id)
  ) STRICT;
`,
];

/** Brings a file of a lower layout to the last of `layouts`, all or nothing; the number stands in its `user_version`. */
export function upgradePositions(database: DatabaseSync, version: number, layouts: readonly string[]): void {
  if (version === layouts.length) return;
  const steps = layouts.slice(version).join("\n");
  try {
    database.exec(`BEGIN IMMEDIATE; ${steps} PRAGMA user_version = ${layouts.length}; COMMIT;`);
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/**
 * The number of the file's layout, 0 for an empty file. Changes nothing.
 * @throws {PositionsUnreadableError} when it is of a newer release, or holds something else.
 */
export function layoutOf(database: DatabaseSync, path: string, layouts: readonly string[]): number {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > layouts.length) {
    throw new PositionsUnreadableError(
      `${path}: layout ${version} was written by a newer release; this one reads up to ${layouts.length}. ` +
        "Run that release, or move the file away to start from initialPosition again.",
    );
  }
  const isEmpty = database.prepare("SELECT 1 FROM sqlite_master LIMIT 1").get() === undefined;
  if (version === 0 && !isEmpty) {
    throw new PositionsUnreadableError(
      `${path} is another program's database. Name a file for positions in positionsFile; ` +
        "the Kinesis Agent's own is named by checkpointFile.",
    );
  }
  return version;
}
