/**
 * Adapter. Creates a table as KCL Java 3.5.1 does, adds the index that one of KCL 2.x lacks, and tells its state.
 *
 * Source: kcl.md 1.2. One difference, which KCL accepts: the index is part of CreateTable, which spares a new
 * application the 15 to 20 minutes that filling it later takes.
 */
import {
  CreateTableCommand,
  DescribeTableCommand,
  UpdateTableCommand,
  type DynamoDBClient,
  type ProvisionedThroughput,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
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
  /** The attributes of the table's key; undefined when there is no table. */
  readonly keyAttributes: readonly string[] | undefined;
  /** What an index of a table that is not paid per request has to be given. */
  readonly throughput: ProvisionedThroughput | undefined;
}

const absent: TableState = {
  status: "ABSENT",
  indexStatus: "ABSENT",
  keyAttributes: undefined,
  throughput: undefined,
};

/** Source: kcl.md 1.2. */
const ownerIndex = {
  IndexName: ownerIndexName,
  KeySchema: [
    { AttributeName: "leaseOwner", KeyType: "HASH" as const },
    { AttributeName: "leaseKey", KeyType: "RANGE" as const },
  ],
  Projection: { ProjectionType: "KEYS_ONLY" as const },
};
const indexAttributes = ["leaseKey", "leaseOwner"].map((AttributeName) => ({
  AttributeName,
  AttributeType: "S" as const,
}));

/** Asks for the table's state. */
export async function describeTable(
  client: DynamoDBClient,
  tableName: string,
  options: TableCallOptions,
): Promise<ReadOutcome<TableState>> {
  try {
    const answer = await client.send(once(new DescribeTableCommand({ TableName: tableName })), abortOf(options));
    return { ok: true, value: answer.Table === undefined ? absent : stateOf(answer.Table) };
  } catch (error) {
    if ((error as Error).name === "ResourceNotFoundException") {
      return { ok: true, value: absent };
    }
    return tableFailure(error);
  }
}

function stateOf(table: TableDescription): TableState {
  const index = table.GlobalSecondaryIndexes?.find((candidate) => candidate.IndexName === ownerIndexName);
  const { ReadCapacityUnits: reads = 0, WriteCapacityUnits: writes = 0 } = table.ProvisionedThroughput ?? {};
  return {
    status: table.TableStatus ?? "ABSENT",
    indexStatus: index?.IndexStatus ?? "ABSENT",
    keyAttributes: table.KeySchema?.flatMap(({ AttributeName }) => AttributeName ?? []),
    throughput: reads > 0 ? { ReadCapacityUnits: reads, WriteCapacityUnits: writes } : undefined,
  };
}

/** Asks for the index on a table that has none; that another worker was faster is no failure. */
export async function addOwnerIndex(
  client: DynamoDBClient,
  tableName: string,
  throughput: ProvisionedThroughput | undefined,
  options: TableCallOptions,
): Promise<ReadOutcome<undefined>> {
  const command = new UpdateTableCommand({
    TableName: tableName,
    AttributeDefinitions: indexAttributes,
    GlobalSecondaryIndexUpdates: [
      { Create: { ...ownerIndex, ...(throughput === undefined ? {} : { ProvisionedThroughput: throughput }) } },
    ],
  });
  return asked(() => client.send(once(command), abortOf(options)));
}

async function asked(call: () => Promise<unknown>): Promise<ReadOutcome<undefined>> {
  try {
    await call();
  } catch (error) {
    if ((error as Error).name !== "ResourceInUseException") return tableFailure(error);
  }
  return { ok: true, value: undefined };
}

/** Asks for a new table; that another worker was faster is no failure. */
export async function createTable(
  client: DynamoDBClient,
  tableName: string,
  keyAttribute: string,
  options: TableCallOptions,
): Promise<ReadOutcome<undefined>> {
  const withIndex = keyAttribute === "leaseKey";
  const command = new CreateTableCommand({
    TableName: tableName,
    AttributeDefinitions: withIndex ? indexAttributes : [{ AttributeName: keyAttribute, AttributeType: "S" }],
    KeySchema: [{ AttributeName: keyAttribute, KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
    ...(withIndex ? { GlobalSecondaryIndexes: [ownerIndex] } : {}),
  });
  return asked(() => client.send(once(command), abortOf(options)));
}
