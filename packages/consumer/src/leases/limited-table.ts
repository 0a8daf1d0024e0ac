/**
 * Driver. A lease table whose every call ends: a connection that hangs must not hold up a loop, or the way out, for ever.
 *
 * The SDK has no time-out of its own for a whole call. Callers that need an answer sooner have shorter limits.
 */
import type { System } from "@millrace/core/runtime";
import { callWithin } from "./call-within.ts";
import type { LeaseTable, TableCallOptions, TableFailure } from "./lease-table.ts";

/** For one row: an answer that takes longer is of no use under the default failover time. */
const rowLimitMs = 10_000;
/** For calls of many pages: a scan of the largest fleets takes seconds. */
const pagesLimitMs = 60_000;

/** The same table; a call over its limit has an unknown outcome. `open` waits for its table and has none. */
export function limitedTable(table: LeaseTable, system: System): LeaseTable {
  type Call<T> = (options: { readonly signal: AbortSignal }) => Promise<T | TableFailure>;
  function limited<T>(
    limitMs: number,
    options: TableCallOptions | undefined,
    call: Call<T>,
  ): Promise<T | TableFailure> {
    const signal = options?.signal;
    return callWithin(system, limitMs, (limit) =>
      call({ signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) }),
    );
  }
  const updateWith = table.updateWith?.bind(table);
  return {
    name: table.name,
    keyAttribute: table.keyAttribute,
    open: (options) => table.open(options),
    get: (key, options) => limited(rowLimitMs, options, (own) => table.get(key, { ...options, ...own })),
    put: (row, conditions, options) => limited(rowLimitMs, options, (own) => table.put(row, conditions, own)),
    update: (update, options) => limited(rowLimitMs, options, (own) => table.update(update, { ...options, ...own })),
    delete: (key, conditions, options) => limited(rowLimitMs, options, (own) => table.delete(key, conditions, own)),
    scan: (options) => limited(pagesLimitMs, options, (own) => table.scan(own)),
    keysOwnedBy: (owner, options) => limited(pagesLimitMs, options, (own) => table.keysOwnedBy(owner, own)),
    ...(updateWith === undefined
      ? {}
      : {
          updateWith: (update, items, options) =>
            limited(rowLimitMs, options, (own) => updateWith(update, items, { ...options, ...own })),
        }),
  };
}
