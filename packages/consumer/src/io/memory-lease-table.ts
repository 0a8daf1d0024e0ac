/**
 * Adapter. A lease table in this process's memory: for tests, and for one-process tools that need no fleet.
 *
 * Several consumers of one process share it by sharing the object. Its conditions are those of the DynamoDB table,
 * because both carry out the same descriptions (`leases/table-row.ts`).
 */
import type { LeaseTable, ReadOutcome, WriteOutcome } from "../leases/lease-table.ts";
import { applyUpdate, conditionsHold, textOf, type Condition, type Row, type RowUpdate } from "../leases/table-row.ts";

/** A working lease table without DynamoDB. Its content is gone with the process. */
export class MemoryLeaseTable implements LeaseTable {
  readonly name: string;
  readonly keyAttribute: string;
  readonly #rows = new Map<string, Row>();

  /**
   * @param options.name for events and error texts. @default "memory"
   */
  constructor(options: { readonly name?: string | undefined; readonly keyAttribute?: string | undefined } = {}) {
    this.name = options.name ?? "memory";
    this.keyAttribute = options.keyAttribute ?? "leaseKey";
  }

  /** The rows as they stand, by key: for assertions. */
  get rows(): ReadonlyMap<string, Row> {
    return this.#rows;
  }

  /** Ready at once; `created` while there are no rows. */
  open(): Promise<ReadOutcome<"created" | "existed">> {
    return Promise.resolve({ ok: true, value: this.#rows.size === 0 ? "created" : "existed" });
  }

  /** The row as it is now. */
  get(key: string): Promise<ReadOutcome<Row | undefined>> {
    return Promise.resolve({ ok: true, value: this.#rows.get(key) });
  }

  /** Writes a whole row when the conditions hold. */
  put(row: Row, conditions: readonly Condition[]): Promise<WriteOutcome> {
    const key = textOf(row, this.keyAttribute);
    if (key === undefined) throw new Error(`a row without ${this.keyAttribute}`);
    return Promise.resolve(this.#write(key, conditions, () => row));
  }

  /** Changes attributes when the conditions hold, and gives the row back either way. */
  update(update: RowUpdate): Promise<WriteOutcome> {
    const outcome = this.#write(update.key, update.conditions, (row) => applyUpdate(row, this.keyAttribute, update));
    return Promise.resolve(outcome);
  }

  /** Deletes a row when the conditions hold. */
  delete(key: string, conditions: readonly Condition[]): Promise<WriteOutcome> {
    return Promise.resolve(this.#write(key, conditions, () => undefined));
  }

  /** Every row. */
  scan(): Promise<ReadOutcome<readonly Row[]>> {
    return Promise.resolve({ ok: true, value: [...this.#rows.values()] });
  }

  /** Keys of the rows whose `leaseOwner` is `owner`. */
  keysOwnedBy(owner: string): Promise<ReadOutcome<readonly string[]>> {
    const keys = [...this.#rows].filter(([, row]) => textOf(row, "leaseOwner") === owner).map(([key]) => key);
    return Promise.resolve({ ok: true, value: keys });
  }

  #write(
    key: string,
    conditions: readonly Condition[],
    change: (row: Row | undefined) => Row | undefined,
  ): WriteOutcome {
    const before = this.#rows.get(key);
    if (!conditionsHold(before, conditions)) return { ok: false, reason: "condition-failed", row: before };
    const after = change(before);
    if (after === undefined) this.#rows.delete(key);
    else this.#rows.set(key, Object.freeze({ ...after }));
    return { ok: true, row: after };
  }
}
