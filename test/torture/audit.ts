/**
 * Driver. What a torture of the agent holds against it: the stream, and the positions that it saved [C10].
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { GetRecordsResponse } from "@millrace/core/kinesis";
import type { KinesisSimulator } from "@millrace/simulator";

/** The stream that the agent sends to. */
export const streamName = "lines";

/** The stream, read on from where it was left. */
export class StreamLog {
  readonly lines = new Set<string>();
  delivered = 0;
  readonly #simulator: KinesisSimulator;
  readonly #iterators = new Map<string, string>();

  constructor(simulator: KinesisSimulator) {
    this.#simulator = simulator;
  }

  /** What was stored since the last call. */
  async next(): Promise<string[]> {
    const { kinesis } = this.#simulator;
    const found: string[] = [];
    const position = { type: "TRIM_HORIZON" } as const;
    for (const { shardId } of unwrap(await kinesis.listShards({ streamName })).shards) {
      let shardIterator =
        this.#iterators.get(shardId) ??
        unwrap(await kinesis.getShardIterator({ streamName, shardId, position })).shardIterator;
      for (let behindMs = 1; behindMs > 0;) {
        const page: GetRecordsResponse = unwrap(await kinesis.getRecords({ shardIterator }));
        for (const record of page.records) found.push(Buffer.from(record.data).toString("utf8"));
        behindMs = page.millisBehindLatest;
        shardIterator = page.nextShardIterator ?? shardIterator;
      }
      this.#iterators.set(shardId, shardIterator);
    }
    for (const line of found) this.lines.add(line);
    this.delivered += found.length;
    return found;
  }
}

/** Compares what is sent with what the positions said before. */
export class Audit {
  /** Sum over the kills: lines that were written and that no saved position had passed. */
  unacknowledged = 0;
  /** Lines that came although a position past them had been saved by the last kill. */
  repeatedAfterSave = 0;
  /** Lines that a saved position had passed and that were not in the stream. */
  savedBeforeStored = 0;
  readonly #acknowledged = new Set<string>();
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  check(sent: readonly string[]): void {
    for (const line of sent) if (this.#acknowledged.has(line)) this.repeatedAfterSave += 1;
  }

  /** Takes up which lines the positions have passed. The agent must be dead, and its writes checked. */
  takePositions(written: ReadonlySet<string>, stored: ReadonlySet<string>): void {
    const files = new Map<string, Buffer>();
    for (const name of readdirSync(this.#directory)) {
      if (!name.startsWith("app")) continue;
      const path = join(this.#directory, name);
      files.set(String(statSync(path, { bigint: true }).ino), readFileSync(path));
    }
    for (const row of this.#rows()) {
      const bytes = files.get(String(row["inode"]));
      const endBytes = Number(row["position_bytes"]);
      if (bytes === undefined || endBytes > bytes.length) continue;
      const marker = bytes.subarray(endBytes - Number(row["marker_bytes"]), endBytes);
      // A file that was emptied and filled again has other bytes there: the row is not about them.
      if (createHash("sha256").update(marker).digest("hex").slice(0, String(row["marker"]).length) !== row["marker"]) {
        continue;
      }
      for (const line of bytes.toString("utf8", 0, endBytes).split(/(?<=\n)/)) {
        if (line === "" || this.#acknowledged.has(line)) continue;
        this.#acknowledged.add(line);
        if (!stored.has(line)) this.savedBeforeStored += 1;
      }
    }
    this.unacknowledged += written.size - this.#acknowledged.size;
  }

  /** From a copy: opening the database would recover it in the agent's place. */
  #rows(): readonly Record<string, unknown>[] {
    const copy = join(this.#directory, "audit.db");
    for (const suffix of ["", "-wal"]) {
      rmSync(`${copy}${suffix}`, { force: true });
      const from = join(this.#directory, `positions.db${suffix}`);
      if (existsSync(from)) copyFileSync(from, `${copy}${suffix}`);
    }
    const database = new DatabaseSync(copy);
    try {
      const hasTable = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'generation'").get() !== undefined;
      return hasTable ? database.prepare("SELECT * FROM generation").all() : [];
    } finally {
      database.close();
    }
  }
}

function unwrap<T>(answer: { ok: true; value: T } | { ok: false; error: Error }): T {
  if (!answer.ok) throw answer.error;
  return answer.value;
}
