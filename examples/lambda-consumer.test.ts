import { Aggregator } from "@millrace/aggregation";
import type { Context, KinesisStreamEvent } from "aws-lambda";
import { expect, it, vi } from "vitest";
import { centsByCustomer, handler } from "./lambda-consumer.ts";

function order(customer: string, cents: number): string {
  return JSON.stringify({ customer, cents });
}

/** Data of a Kinesis record in a Lambda event that holds these orders. */
function orders(...entries: readonly string[]): string {
  const aggregator = new Aggregator();
  for (const data of entries) aggregator.add({ partitionKey: "orders", data });
  return Buffer.from(aggregator.build().data).toString("base64");
}

function eventOf(...data: readonly string[]): KinesisStreamEvent {
  const records = data.map((base64, index) => ({
    kinesis: { data: base64, partitionKey: "orders", sequenceNumber: String(index + 1) },
  }));
  return { Records: records } as KinesisStreamEvent;
}

it("adds up every order once, through a failure and Lambda's retry", async () => {
  const printed = vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const first = orders(order("ann", 100), order("bob", 250));
  const context = {} as Context;
  const broken = await handler(eventOf(first, orders(order("ann", 1), "no JSON")), context, () => undefined);
  expect(broken).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
  expect(printed).toHaveBeenCalledOnce();

  const repeated = await handler(eventOf(first, orders(order("ann", 1), order("bob", 50))), context, () => undefined);
  expect(repeated).toEqual({ batchItemFailures: [] });
  expect(Object.fromEntries(centsByCustomer)).toEqual({ ann: 101, bob: 300 });
  vi.restoreAllMocks();
});
