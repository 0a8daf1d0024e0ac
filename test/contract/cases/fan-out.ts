/** Driver. Cases of registered consumers and SubscribeToShard. */
import {
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  KinesisClient,
  ListStreamConsumersCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";
import { expect } from "vitest";
import { documented } from "../contract-case.ts";
import type { ContractCase } from "../contract-case.ts";
import { errorName, retryWhenLimited } from "../service-under-test.ts";
import type { ServiceUnderTest } from "../service-under-test.ts";

const shardId = "shardId-000000000000";

/** A stream of one shard with a consumer that can subscribe. */
async function consumedStream(service: ServiceUnderTest) {
  const { streamName, streamArn } = await service.createStream(1);
  const { Consumer } = await retryWhenLimited(() =>
    service.client.send(new RegisterStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: "reader" })),
  );
  const consumerArn = Consumer?.ConsumerARN ?? "";
  for (let looks = 0; looks < 100; looks++) {
    const { ConsumerDescription: description } = await retryWhenLimited(() =>
      service.client.send(new DescribeStreamConsumerCommand({ ConsumerARN: consumerArn })),
    );
    if (description?.ConsumerStatus === "ACTIVE") return { streamName, streamArn, consumerArn };
    await service.lookAt(streamName);
  }
  throw new Error("the consumer did not become ACTIVE");
}

const subscribe = (client: KinesisClient, consumerArn: string, abortSignal: AbortSignal) =>
  client.send(
    new SubscribeToShardCommand({
      ConsumerARN: consumerArn,
      ShardId: shardId,
      StartingPosition: { Type: "TRIM_HORIZON" },
    }),
    { abortSignal },
  );

/** The first text that a subscription brings. */
async function firstText(client: KinesisClient, consumerArn: string): Promise<string | undefined> {
  const controller = new AbortController();
  try {
    const { EventStream = [] } = await subscribe(client, consumerArn, controller.signal);
    for await (const { SubscribeToShardEvent: event } of EventStream) {
      const [record] = event?.Records ?? [];
      if (record !== undefined) return Buffer.from(record.Data ?? []).toString();
    }
    return undefined;
  } finally {
    controller.abort();
  }
}

export const fanOutCases: readonly ContractCase[] = [
  {
    name: "a consumer is registered, listed and deregistered",
    rule: documented("RegisterStreamConsumer", "A consumer of a stream; ListStreamConsumers lists it."),
    async run(service) {
      const { streamArn, consumerArn } = await consumedStream(service);
      const list = () =>
        retryWhenLimited(() => service.client.send(new ListStreamConsumersCommand({ StreamARN: streamArn })));
      expect((await list()).Consumers).toMatchObject([{ ConsumerName: "reader", ConsumerARN: consumerArn }]);
      const again = retryWhenLimited(() =>
        service.client.send(new RegisterStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: "reader" })),
      );
      expect(await errorName(again)).toBe("ResourceInUseException");
      await retryWhenLimited(() =>
        service.client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: consumerArn })),
      );
      const gone = (async () => {
        for (;;) {
          await service.client.send(new DescribeStreamConsumerCommand({ ConsumerARN: consumerArn }));
          await service.lookAt(streamArn.split("/")[1] ?? "");
        }
      })();
      expect(await errorName(gone)).toBe("ResourceNotFoundException");
    },
  },
  {
    name: "a consumer's ARN holds its stream, name and time of creation",
    rule: documented("RegisterStreamConsumer", "ConsumerARN contains the creation timestamp."),
    async run(service) {
      const { streamArn, consumerArn } = await consumedStream(service);
      expect(consumerArn.startsWith(`${streamArn}/consumer/reader:`)).toBe(true);
      expect(Number(consumerArn.split(":").at(-1))).toBeGreaterThan(1_600_000_000);
    },
  },
  {
    name: "a subscription over HTTP/1.1 brings records",
    rule: documented("SubscribeToShard", "Events with records, in an event stream."),
    async run(service) {
      const { streamName, consumerArn } = await consumedStream(service);
      await service.put(streamName, [{ PartitionKey: "k" }]);
      expect(await firstText(service.client, consumerArn)).toBe("text-0");
    },
  },
  {
    name: "a subscription over HTTP/2, the SDK's default, brings records",
    rule: documented("SubscribeToShard", "Establishes an HTTP/2 connection."),
    async run(service) {
      const { streamName, consumerArn } = await consumedStream(service);
      await service.put(streamName, [{ PartitionKey: "k" }]);
      const client = new KinesisClient({
        endpoint: service.endpoint,
        region: "us-east-1",
        credentials: { accessKeyId: "any", secretAccessKey: "any" },
        maxAttempts: 1,
      });
      try {
        expect(await firstText(client, consumerArn)).toBe("text-0");
      } finally {
        client.destroy();
      }
    },
  },
  {
    name: "a second subscription within five seconds is refused",
    rule: documented("SubscribeToShard", "A second call within 5 seconds of a successful one: ResourceInUseException."),
    async run(service) {
      const { consumerArn } = await consumedStream(service);
      const controller = new AbortController();
      try {
        await subscribe(service.client, consumerArn, controller.signal);
        const second = retryWhenLimited(() => subscribe(service.client, consumerArn, controller.signal));
        expect(await errorName(second)).toBe("ResourceInUseException");
      } finally {
        controller.abort();
      }
    },
  },
];
