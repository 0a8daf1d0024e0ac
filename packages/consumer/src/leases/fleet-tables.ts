/**
 * Driver. The tables of a fleet: found out about, opened, and read as one.
 *
 * Source: kcl.md 1.1 and 1.7. Nothing is created but the lease table: the two tables of KCL 3.0 to 3.4 are joined where
 * they exist.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import { ConsumerError } from "../errors.ts";
import type { ConsumerEvent } from "../events.ts";
import { tableAnswer, type StartPorts } from "../start-calls.ts";
import { readFleet, type FleetRows } from "./fleet.ts";
import { isLeaseRow } from "./lease.ts";
import { leaderKey } from "./leader.ts";
import type { LeaseTable, ReadOutcome, TableCallOptions, TableFailure } from "./lease-table.ts";
import {
  clientVersionKey,
  decideLayout,
  migrationComplete,
  migrationStatus,
  newVersionRow,
  refuseVersion,
  tableMigrationKey,
  type TableLayout,
} from "./table-layout.ts";
import { textOf, type Row } from "./table-row.ts";

/** The tables as a worker uses them. */
export interface FleetTables {
  readonly layout: TableLayout;
  /** True when the lease table was made just now. */
  readonly created: boolean;
  readonly leases: LeaseTable;
  /** Where this worker reports. */
  readonly metrics: LeaseTable;
  /** Where the leader's row stands, until the table migration is over. */
  readonly leader: LeaseTable;
  /** Where the client version may stand, in the order in which it counts. */
  readonly states: readonly LeaseTable[];
  /** The older tables, while they are in use. */
  readonly legacy: LegacyTables | undefined;
}

/** The two other tables of an application that began with KCL 3.0 to 3.4, where they may exist. */
export interface LegacyTables {
  readonly coordinator: LeaseTable;
  readonly metrics: LeaseTable;
}

export interface JoinOptions {
  readonly leases: LeaseTable;
  readonly legacy: LegacyTables | undefined;
  readonly workerId: string;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly takeOverFrom2x: boolean;
  readonly migrateTables: boolean;
}

/**
 * Opens the tables of the fleet, however long it takes until they answer.
 * @throws {ConsumerError} when they cannot be used, or joining would harm the fleet.
 */
export async function joinFleet(options: JoinOptions, signal: AbortSignal): Promise<FleetTables> {
  const { leases, legacy, system, events, workerId, takeOverFrom2x } = options;
  const ports: StartPorts = { system, events, signal };
  const opening = await tableAnswer(ports, "open", () => leases.open({ signal }));
  const opened = must(opening, `cannot use the lease table ${leases.name}`);
  const hasLegacy = legacy !== undefined && (await exists(ports, legacy.coordinator));
  const migrationRow = hasLegacy ? await rowOf(ports, legacy.coordinator, tableMigrationKey) : undefined;
  const legacyVersion = hasLegacy ? await rowOf(ports, legacy.coordinator, clientVersionKey) : undefined;
  const ownVersion = await rowOf(ports, leases, clientVersionKey);
  const hasSingleTableRows = ownVersion !== undefined || (await rowOf(ports, leases, leaderKey)) !== undefined;
  const versionRow = legacyVersion ?? ownVersion;
  const decision = decideLayout({
    hasLegacyCoordinatorTable: hasLegacy,
    migrationRow,
    versionRow,
    hasSingleTableRows,
    hasLeases: versionRow === undefined && opened === "existed" && (await hasLeases(ports, leases)),
    takeOverFrom2x,
    migrateTables: options.migrateTables,
  });
  if (!decision.ok) throw new ConsumerError(decision.code, `cannot join the fleet of ${leases.name}: ${decision.why}`);
  const isSingle = decision.layout === "single" || legacy === undefined;
  const state = isSingle ? leases : legacy.coordinator;
  if (versionRow === undefined) {
    const row = newVersionRow(state.keyAttribute, workerId, system.wallNow());
    const written = await tableAnswer(ports, "write version", () =>
      state.put(row, [{ attribute: state.keyAttribute, is: "absent" }], { signal }),
    );
    // Another first worker may be faster; then its row is as good.
    if (!written.ok && written.reason !== "condition-failed") throw unusable(`cannot write to ${state.name}`, written);
  }
  return {
    layout: decision.layout,
    created: opened === "created",
    leases,
    metrics: isSingle || decision.reportsTo === "lease-table" ? leases : legacy.metrics,
    leader: state,
    states: isSingle ? [leases] : [state, leases],
    legacy: isSingle ? undefined : legacy,
  };
}

