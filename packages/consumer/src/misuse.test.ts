import { ConfigError } from "@millrace/core/options";
import { expect, it } from "vitest";
import { Consumer } from "./consumer.ts";
import type { ConsumerOptions } from "./options.ts";
import { MemoryLeaseTable } from "./testing.ts";

const options: ConsumerOptions = {
  streamName: "clicks",
  applicationName: "counts",
  leaseTable: new MemoryLeaseTable(),
};

it.each([
  [{ client: 3 }, "client: expected a KinesisClient of @aws-sdk/client-kinesis, got 3."],
  [{ dynamodb: {} }, "dynamodb: expected a DynamoDBClient of @aws-sdk/client-dynamodb, got an object (Object)."],
])("refuses %j", (bad, text) => {
  expect(() => new Consumer({ ...options, ...bad } as unknown as ConsumerOptions)).toThrow(text);
});

it.each([
  ["run without a handler", (consumer: Consumer) => consumer.run(5 as never), "handler: expected an async function"],
  ["runEach without one", (consumer: Consumer) => consumer.runEach({} as never), "handler: expected an async function"],
  [
    "a signal that is none",
    (consumer: Consumer) => consumer.run(async () => undefined, { signal: "now" as never }),
    'signal: expected an AbortSignal, got "now".',
  ],
])("rejects %s, and can still be run", async (_, misuse, text) => {
  const consumer = new Consumer(options);
  const refusal = misuse(consumer);
  await expect(refusal).rejects.toBeInstanceOf(ConfigError);
  await expect(refusal).rejects.toThrow(text);
  const ended = consumer.run(async () => undefined, { signal: AbortSignal.abort() });
  await expect(ended).resolves.toBeUndefined();
});
