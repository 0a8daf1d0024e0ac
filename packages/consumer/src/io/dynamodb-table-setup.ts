/**
 * Adapter. Creates a table as KCL Java 3.5.1 does, and tells its state.
 *
 * Source: kcl.md 1.2. One difference, which KCL accepts: the index is part of CreateTable, which spares a new
 * application the 15 to 20 minutes that filling it later takes.
 */
import { CreateTableCommand, DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { ReadOutcome, TableCallOptions } from "../leases/lease-table.ts";
import { abortOf, once } from "./dynamodb-call.ts";
import { tableFailure } from "./dynamodb-failure.ts";

/** Source: kcl.md 1.2. */
export const ownerIndexName = "LeaseOwnerToLeaseKeyIndex";

/** A table's state; `ABSENT` when there is none. */
export interface TableState {
  readonly status: string;
  /** What the index by owner is, `ABSENT` when there is none. */
  readonly indexStatus: string;
}

/** Asks for the table's state. */
export async function describeTable(
  client: DynamoDBClient,
  tableName: string,
  options: TableCallOptions,
): Promise<ReadOutcome<TableState>> {
  try {
    const answer = await client.send(once(new DescribeTableCommand({ TableName: tableName })), abortOf(options));
    const index = answer.Table?.GlobalSecondaryIndexes?.find((candidate) => candidate.IndexName === ownerIndexName);
    const status = answer.Table?.TableStatus ?? "ABSENT";
    return { ok: true, value: { status, indexStatus: index?.IndexStatus ?? "ABSENT" } };
  } catch (error) {
    if ((error as Error).name === "ResourceNotFoundException") {
      return { ok: true, value: { status: "ABSENT", indexStatus: "ABSENT" } };
    }
    return tableFailure(error);
  }
}

/** Asks for a new table; that another worker was faster is no failure. */
export async function createTable(
  client: DynamoDBClient,
  tableName: string,
  keyAttribute: string,
  options: TableCallOptions,
): Promise<ReadOutcome<undefined>> {
  const attributes = [{ AttributeName: keyAttribute, AttributeType: "S" as const }];
  const withIndex = keyAttribute === "leaseKey";
  if (withIndex) attributes.push({ AttributeName: "leaseOwner", AttributeType: "S" });
  const index = {
    IndexName: ownerIndexName,
    KeySchema: [
      { AttributeName: "leaseOwner", KeyType: "HASH" as const },
      { AttributeName: "leaseKey", KeyType: "RANGE" as const },
    ],
    Projection: { ProjectionType: "KEYS_ONLY" as const },
  };
  const command = new CreateTableCommand({
    TableName: tableName,
    AttributeDefinitions: attributes,
    KeySchema: [{ AttributeName: keyAttribute, KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
    ...(withIndex ? { GlobalSecondaryIndexes: [index] } : {}),
  });
  try {
    await client.send(once(command), abortOf(options));
  } catch (error) {
    if ((error as Error).name !== "ResourceInUseException") return tableFailure(error);
  }
  return { ok: true, value: undefined };
}
