/** Pure. Rows of an application that count, by writes each of which must happen exactly once. */
import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { RawRow } from "./tables.ts";

/** Adds to a row's count. */
export function addEffects(TableName: string, id: string, count: number): TransactWriteItem {
  const expression = {
    UpdateExpression: "ADD effects :count",
    ExpressionAttributeValues: { ":count": { N: String(count) } },
  };
  return { Update: { TableName, Key: { id: { S: id } }, ...expression } };
}

/** The sum of all rows. */
export function sumOfEffects(rows: readonly RawRow[]): number {
  return rows.reduce((sum, row) => sum + Number(row["effects"]?.N ?? 0), 0);
}
