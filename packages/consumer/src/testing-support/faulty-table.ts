/**
 * Driver. A lease table on a timeline that behaves as badly as DynamoDB may: slow, stale, lossy.
 *
 * Rows live in one memory table; each host reads and writes through its own `FaultyTable`.
 */
import type { System } from "@millrace/core/runtime";
import type { LeaseTable, ReadOutcome, TableFailure, WriteOutcome } from "../leases/lease-table.ts";
import type { Condition, Row, RowUpdate } from "../leases/table-row.ts";
import { textOf } from "../leases/table-row.ts";
import { TableHistory } from "./table-history.ts";

/** Shares are 0 to 1. */
export interface TableFaults {
  readonly maxDelayMs: number;
  /** Writes that are not done and answered with a throttle. */
  readonly throttled: number;
  /** Writes that are done and not answered. */
  readonly answerLost: number;
  /** Writes that are neither done nor answered. */
  readonly requestLost: number;
  /** Age of what a scan or an index may show. */
  readonly staleMs: number;
}

/** How often each fault struck, over all hosts. */
export interface TableStrikes {
  throttled: number;
  answerLost: number;
  requestLost: number;
}

/** What all hosts share: the rows as they are and were, and what struck. */
export class SharedTable extends TableHistory {
  readonly strikes: TableStrikes = { throttled: 0, answerLost: 0, requestLost: 0 };
  /** Called with each row that was written. */
  onWrite: (key: string, before: Row | undefined, after: Row | undefined) => void = () => undefined;
}

/** The table as one host sees it. */
export class FaultyTable implements LeaseTable {
  readonly name = "faulty";
  readonly keyAttribute = "leaseKey";
  readonly #shared: SharedTable;
  readonly #system: System;
  readonly #faults: () => TableFaults;

  constructor(shared: SharedTable, system: System, faults: () => TableFaults) {
    this.#shared = shared;
    this.#system = system;
    this.#faults = faults;
  }

  async open(): Promise<ReadOutcome<"created" | "existed">> {
    await this.#delay();
    return this.#shared.table.open();
  }

  async get(key: string): Promise<ReadOutcome<Row | undefined>> {
    await this.#delay();
    const outcome = await this.#shared.table.get(key);
    await this.#delay();
    return outcome;
  }

  put(row: Row, conditions: readonly Condition[]): Promise<WriteOutcome> {
    return this.#write(textOf(row, "leaseKey") ?? "", () => this.#shared.table.put(row, conditions));
  }

  update(update: RowUpdate): Promise<WriteOutcome> {
    return this.#write(update.key, () => this.#shared.table.update(update));
  }

  delete(key: string, conditions: readonly Condition[]): Promise<WriteOutcome> {
    return this.#write(key, () => this.#shared.table.delete(key, conditions));
  }

  async scan(): Promise<ReadOutcome<readonly Row[]>> {
    await this.#delay();
    return { ok: true, value: this.#stale() };
  }

  async keysOwnedBy(owner: string): Promise<ReadOutcome<readonly string[]>> {
    await this.#delay();
    const owned = this.#stale().filter((row) => textOf(row, "leaseOwner") === owner);
    return { ok: true, value: owned.map((row) => textOf(row, this.keyAttribute) ?? "") };
  }

  #stale(): readonly Row[] {
    const { staleMs } = this.#faults();
    if (staleMs === 0) return [...this.#shared.table.rows.values()];
    const atMs = this.#system.now() - this.#system.random() * staleMs;
    return this.#shared.rowsAt(() => atMs);
  }

  async #write(key: string, write: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    const { throttled, answerLost, requestLost } = this.#faults();
    const { strikes } = this.#shared;
    await this.#delay();
    if (this.#system.random() < throttled) {
      strikes.throttled++;
      return failure("throttled");
    }
    if (this.#system.random() < requestLost) {
      strikes.requestLost++;
      return failure("unknown");
    }
    const before = this.#shared.table.rows.get(key);
    const outcome = await write();
    if (outcome.ok) {
      this.#shared.onWrite(key, before, this.#shared.table.rows.get(key));
      this.#shared.note(key, this.#system.now());
    }
    if (this.#system.random() < answerLost) {
      strikes.answerLost++;
      return failure("unknown");
    }
    await this.#delay();
    // As dynalite does: no old image with a failed condition.
    return outcome.ok ? outcome : { ...outcome, ...(outcome.reason === "condition-failed" ? { row: undefined } : {}) };
  }

  #delay(): Promise<void> {
    const { maxDelayMs } = this.#faults();
    return new Promise((resolve) => {
      this.#system.schedule(1 + this.#system.random() * maxDelayMs, resolve);
    });
  }
}

function failure(reason: TableFailure["reason"]): TableFailure {
  return { ok: false, reason, error: new Error(`told to be ${reason}`) };
}