/** One look at everything: leases and workers of all tables in use. */
export async function scanFleet(tables: FleetTables, options: TableCallOptions = {}): Promise<ReadOutcome<FleetRows>> {
  const rows = await tables.leases.scan(options);
  if (!rows.ok) return rows;
  const fleet = readFleet(rows.value, tables.leases.keyAttribute);
  if (tables.legacy === undefined) return { ok: true, value: fleet, units: rows.units };
  const { metrics } = tables.legacy;
  const legacyRows = await metrics.scan(options);
  if (!legacyRows.ok) return legacyRows;
  const legacyFleet = readFleet(legacyRows.value, metrics.keyAttribute);
  const units = (rows.units ?? 0) + (legacyRows.units ?? 0);
  const workers = [...fleet.workers, ...legacyFleet.workers];
  const unreadableWorkers = fleet.unreadableWorkers + legacyFleet.unreadableWorkers;
  return { ok: true, value: { ...fleet, workers, unreadableWorkers }, units };
}

/** Why this worker must leave: the fleet was set back to KCL 2.x; undefined while it may stay. */
export async function reasonToLeave(tables: FleetTables): Promise<ConsumerError | undefined> {
  for (const table of tables.states) {
    const row = await table.get(clientVersionKey, { consistent: true });
    if (!row.ok) return undefined;
    if (row.value === undefined) continue;
    const refusal = refuseVersion(textOf(row.value, "cv"));
    return refusal === undefined ? undefined : new ConsumerError(refusal.code, refusal.why);
  }
  return undefined;
}

/** True once the older tables, which the fleet was joined through, are out of use. */
export async function isMigrated(tables: FleetTables): Promise<boolean> {
  if (tables.legacy === undefined) return false;
  const row = await tables.legacy.coordinator.get(tableMigrationKey, { consistent: true });
  return row.ok && migrationStatus(row.value) === migrationComplete;
}

async function exists(ports: StartPorts, table: LeaseTable): Promise<boolean> {
  const probe = await tableAnswer(ports, "find table", () => table.get(leaderKey, { signal: ports.signal }));
  if (probe.ok) return true;
  if (probe.error.name === "ResourceNotFoundException") return false;
  // Rights on the old tables are needed until the migration is over; without them it cannot be known.
  throw unusable(`cannot tell whether ${table.name} exists`, probe);
}

async function rowOf(ports: StartPorts, table: LeaseTable, key: string): Promise<Row | undefined> {
  const { signal } = ports;
  const found = await tableAnswer(ports, `read ${key}`, () => table.get(key, { consistent: true, signal }));
  return must(found, `cannot read ${table.name}`);
}

async function hasLeases(ports: StartPorts, table: LeaseTable): Promise<boolean> {
  const scanned = await tableAnswer(ports, "scan", () => table.scan({ signal: ports.signal }));
  const rows = must(scanned, `cannot scan ${table.name}`);
  return rows.some((row) => isLeaseRow(row) && textOf(row, "checkpoint") !== undefined);
}

function must<T>(outcome: ReadOutcome<T>, what: string): T {
  if (outcome.ok) return outcome.value;
  throw unusable(what, outcome);
}

function unusable(what: string, failure: TableFailure): ConsumerError {
  return new ConsumerError("ERR_LEASE_TABLE", `${what}: ${describeError(failure.error)}`, failure.error);
}
