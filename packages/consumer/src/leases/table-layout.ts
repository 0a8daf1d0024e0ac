/**
 * Pure. Which tables a fleet uses, and whether this worker may join it.
 *
 * Source: kcl.md 1.1, 1.6, 1.7 and 8.1. KCL from 3.5 on keeps everything in the lease table; 3.0 to 3.4 use three
 * tables. A worker that reads the wrong ones elects a second leader.
 */
import { textOf, type Row } from "./table-row.ts";

export const tableMigrationKey = "TableMigration3.5";
export const clientVersionKey = "Migration3.0";
/** The status of a fleet that uses the lease table alone from then on. */
export const migrationComplete = "TABLE_MIGRATION_STATUS_COMPLETE";

/** How far the table migration is; undefined when it has not begun. */
export function migrationStatus(row: Row | undefined): string | undefined {
  return row === undefined ? undefined : textOf(row, "tm");
}

/** Where the rows that are no leases stand: in the lease table, in the old ones, or on their way. */
export type TableLayout = "single" | "legacy" | "migrating";

/** What was found out about a fleet before joining it. */
export interface FleetFacts {
  /** True when `<app>-CoordinatorState` exists. */
  readonly hasLegacyCoordinatorTable: boolean;
  /** The row of the table migration; undefined when there is none. */
  readonly migrationRow: Row | undefined;
  /** The row of the client version, from wherever it stands. */
  readonly versionRow: Row | undefined;
  /** True when the lease table holds a leader's or a version's row. */
  readonly hasSingleTableRows: boolean;
  readonly hasLeases: boolean;
  /** True when the application has said that no KCL 2.x worker runs any more. */
  readonly takeOverFrom2x: boolean;
  /** True when the application has said that every worker of the fleet knows the single table. */
  readonly migrateTables: boolean;
}

/** What to do. `reportsTo` is where workers' reports go; they are read from both tables until the migration is over. */
export type LayoutDecision =
  | { readonly ok: true; readonly layout: TableLayout; readonly reportsTo: "lease-table" | "legacy-table" }
  | { readonly ok: false; readonly code: string; readonly why: string };

/** Decides whether and how to join. */
export function decideLayout(facts: FleetFacts): LayoutDecision {
  const version = facts.versionRow === undefined ? undefined : textOf(facts.versionRow, "cv");
  const refusal = refuseVersion(version);
  if (refusal !== undefined) return refusal;
  if (version === undefined && facts.hasLeases && !facts.takeOverFrom2x) {
    return {
      ok: false,
      code: "ERR_FLEET_2X",
      why:
        "the lease table has leases and no client version: it is a table of KCL 2.x, whose workers take leases by " +
        "other rules. Stop them all, then set takeOverFrom2x.",
    };
  }
  const single = { ok: true, layout: "single", reportsTo: "lease-table" } as const;
  if (!facts.hasLegacyCoordinatorTable) return single;
  const migration = migrationStatus(facts.migrationRow);
  switch (migration) {
    case migrationComplete:
      return single;
    case "TABLE_MIGRATION_STATUS_DEPLOYED":
    case "TABLE_MIGRATION_STATUS_PENDING":
      return { ok: true, layout: "migrating", reportsTo: facts.migrateTables ? "lease-table" : "legacy-table" };
    case undefined:
    case "TABLE_MIGRATION_STATUS_INIT":
      if (facts.hasSingleTableRows) {
        return {
          ok: false,
          code: "ERR_MIXED_LAYOUTS",
          why:
            "a fleet of KCL 3.5 or Millrace uses the lease table alone, and a worker of KCL 3.0 to 3.4 has made tables " +
            "of its own beside it: two leaders. Stop the older workers and delete their two tables.",
        };
      }
      if (facts.migrateTables) {
        return {
          ok: false,
          code: "ERR_TABLE_MIGRATION",
          why:
            "migrateTables is set, and the fleet has not said yet that all its workers know the single table " +
            `(${migration ?? "no migration row"}). Run every worker on KCL 3.5 or Millrace without it first.`,
        };
      }
      return { ok: true, layout: "legacy", reportsTo: "legacy-table" };
    default:
      return { ok: false, code: "ERR_TABLE_MIGRATION", why: `the table migration has the unknown state ${migration}` };
  }
}

/** A refusal where the fleet follows the rules of KCL 2.x; undefined where it does not. */
export function refuseVersion(version: string | undefined): (LayoutDecision & { ok: false }) | undefined {
  switch (version) {
    case undefined:
    case "CLIENT_VERSION_3X":
    case "CLIENT_VERSION_3X_WITH_ROLLBACK":
      return undefined;
    case "CLIENT_VERSION_2X":
    case "CLIENT_VERSION_UPGRADE_FROM_2X":
      return {
        ok: false,
        code: "ERR_FLEET_2X",
        why: `the fleet works by the rules of KCL 2.x (${version}); finish its upgrade to 3.x first`,
      };
    default:
      return { ok: false, code: "ERR_FLEET_VERSION", why: `the fleet's client version ${version} is unknown` };
  }
}

/** The row with which the first worker of a fleet says that 3.x rules hold. */
export function newVersionRow(keyAttribute: string, workerId: string, wallNowMs: number): Row {
  const entry = (version: string): Row => ({
    cv: { S: version },
    mb: { S: workerId },
    mts: { N: String(Math.floor(wallNowMs)) },
  });
  return {
    [keyAttribute]: { S: clientVersionKey },
    entityType: { S: "CLIENT_VERSION_MIGRATION" },
    ...entry("CLIENT_VERSION_3X"),
    h: { L: [{ M: entry("CLIENT_VERSION_INIT") }] },
  };
}
