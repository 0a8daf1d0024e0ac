/**
 * Driver. The application's DynamoDB writes and a checkpoint in one transaction: effects that happen exactly once.
 */
import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { ConfigError } from "@millrace/core/options";
import { leaseBehind } from "./checkpoint/batch-checkpoint.ts";
import { placeOf, type RecordBatch } from "./record.ts";

/** Source: DynamoDB's TransactWriteItems takes 100 actions; the checkpoint is one of them. */
const maxItems = 99;

/**
 * Writes `items` and the checkpoint of the batch's last record, all or none of them, on the condition that this worker
 * still owns the shard. A batch that is delivered again after its checkpoint was stored does not occur, so the writes
 * happen exactly once. Conflicts and throttles are tried again; an unknown outcome is settled by a consistent read.
 * @param items 0 to 99 writes, to tables of the same account and Region as the lease table.
 * @throws {LeaseLostError} when the shard belongs to another worker by now; nothing was written.
 * @throws {RangeError} when the place is checkpointed already.
 * @throws {ConfigError} for too many items, or a batch that is none of this package's.
 * @throws the SDK's TransactionCanceledException when one of `items` was refused; nothing was written.
 */
export async function checkpointWith(batch: RecordBatch, items: TransactWriteItem[]): Promise<void> {
  const held = leaseBehind(batch);
  const last = batch.records.at(-1);
  if (held === undefined || last === undefined) {
    throw new ConfigError({ path: "batch", got: batch, expected: "a batch that a consumer has delivered" });
  }
  if (!Array.isArray(items) || items.length > maxItems) {
    throw new ConfigError({ path: "items", got: items, expected: `an array of at most ${maxItems} writes` });
  }
  if (!held.hasTransactions) {
    throw new ConfigError({
      path: "leaseTable",
      got: held.tableName,
      expected: "a lease table with transactions, such as DynamoDB",
      hint: "The memory table has none.",
    });
  }
  await held.checkpointWith(placeOf(last), items);
}
