/**
 * Driver. A lease table whose calls are measured: what KCL tells of single writes, and what the table costs.
 *
 * A table that does not say what a call took is counted by DynamoDB's smallest units: a lease's row is below 1 KB.
 * Source: kcl.md 7 for the names.
 */
import type { System } from "@millrace/core/runtime";
import type { KclMetrics, KclScope } from "../kcl-metrics.ts";
import { isLeaseRow } from "./lease.ts";
import type { LeaseTable, ReadOutcome, WriteOutcome } from "./lease-table.ts";
import { textOf, type Row, type RowUpdate } from "./table-row.ts";

/** Source: DynamoDB's price of an eventually consistent read of up to 4 KB, and of a write of up to 1 KB. */
const smallestRead = 0.5;
const smallestWrite = 1;

/** The same table. */
export function meteredTable(table: LeaseTable, metrics: KclMetrics, system: System): LeaseTable {
  const cost = { isWorker: true } as const;
  function read<T>(outcome: ReadOutcome<T>): ReadOutcome<T> {
    metrics.summary("LeaseTable", "ReadUnits", "Count", (outcome.ok ? outcome.units : undefined) ?? smallestRead, cost);
    return outcome;
  }
  function wrote<T extends WriteOutcome | { readonly ok: false; readonly reason: string }>(outcome: T): T {
    const units = outcome.ok ? outcome.units : undefined;
    metrics.summary("LeaseTable", "WriteUnits", "Count", units ?? smallestWrite, cost);
    return outcome;
  }
  const updateWith = table.updateWith?.bind(table);
  return {
    name: table.name,
    keyAttribute: table.keyAttribute,
    open: (options) => table.open(options),
    get: async (key, options) => read(await table.get(key, options)),
    scan: async (options) => read(await table.scan(options)),
    keysOwnedBy: async (owner, options) => read(await table.keysOwnedBy(owner, options)),
    delete: async (key, conditions, options) => wrote(await table.delete(key, conditions, options)),
    async put(row, conditions, options) {
      const startedAt = system.now();
      const outcome = wrote(await table.put(row, conditions, options));
      if (isNewLease(row)) created(metrics, row, outcome.ok, system.now() - startedAt);
      return outcome;
    },
    async update(update, options) {
      const startedAt = system.now();
      const outcome = wrote(await table.update(update, options));
      ownerWrote(metrics, update, outcome.ok, system.now() - startedAt);
      return outcome;
    },
    ...(updateWith === undefined
      ? {}
      : {
          async updateWith(update, items, options) {
            const startedAt = system.now();
            const outcome = wrote(await updateWith(update, items, options));
            ownerWrote(metrics, update, outcome.ok, system.now() - startedAt);
            return outcome;
          },
        }),
  };
}

function isNewLease(row: Row): boolean {
  return isLeaseRow(row) && textOf(row, "checkpoint") !== undefined;
}

/** A lease that has an owner from the start is a child of a shard that its creator has just finished. */
function created(metrics: KclMetrics, row: Row, isSuccess: boolean, tookMs: number): void {
  const operation = textOf(row, "leaseOwner") === undefined ? "ShardSyncTask" : "ShutdownTask";
  metrics.step(operation, "CreateLease", isSuccess, tookMs);
  metrics.detailed(operation, `CreateLease_${textOf(row, "checkpoint")}.Success`, "Count", Number(isSuccess));
}

/** Renewals and checkpoints; assignments have their own operation. */
function ownerWrote(metrics: KclMetrics, { key, set = {} }: RowUpdate, isSuccess: boolean, tookMs: number): void {
  if (set["checkpoint"] !== undefined) metrics.step("ProcessTask", "UpdateLease", isSuccess, tookMs, scopeOf(key));
  else if (set["leaseCounter"] !== undefined) {
    metrics.step("RenewAllLeases", "RenewLease", isSuccess, tookMs, { isWorker: true });
  }
}

/** With several streams a key is `account:stream:creationEpoch:shardId`. */
function scopeOf(leaseKey: string): KclScope {
  const parts = leaseKey.split(":");
  return { streamName: parts.length === 4 ? parts[1] : undefined, shardId: parts.at(-1) };
}
