/**
 * Adapter. A simulator's streams and records in one SQLite file, so that they outlast the process.
 *
 * Nothing is written before the file is known to be a simulator's, whole, and of this version: a file that is none of
 * these stays as it is. A save is one transaction that adds what is new and removes what was trimmed.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ConfigError } from "@millrace/core/options";
import type { StoredRecord } from "../record-log.ts";
import type { NamedShard, SavedService } from "../saved-state.ts";

/** "MRSM": says in the file's header whose it is. */
const applicationId = 0x4d_52_53_4d;
/** The layout below. */
const formatVersion = 1;

const schema = `
  CREATE TABLE service (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL) STRICT;
  CREATE TABLE record (
    shard TEXT NOT NULL,
    counter INTEGER NOT NULL,
    sequence_number TEXT NOT NULL,
    partition_key TEXT,
    arrival_ms INTEGER NOT NULL,
    is_encrypted INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (shard, counter)
  ) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`;

/** A file that is open and held against other processes. */
export class StateFile {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #trim: StatementSync;
  readonly #writeState: StatementSync;
  /** By a shard's name, the first counter that is not in the file, and the trim horizon of the file. */
  #saved = new Map<string, { readonly tip: number; readonly trimHorizon: number }>();
  #state = "";

  /** @throws {ConfigError} for a file that is damaged, no simulator's, of a later version, or held by another process. */
  static open(path: string): StateFile {
    let database: DatabaseSync | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true });
      database = openDatabase(path);
      return new StateFile(path, database);
    } catch (error) {
      database?.close();
      throw explain(path, error);
    }
  }

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#insert = database.prepare("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#trim = database.prepare("DELETE FROM record WHERE shard = ? AND counter < ?");
    this.#writeState = database.prepare("INSERT OR REPLACE INTO service VALUES (1, ?)");
  }

  /** What was saved last; undefined in a new file. @throws {ConfigError} when it cannot be read. */
  load(): SavedService | undefined {
    try {
      const row = this.#database.prepare("SELECT state FROM service").get();
      return row === undefined ? undefined : (JSON.parse(String(row["state"])) as SavedService);
    } catch (error) {
      throw explain(this.#path, error);
    }
  }

  /** Pushes each shard's records into its log, up to `tip`. @throws {ConfigError} when records are missing. */
  loadRecords(shards: readonly NamedShard[], tips: readonly number[]): void {
    const select = this.#database.prepare("SELECT * FROM record WHERE shard = ? ORDER BY counter");
    for (const [index, { key, shard }] of shards.entries()) {
      const { log } = shard;
      for (const row of select.iterate(key)) {
        if (row["counter"] !== log.tip) throw damaged(this.#path, `a record of ${key} is missing`);
        log.push(readRecord(row));
      }
      if (log.tip !== tips[index]) throw damaged(this.#path, `records of ${key} are missing`);
      this.#saved.set(key, { tip: log.tip, trimHorizon: log.trimHorizon });
    }
  }

  /** Brings the file up to date: all of it or, where that fails, nothing. */
  save(service: SavedService, shards: readonly NamedShard[]): void {
    const state = JSON.stringify(service);
    if (state === this.#state) return;
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const saved = this.#saveRecords(shards);
      this.#writeState.run(state);
      this.#database.exec("COMMIT");
      this.#saved = saved;
      this.#state = state;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #rollBack(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite had rolled back already: it does so by itself when the disk is full.
    }
  }

  #saveRecords(shards: readonly NamedShard[]) {
    const now = new Map(shards.map(({ key, shard: { log } }) => [key, { tip: log.tip, trimHorizon: log.trimHorizon }]));
    for (const key of this.#saved.keys()) if (!now.has(key)) this.#trim.run(key, Number.MAX_SAFE_INTEGER);
    for (const { key, shard } of shards) {
      const { log } = shard;
      const before = this.#saved.get(key);
      if (before !== undefined && before.trimHorizon < log.trimHorizon) this.#trim.run(key, log.trimHorizon);
      for (let counter = Math.max(before?.tip ?? 0, log.trimHorizon); counter < log.tip; counter++) {
        const record = log.recordAt(counter);
        if (record !== undefined) this.#insert.run(key, counter, ...columnsOf(record));
      }
    }
    return now;
  }
}

function openDatabase(path: string): DatabaseSync {
  // Loaded here and not above: only who persists is to have SQLite, and Node's warning that it is experimental.
  const { DatabaseSync: Database } = process.getBuiltinModule("node:sqlite");
  const database = new Database(path, { timeout: 0 });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const [id, version, tables] = [
      numberOf(database, "PRAGMA application_id"),
      numberOf(database, "PRAGMA user_version"),
      numberOf(database, "SELECT count(*) FROM sqlite_master"),
    ];
    const isNew = id === 0 && version === 0 && tables === 0;
    if (!isNew) checkOwner(path, id, version);
    const check = database.prepare("PRAGMA quick_check(1)").get();
    if (Object.values(check ?? {})[0] !== "ok") throw damaged(path, "SQLite finds it damaged");
    // A transaction that may write takes the lock that keeps every other process out for as long as the file is open.
    database.exec(`BEGIN IMMEDIATE; ${isNew ? schema : ""} COMMIT;`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkOwner(path: string, id: number, version: number): void {
  if (id !== applicationId) throw damaged(path, "it is another program's");
  if (version === formatVersion) return;
  throw new ConfigError({
    path: "persistPath",
    got: path,
    expected: `a file of format ${formatVersion}`,
    hint: `It has format ${version}: a later version of the simulator wrote it. It was left as it is.`,
  });
}

function numberOf(database: DatabaseSync, query: string): number {
  return Number(Object.values(database.prepare(query).get() ?? {})[0]);
}

function columnsOf(record: StoredRecord) {
  const { sequenceNumber, partitionKey, arrivalMs, encrypted, bytes, data } = record;
  return [sequenceNumber, partitionKey ?? null, arrivalMs, encrypted ? 1 : 0, bytes, data] as const;
}

function readRecord(row: Record<string, unknown>): StoredRecord {
  const { sequence_number: number, partition_key: key, data } = row;
  return {
    sequenceNumber: String(number),
    partitionKey: typeof key === "string" ? key : undefined,
    arrivalMs: Number(row["arrival_ms"]),
    encrypted: row["is_encrypted"] === 1,
    bytes: Number(row["bytes"]),
    data: data instanceof Uint8Array ? data : new Uint8Array(),
  };
}

/** The error of a file that is no simulator's, or not whole. */
export function damaged(path: string, why: string): ConfigError {
  return new ConfigError({
    path: "persistPath",
    got: path,
    expected: "a whole file that a simulator wrote, or none",
    hint: `It cannot be used: ${why}. It was left as it is; move it away, or name another.`,
  });
}

function explain(path: string, error: unknown): unknown {
  if (error instanceof ConfigError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const isHeld = /locked|busy/i.test(reason);
  return isHeld
    ? new ConfigError({
        path: "persistPath",
        got: path,
        expected: "a file that no other simulator has open",
        hint: "Another process has it. Stop that one, or name another file.",
      })
    : damaged(path, reason);
}
