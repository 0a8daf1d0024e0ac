/**
 * Driver. The lease table on a host of its own: calls go over the network, so that one without an answer may have been
 * done; writes are throttled, and what an index or a scan shows is old.
 */
import type { LeaseTable, Row, TableFailure, WriteOutcome } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { NetworkError, type VirtualHost } from "@millrace/simulator";
import { TableHistory } from "../../../packages/consumer/src/testing-support/table-history.ts";
import type { World } from "./world.ts";

/** How the table behaves from now on. */
export interface TableConditions {
  /** Share of writes that are refused with a throttle, 0 to 1. */
  readonly throttled: number;
  /** Age that a row may have in a scan or in the index of owners. */
  readonly staleMs: number;
}

/** A row that was written. */
export interface TableWrite {
  readonly key: string;
  readonly before: Row | undefined;
  readonly after: Row | undefined;
  /** The worker that wrote it. */
  readonly writer: string;
}

/** What the table was asked for, and what it did to its callers. */
export interface TableTally {
  reads: number;
  scans: number;
  writes: number;
  /** Writes that were done and whose callers do not know it. */
  ambiguousWrites: number;
  throttledWrites: number;
  /** Rows shown that were older than the last write. */
  staleRows: number;
}

export class LeaseTableService {
  readonly table = new MemoryLeaseTable();
  readonly tally: TableTally = {
    reads: 0,
    scans: 0,
    writes: 0,
    ambiguousWrites: 0,
    throttledWrites: 0,
    staleRows: 0,
  };
  readonly host: VirtualHost;
  /** Called with each row that was written. */
  onWrite: (write: TableWrite) => void = () => undefined;
  readonly #world: World;
  readonly #history = new TableHistory(this.table);
  #conditions: TableConditions = { throttled: 0, staleMs: 0 };

  constructor(world: World) {
    this.#world = world;
    this.host = world.timeline.host("lease-table");
  }

  get rows(): ReadonlyMap<string, Row> {
    return this.table.rows;
  }

  change(conditions: TableConditions): void {
    this.#conditions = conditions;
  }

  /** The table as a worker on the host `from` reaches it. */
  over(from: VirtualHost, writer: string): LeaseTable {
    const { table, tally } = this;
    const read = async <T>(serve: () => Promise<T>, signal: AbortSignal | undefined) => {
      tally.reads++;
      return this.#call(from, serve, signal);
    };
    return {
      name: table.name,
      keyAttribute: table.keyAttribute,
      open: (options) => read(() => table.open(), options?.signal),
      get: (key, options) => read(() => table.get(key), options?.signal),
      put: (row, conditions, options) => {
        const key = textOf(row, table.keyAttribute) ?? "";
        return this.#write(from, writer, key, () => table.put(row, conditions), options?.signal);
      },
      update: (update, options) => this.#write(from, writer, update.key, () => table.update(update), options?.signal),
      delete: (key, conditions, options) =>
        this.#write(from, writer, key, () => table.delete(key, conditions), options?.signal),
      scan: (options) => {
        tally.scans++;
        return read(async () => ({ ok: true, value: this.#view() }), options?.signal);
      },
      keysOwnedBy: (owner, options) =>
        read(async () => {
          const owned = this.#view().filter((row) => textOf(row, "leaseOwner") === owner);
          return { ok: true, value: owned.map((row) => textOf(row, table.keyAttribute) ?? "") };
        }, options?.signal),
    };
  }

  async #write(
    from: VirtualHost,
    writer: string,
    key: string,
    change: () => Promise<WriteOutcome>,
    signal: AbortSignal | undefined,
  ): Promise<WriteOutcome> {
    const { tally } = this;
    let isUnanswered = false;
    let isDone = false;
    const { life } = from;
    const outcome = await this.#call<WriteOutcome>(
      from,
      async () => {
        tally.writes++;
        if (this.#world.random.chance(this.#conditions.throttled)) {
          tally.throttledWrites++;
          return { ok: false, reason: "throttled", error: new Error("told to be throttled") };
        }
        const before = this.rows.get(key);
        const made = await change();
        if (made.ok) {
          this.#history.note(key, this.#world.timeline.nowMs);
          this.onWrite({ key, before, after: this.rows.get(key), writer });
          if (isUnanswered && !isDone && from.life === life) tally.ambiguousWrites++;
          isDone = true;
        }
        return made;
      },
      signal,
    );
    if (!outcome.ok && outcome.reason === "unknown") {
      isUnanswered = true;
      if (isDone) tally.ambiguousWrites++;
    }
    // As some emulators of DynamoDB do: no old row with a condition that failed.
    if (!outcome.ok && outcome.reason === "condition-failed" && this.#world.random.chance(0.5)) {
      return { ...outcome, row: undefined };
    }
    return outcome;
  }

  async #call<T>(
    from: VirtualHost,
    serve: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T | TableFailure> {
    try {
      return await this.#world.network.request(from, this.host, serve, signal);
    } catch (error) {
      if (error instanceof NetworkError || signal?.aborted === true) {
        return { ok: false, reason: "unknown", error: error as Error };
      }
      throw error;
    }
  }

  #view(): readonly Row[] {
    const { staleMs } = this.#conditions;
    if (staleMs === 0) return [...this.rows.values()];
    const { timeline, random } = this.#world;
    const rows = this.#history.rowsAt(() => timeline.nowMs - random.next() * staleMs);
    for (const row of rows) {
      if (this.rows.get(textOf(row, this.table.keyAttribute) ?? "") !== row) this.tally.staleRows++;
    }
    return rows;
  }
}

/** The text of an attribute. */
export function textOf(row: Row | undefined, attribute: string): string | undefined {
  const value = row?.[attribute];
  return value !== undefined && "S" in value ? value.S : undefined;
}
