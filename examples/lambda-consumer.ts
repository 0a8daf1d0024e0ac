/**
 * A Lambda function that a Kinesis stream invokes: it adds up what each customer ordered.
 *
 * The event source mapping must have ReportBatchItemFailures in its FunctionResponseTypes.
 */
import { kinesisHandler } from "@millrace/aggregation/lambda";

interface Order {
  readonly customer: string;
  readonly cents: number;
}

/** Stands for the database that a real function would write to. */
export const centsByCustomer = new Map<string, number>();

/** Records that were done before: Lambda repeats the Kinesis record of a failed one, whole. */
const done = new Set<string>();

export const handler = kinesisHandler(async ({ data, sequenceNumber, subSequenceNumber }) => {
  const id = `${sequenceNumber}/${subSequenceNumber}`;
  if (done.has(id)) return;
  const { customer, cents } = JSON.parse(Buffer.from(data).toString("utf8")) as Order;
  centsByCustomer.set(customer, (centsByCustomer.get(customer) ?? 0) + cents);
  done.add(id);
});
