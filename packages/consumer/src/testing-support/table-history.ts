/**
 * Driver. The rows of a memory table as they were some time ago: what an index that lags or a scan that is not
 * consistent may show.
 */
import type { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import type { Row } from "../leases/table-row.ts";

/** A row from a time on; undefined once it was deleted. */
interface Version {
  readonly atMs: number;
  readonly row: Row | undefined;
}

/** Longest age of a view that can be asked for. */
const keptMs = 60_000;

export class TableHistory {
  readonly table: MemoryLeaseTable;
  readonly #versions = new Map<string, Version[]>();

  constructor(table: MemoryLeaseTable) {
    this.table = table;
  }

  /** Notes the row of `key` as it is now. Called after each write, in the order of time. */
  note(key: string, atMs: number): void {
    const row = this.table.rows.get(key);
    const versions = this.#versions.get(key);
    if (versions === undefined) {
      this.#versions.set(key, [{ atMs, row }]);
      return;
    }
    versions.push({ atMs, row });
    // One version from before what is kept says what stood there at its beginning.
    let outdated = 0;
    while ((versions[outdated + 1]?.atMs ?? Infinity) <= atMs - keptMs) outdated++;
    if (outdated > 0) versions.splice(0, outdated);
  }

  /** Rows as they were; `atMs` is asked for each row, so that one view may mix ages. */
  rowsAt(atMs: () => number): Row[] {
    const rows: Row[] = [];
    for (const versions of this.#versions.values()) {
      const row = versionAt(versions, atMs())?.row;
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }
}

function versionAt(versions: readonly Version[], atMs: number): Version | undefined {
  for (let index = versions.length - 1; index >= 0; index--) {
    const version = versions[index];
    if (version !== undefined && version.atMs <= atMs) return version;
  }
  return undefined;
}
