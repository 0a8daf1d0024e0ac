/**
 * Adapter. The DynamoDB tables of an application, by KCL's names.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { System } from "@millrace/core/runtime";
import type { LeaseTable } from "../leases/lease-table.ts";
import { DynamoDbLeaseTable } from "./dynamodb-lease-table.ts";

/**
 * The tables of an application: its lease table, and those that KCL 3.0 to 3.4 keep beside it. Without a client of the
 * user's, one is made from the environment.
 */
export function createDynamoDbTables(
  names: {
    readonly applicationName: string;
    readonly leaseTableName: string;
    readonly coordinatorTableName?: string | undefined;
    readonly workerMetricsTableName?: string | undefined;
  },
  userClient: DynamoDBClient | undefined,
  system: System,
): {
  readonly leases: LeaseTable;
  readonly legacy: { readonly coordinator: LeaseTable; readonly metrics: LeaseTable };
} {
  const client = userClient ?? new DynamoDBClient({});
  const table = (tableName: string, keyAttribute?: string): LeaseTable =>
    new DynamoDbLeaseTable({ client, tableName, system, keyAttribute });
  return {
    leases: table(names.leaseTableName),
    legacy: {
      coordinator: table(names.coordinatorTableName ?? `${names.applicationName}-CoordinatorState`, "key"),
      metrics: table(names.workerMetricsTableName ?? `${names.applicationName}-WorkerMetricStats`, "wid"),
    },
  };
}
