/**
 * Driver. A memory table that says what each call would cost in DynamoDB, on demand and with the index by owner.
 *
 * Source: DynamoDB's read and write request units (developer guide, read 2026-11-22): a write of each started KB, with the
 * larger of the rows before and after; one more for an index entry that is put or removed; a read of each started 4 KB,
 * half when it is not consistent. A row's bytes are those of its names and values.
 */
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import type { LeaseTable, ReadOutcome, TableCallOptions, WriteOutcome } from "../leases/lease-table.ts";
import { textOf, type Attribute, type Condition, type Row, type RowUpdate } from "../leases/table-row.ts";

export class CostedTable implements LeaseTable {
  readonly table = new MemoryLeaseTable();
  readonly name = "costed";
  readonly keyAttribute = "leaseKey";
  scans = 0;

  open(): Promise<ReadOutcome<"created" | "existed">> {
    return this.table.open();
  }

  async get(
    key: string,
    options: TableCallOptions & { readonly consistent?: boolean } = {},
  ): Promise<ReadOutcome<Row | undefined>> {
    const units = readUnits(rowBytes(this.table.rows.get(key)), options.consistent ?? false);
    const outcome = await this.table.get(key);
    return outcome.ok ? { ...outcome, units } : outcome;
  }

  async scan(): Promise<ReadOutcome<readonly Row[]>> {
    this.scans++;
    const bytes = [...this.table.rows.values()].reduce((sum, row) => sum + rowBytes(row), 0);
    const outcome = await this.table.scan();
    return outcome.ok ? { ...outcome, units: readUnits(bytes, false) } : outcome;
  }

  async keysOwnedBy(owner: string): Promise<ReadOutcome<readonly string[]>> {
    const keys = await this.table.keysOwnedBy(owner);
    if (!keys.ok) return keys;
    const bytes = keys.value.reduce((sum, key) => sum + key.length + owner.length + 18, 0);
    return { ...keys, units: readUnits(bytes, false) };
  }

  put(row: Row, conditions: readonly Condition[]): Promise<WriteOutcome> {
    return this.#write(textOf(row, "leaseKey") ?? "", () => this.table.put(row, conditions));
  }

  update(update: RowUpdate): Promise<WriteOutcome> {
    return this.#write(update.key, () => this.table.update(update));
  }

  delete(key: string, conditions: readonly Condition[]): Promise<WriteOutcome> {
    return this.#write(key, () => this.table.delete(key, conditions));
  }

  async #write(key: string, write: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    const before = this.table.rows.get(key);
    const outcome = await write();
    const after = this.table.rows.get(key);
    const kilobytes = Math.ceil(Math.max(1, rowBytes(before), rowBytes(after)) / 1024);
    const [ownerBefore, ownerAfter] = [before, after].map((row) =>
      row === undefined ? undefined : textOf(row, "leaseOwner"),
    );
    // An entry of the index cannot change: another owner is one entry removed and one put.
    const entries =
      ownerBefore === ownerAfter ? 0 : [ownerBefore, ownerAfter].filter((owner) => owner !== undefined).length;
    return outcome.ok ? { ...outcome, units: kilobytes + entries } : outcome;
  }
}

function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / 4096)) * (isConsistent ? 1 : 0.5);
}

function rowBytes(row: Row | undefined): number {
  if (row === undefined) return 0;
  return Object.entries(row).reduce((sum, [name, value]) => sum + name.length + valueBytes(value), 0);
}

function valueBytes(value: Attribute): number {
  if ("S" in value) return Buffer.byteLength(value.S);
  if ("N" in value) return Math.ceil(value.N.length / 2) + 1;
  if ("B" in value) return value.B.byteLength;
  return JSON.stringify(value).length;
}
