import {
  DescribeStreamConsumerCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  PutRecordCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";
import type { KinesisClient, KinesisServiceException } from "@aws-sdk/client-kinesis";
import { NodeHttp2Handler } from "@smithy/node-http-handler";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FaultOptions } from "../faults/fault.ts";
import { KinesisSimulator } from "../simulator.ts";

const shardId = "shardId-000000000000";
let simulator: KinesisSimulator;
let streamArn: string;

beforeEach(async () => {
  simulator = await KinesisSimulator.listen({ transitionMs: 0 });
  ({ streamArn } = simulator.createStream({ streamName: "clicks" }));
});

afterEach(() => simulator.close());

/** How many records the stream holds, by a client of its own that no fault strikes. */
async function stored(): Promise<number | undefined> {
  simulator.clearFaults();
  const reader = simulator.client();
  const { ShardIterator } = await reader.send(
    new GetShardIteratorCommand({ StreamName: "clicks", ShardId: shardId, ShardIteratorType: "TRIM_HORIZON" }),
  );
  const { Records } = await reader.send(new GetRecordsCommand({ ShardIterator }));
  reader.destroy();
  return Records?.length;
}

const handlers: [string, () => KinesisClient][] = [
  ["HTTP/1.1", () => simulator.client({ maxAttempts: 1 })],
  ["HTTP/2", () => simulator.client({ maxAttempts: 1, requestHandler: new NodeHttp2Handler() })],
];

describe.each(handlers)("what a client sees over %s of", (_name, create) => {
  let client: KinesisClient;
  beforeEach(() => {
    client = create();
  });
  afterEach(() => client.destroy());

  const put = () =>
    client.send(new PutRecordCommand({ StreamName: "clicks", PartitionKey: "k", Data: Buffer.from("x") }));

  test.each<[FaultOptions, number | undefined, number]>([
    [{ kind: "internal-failure" }, 500, 0],
    [{ kind: "service-unavailable" }, 503, 0],
    [{ kind: "non-json-body" }, 502, 0],
    [{ kind: "non-json-body", statusCode: 200 }, 200, 0],
    [{ kind: "reset" }, undefined, 0],
    [{ kind: "answer-lost" }, undefined, 1],
  ])("%o", async (fault, status, count) => {
    simulator.fault(fault);
    const error = await put().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect((error as KinesisServiceException).$metadata.httpStatusCode).toBe(status);
    expect(await stored()).toBe(count);
  });

  test("a slow call: its answer, after the service's time has passed", async () => {
    const fault = simulator.fault({ kind: "slow", delayMs: 3_000_000 });
    const sent = put();
    await expect.poll(() => fault.struck).toBe(1);
    simulator.clock.advance(3_000_000);
    expect((await sent).ShardId).toBe(shardId);
  });

  test("a hanging call: nothing, until it loses patience; the service does nothing", async () => {
    const fault = simulator.fault({ kind: "hang" });
    const controller = new AbortController();
    const sent = client
      .send(new ListStreamsCommand({}), { abortSignal: controller.signal })
      .catch((reason: unknown) => reason);
    await expect.poll(() => fault.struck).toBe(1);
    controller.abort();
    expect(await sent).toMatchObject({ name: "AbortError" });
    expect(await stored()).toBe(0);
  });

  test.each(["truncated-event-stream", "takeover"] as const)("%s: events, then a failure", async (kind) => {
    simulator.fault({ kind, events: 1 });
    const { Consumer } = await client.send(
      new RegisterStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: "reader" }),
    );
    const ConsumerARN = Consumer?.ConsumerARN;
    const status = async () =>
      (await client.send(new DescribeStreamConsumerCommand({ ConsumerARN }))).ConsumerDescription?.ConsumerStatus;
    await expect.poll(status).toBe("ACTIVE");
    await put();
    const { EventStream = [] } = await client.send(
      new SubscribeToShardCommand({ ConsumerARN, ShardId: shardId, StartingPosition: { Type: "TRIM_HORIZON" } }),
    );
    let events = 0;
    const read = async () => {
      for await (const event of EventStream) if (event.SubscribeToShardEvent !== undefined) events++;
    };
    const error = await read().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(events).toBe(1);
    expect((error as Error).name === "ResourceInUseException").toBe(kind === "takeover");
  });
});
