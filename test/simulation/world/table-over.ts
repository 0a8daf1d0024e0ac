/**
 * Driver. A lease table that stands on another host: each call goes over the network, and one without an answer may
 * have been done.
 */
import type { LeaseTable, Row, TableFailure } from "@millrace/consumer";
import type { MemoryLeaseTable } from "@millrace/consumer/testing";
import { NetworkError, type VirtualHost } from "@millrace/simulator";
import type { World } from "./world.ts";

/** Called with each row that was written. */
export type OnWrite = (key: string, before: Row | undefined, after: Row | undefined) => void;

export function leaseTableOver(world: World, from: VirtualHost, table: MemoryLeaseTable, onWrite: OnWrite): LeaseTable {
  const to = world.timeline.host("lease-table");
  async function call<T>(serve: () => Promise<T>, signal: AbortSignal | undefined): Promise<T | TableFailure> {
    try {
      return await world.network.request(from, to, serve, signal);
    } catch (error) {
      if (error instanceof NetworkError || signal?.aborted === true) {
        return { ok: false, reason: "unknown", error: error as Error };
      }
      throw error;
    }
  }
  async function write<T extends { readonly ok: boolean }>(key: string, change: () => Promise<T>): Promise<T> {
    const before = table.rows.get(key);
    const outcome = await change();
    if (outcome.ok) onWrite(key, before, table.rows.get(key));
    return outcome;
  }
  return {
    name: table.name,
    keyAttribute: table.keyAttribute,
    open: (options) => call(() => table.open(), options?.signal),
    get: (key, options) => call(() => table.get(key), options?.signal),
    put: (row, conditions, options) => {
      const key = textOf(row, table.keyAttribute) ?? "";
      return call(() => write(key, () => table.put(row, conditions)), options?.signal);
    },
    update: (update, options) => call(() => write(update.key, () => table.update(update)), options?.signal),
    delete: (key, conditions, options) => call(() => write(key, () => table.delete(key, conditions)), options?.signal),
    scan: (options) => call(() => table.scan(), options?.signal),
    keysOwnedBy: (owner, options) => call(() => table.keysOwnedBy(owner), options?.signal),
  };
}

/** The text of an attribute. */
export function textOf(row: Row | undefined, attribute: string): string | undefined {
  const value = row?.[attribute];
  return value !== undefined && "S" in value ? value.S : undefined;
}
