/** Adapter. Tables of DynamoDB, made and read past the workers. */
import {
  CreateTableCommand,
  GetItemCommand,
  ScanCommand,
  type AttributeValue,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";

/** A row as it is stored. */
export type RawRow = Readonly<Record<string, AttributeValue>>;

/** Makes a table that has only a key, of text. */
export async function createTable(client: DynamoDBClient, TableName: string, key: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: key, AttributeType: "S" }],
      KeySchema: [{ AttributeName: key, KeyType: "HASH" }],
    }),
  );
}

/** One row; undefined where there is none, or no table. */
export async function readRow(
  client: DynamoDBClient,
  TableName: string,
  [attribute, value]: readonly [string, string],
): Promise<RawRow | undefined> {
  const Key = { [attribute]: { S: value } };
  const found = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true })).catch(() => undefined);
  return found?.Item;
}

/** All rows of a small table; none where there is no table. */
export async function readRows(client: DynamoDBClient, TableName: string): Promise<readonly RawRow[]> {
  const found = await client.send(new ScanCommand({ TableName, ConsistentRead: true })).catch(() => undefined);
  return found?.Items ?? [];
}
