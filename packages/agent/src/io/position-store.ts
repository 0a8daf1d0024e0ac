/**
 * Adapter. Positions in SQLite: one row per file generation, durable when a call returns.
 *
 * WAL with synchronous FULL syncs once per transaction; a crash of the process or of the host keeps every transaction
 * that returned. One agent writes a file at a time: SQLite's own exclusive lock is held for as long as it is open.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { FramingState } from "../flow/framing-rules.ts";
import type { PositionStore, SavedFlow, SavedGeneration } from "../flow/positions.ts";
import { layoutOf, positionLayouts, PositionsUnreadableError, upgradePositions } from "./position-schema.ts";

/** Another process holds the positions file, or it cannot be opened now: try again later. */
export class PositionsUnavailableError extends Error {
  override readonly name = "PositionsUnavailableError";
  readonly code = "ERR_POSITIONS_UNAVAILABLE";
}

/** A positions file that is open. */
export interface PositionFile extends PositionStore {
  /** The flows that have been started with it. */
  flows(): readonly string[];
}

/**
 * Opens the positions, and makes the file and its directory where they are not there.
 * @throws {PositionsUnavailableError} when another agent has it open or it may not be written.
 * @throws {PositionsUnreadableError} when it is damaged, of a newer version, or another program's.
 */
export function openPositionStore(path: string): PositionFile {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    // Before the first change: the file may be another program's.
    const version = layoutOf(database, path, positionLayouts);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    checkIntegrity(database, path);
    upgradePositions(database, version, positionLayouts);
    // The first write takes the exclusive lock that keeps a second agent out.
    database.exec("BEGIN IMMEDIATE; COMMIT;");
    return new SqlitePositionStore(database);
  } catch (error) {
    database?.close();
    throw explain(path, error);
  }
}

/** The positions for reading alone, where the file is there and no agent has it open. Nothing is made or changed. */
export function readPositions(
  path: string,
): ({ readonly ok: true } & Pick<PositionFile, "load" | "close">) | { readonly ok: false; readonly problem: string } {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    const store = new SqlitePositionStore(database);
    store.flows();
    return { ok: true, load: (flow) => store.load(flow), close: () => store.close() };
  } catch (error) {
    return { ok: false, problem: (explain(path, error) as Error).message };
  }
}

function checkIntegrity(database: DatabaseSync, path: string): void {
  const result = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (result !== "ok") throw new PositionsUnreadableError(`${path}: ${String(result)}`);
}

/** SQLite's result codes. Source: https://www.sqlite.org/rescode.html, read 2026-11-22. */
const busy = 5;
const locked = 6;
const corrupt = 11;
const notADatabase = 26;

function explain(path: string, error: unknown): unknown {
  if (error instanceof PositionsUnreadableError) return error;
  const { code, errcode, message } = error as { code?: string; errcode?: number; message: string };
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  if (primary === busy || primary === locked) {
    return new PositionsUnavailableError(`${path} is in use by another agent`, { cause: error });
  }
  if (primary === corrupt || primary === notADatabase) {
    return new PositionsUnreadableError(
      `${path} is damaged (${message}). Move it away to start from initialPosition again.`,
      { cause: error },
    );
  }
  return new PositionsUnavailableError(`${path} cannot be opened: ${code ?? ""} ${message}`, { cause: error });
}

class SqlitePositionStore implements PositionFile {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  flows(): readonly string[] {
    return this.#database
      .prepare("SELECT flow FROM flow ORDER BY flow")
      .all()
      .map((row) => String(row["flow"]));
  }

  load(flowId: string): SavedFlow {
    const isKnown = this.#database.prepare("SELECT 1 FROM flow WHERE flow = ?").get(flowId) !== undefined;
    const rows = this.#database.prepare("SELECT * FROM generation WHERE flow = ? ORDER BY updated_ms").all(flowId);
    return { isKnown, generations: rows.map(toGeneration) };
  }

  save(flowId: string, rows: readonly SavedGeneration[], removedIds: readonly string[]): void {
    const database = this.#database;
    database.exec("BEGIN IMMEDIATE");
    try {
      database.prepare("INSERT OR IGNORE INTO flow (flow) VALUES (?)").run(flowId);
      const upsert = database.prepare(
        "INSERT OR REPLACE INTO generation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      );
      for (const row of rows) upsert.run(...toColumns(flowId, row));
      const remove = database.prepare("DELETE FROM generation WHERE flow = ? AND id = ?");
      for (const id of removedIds) remove.run(flowId, id);
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}

function toColumns(flowId: string, row: SavedGeneration): (string | number)[] {
  return [
    flowId,
    row.id,
    row.path,
    row.device,
    row.inode,
    row.bornMs,
    row.fingerprint.lengthBytes,
    row.fingerprint.digest,
    row.positionBytes,
    row.marker.lengthBytes,
    row.marker.digest,
    JSON.stringify(row.framing),
    row.sizeBytes,
    row.modifiedMs,
    row.isMissing ? 1 : 0,
    row.updatedMs,
  ];
}

function toGeneration(row: Record<string, unknown>): SavedGeneration {
  return {
    id: String(row["id"]),
    path: String(row["path"]),
    device: String(row["device"]),
    inode: String(row["inode"]),
    bornMs: Number(row["born_ms"]),
    fingerprint: { lengthBytes: Number(row["fingerprint_bytes"]), digest: String(row["fingerprint"]) },
    positionBytes: Number(row["position_bytes"]),
    marker: { lengthBytes: Number(row["marker_bytes"]), digest: String(row["marker"]) },
    framing: JSON.parse(String(row["framing"])) as FramingState,
    sizeBytes: Number(row["size_bytes"]),
    modifiedMs: Number(row["modified_ms"]),
    isMissing: row["is_missing"] === 1,
    updatedMs: Number(row["updated_ms"]),
  };
}
