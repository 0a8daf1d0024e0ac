/**
 * Pure. A table of rows under one string key with conditional writes: what leases are kept in.
 *
 * Implemented by the DynamoDB adapter, the memory table and the simulation. A lost race and a failed call are values;
 * no implementation rejects, retries, or waits on its own (but `open`, which waits for the table).
 */
import type { Condition, Row, RowUpdate } from "./table-row.ts";

/** A call that gave no answer, or not the one asked for. */
export interface TableFailure {
  readonly ok: false;
  /**
   * - `throttled`: certainly not done; try later.
   * - `unknown`: it may have been done (time-out, broken connection, 5xx).
   * - `refused`: certainly not done, and never will be until somebody changes something (access, table missing).
   */
  readonly reason: "throttled" | "unknown" | "refused";
  readonly error: Error;
}

/**
 * What came of a conditional write. `row` is the row as found, where the table gives it back; `units` is what the write
 * cost, indexes included, where the table says.
 */
export type WriteOutcome =
  | { readonly ok: true; readonly row?: Row | undefined; readonly units?: number | undefined }
  | { readonly ok: false; readonly reason: "condition-failed"; readonly row?: Row | undefined }
  | TableFailure;

/** What came of a read; `units` is what it cost, where the table says. */
export type ReadOutcome<T> =
  | { readonly ok: true; readonly value: T; readonly units?: number | undefined }
  | TableFailure;

/** Of every call. */
export interface TableCallOptions {
  /** Ends the call; a write then has an unknown outcome. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of an update together with writes of the application. */
export type JointOutcome =
  | WriteOutcome
  /** Not done, and never will be: a write of the application was refused. */
  | { readonly ok: false; readonly reason: "rejected"; readonly error: Error };

/** A table of rows. */
export interface LeaseTable {
  /** For texts and events. */
  readonly name: string;
  /** The attribute that holds the key: `leaseKey` in the lease table. */
  readonly keyAttribute: string;
  /** Creates the table where it does not exist, and resolves once it can be used. */
  open(options?: TableCallOptions): Promise<ReadOutcome<"created" | "existed">>;
  /** A read that sees every write that was answered before it, when `consistent`. */
  get(
    key: string,
    options?: TableCallOptions & { readonly consistent?: boolean },
  ): Promise<ReadOutcome<Row | undefined>>;
  /** Writes a whole row. */
  put(row: Row, conditions: readonly Condition[], options?: TableCallOptions): Promise<WriteOutcome>;
  /** Changes single attributes; gives the row after the change when `returnRow`. */
  update(update: RowUpdate, options?: TableCallOptions & { readonly returnRow?: boolean }): Promise<WriteOutcome>;
  delete(key: string, conditions: readonly Condition[], options?: TableCallOptions): Promise<WriteOutcome>;
  /** Every row. Not consistent: rows that change during the scan may come old or new. */
  scan(options?: TableCallOptions): Promise<ReadOutcome<readonly Row[]>>;
  /** Keys of the rows whose `leaseOwner` is `owner`; not consistent. */
  keysOwnedBy(owner: string, options?: TableCallOptions): Promise<ReadOutcome<readonly string[]>>;
  /**
   * An update and the application's own writes, all or none of them. Calls with the same token are done once. Absent
   * where the table has no transactions.
   */
  updateWith?(
    update: RowUpdate,
    items: readonly unknown[],
    options: TableCallOptions & { readonly token: string },
  ): Promise<JointOutcome>;
}
