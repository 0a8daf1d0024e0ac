/** Adapter. A table of an application: rows that count, each by writes that must happen exactly once. */
import { CreateTableCommand, ScanCommand, type DynamoDBClient, type TransactWriteItem } from "@aws-sdk/client-dynamodb";

export async function createEffectsTable(client: DynamoDBClient, TableName: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    }),
  );
}

/** Adds to a row's count. */
export function addEffects(TableName: string, id: string, count: number): TransactWriteItem {
  const expression = {
    UpdateExpression: "ADD effects :count",
    ExpressionAttributeValues: { ":count": { N: String(count) } },
  };
  return { Update: { TableName, Key: { id: { S: id } }, ...expression } };
}

/** The sum of all rows, of which there are few. */
export async function sumOfEffects(client: DynamoDBClient, TableName: string): Promise<number> {
  const { Items: rows = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
  return rows.reduce((sum, row) => sum + Number(row["effects"]?.N ?? 0), 0);
}
