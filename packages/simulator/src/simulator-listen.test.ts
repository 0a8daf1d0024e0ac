import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttp2Handler } from "@smithy/node-http-handler";
import { expect, test } from "vitest";
import { KinesisSimulator } from "./simulator.ts";

test("an unmodified client writes, looks around and reads through a simulator that listens", async () => {
  const simulator = await KinesisSimulator.listen();
  const client = simulator.client();
  try {
    simulator.createStream({ streamName: "clicks", shardCount: 2 });
    const put = await client.send(
      new PutRecordsCommand({
        StreamName: "clicks",
        Records: [
          { Data: Buffer.from("first"), ExplicitHashKey: "0", PartitionKey: "a" },
          { Data: Buffer.from("second"), ExplicitHashKey: String(2n ** 128n - 1n), PartitionKey: "b" },
        ],
      }),
    );
    expect(put.FailedRecordCount).toBe(0);
    expect(put.Records?.map((entry) => entry.ShardId)).toEqual(["shardId-000000000000", "shardId-000000000001"]);
    const summary = await client.send(new DescribeStreamSummaryCommand({ StreamName: "clicks" }));
    expect(summary.StreamDescriptionSummary).toMatchObject({ StreamStatus: "ACTIVE", OpenShardCount: 2 });
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: "clicks" }));
    const texts = [];
    for (const { ShardId } of Shards) {
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({ StreamName: "clicks", ShardId, ShardIteratorType: "TRIM_HORIZON" }),
      );
      const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
      texts.push(...Records.map((record) => Buffer.from(record.Data ?? []).toString()));
    }
    expect(texts).toEqual(["first", "second"]);
    await client.send(new CreateStreamCommand({ StreamName: "other", ShardCount: 1 }));
    await expect(client.send(new CreateStreamCommand({ StreamName: "other", ShardCount: 1 }))).rejects.toMatchObject({
      name: "ResourceInUseException",
    });
  } finally {
    client.destroy();
    await simulator.close();
  }
});

test("the time of answers and the age of signatures are the service's", async () => {
  const accessKeys = [{ accessKeyId: "AKID", secretAccessKey: "secret" }];
  const simulator = await KinesisSimulator.listen({ accessKeys });
  const client = simulator.client({ credentials: accessKeys[0] as (typeof accessKeys)[0], maxAttempts: 1 });
  try {
    simulator.createStream({ streamName: "clicks" });
    const describe = new DescribeStreamSummaryCommand({ StreamName: "clicks" });
    await client.send(describe);
    simulator.clock.jump(600_000);
    await expect(client.send(describe)).rejects.toMatchObject({ name: "InvalidSignatureException" });
    // The client has taken the service's time from the answer's date.
    expect((await client.send(describe)).StreamDescriptionSummary?.StreamName).toBe("clicks");
    simulator.clock.jump(-1_200_000);
    await expect(client.send(describe)).rejects.toThrow("Signature not yet current");
  } finally {
    client.destroy();
    await simulator.close();
  }
});

test.each([
  ["another key", { accessKeyId: "OTHER", secretAccessKey: "secret" }, "UnrecognizedClientException"],
  ["another secret", { accessKeyId: "AKID", secretAccessKey: "wrong" }, "InvalidSignatureException"],
])("a request signed with %s is refused where keys are configured", async (_what, credentials, name) => {
  const simulator = await KinesisSimulator.listen({
    accessKeys: [{ accessKeyId: "AKID", secretAccessKey: "secret" }],
  });
  const client = simulator.client({ credentials, maxAttempts: 1 });
  try {
    await expect(client.send(new ListShardsCommand({ StreamName: "clicks" }))).rejects.toMatchObject({ name });
  } finally {
    client.destroy();
    await simulator.close();
  }
});

test.each<[string, "endpoint" | "tlsEndpoint", boolean]>([
  ["HTTP/1.1", "endpoint", false],
  ["HTTP/2", "endpoint", true],
  ["HTTP/1.1 over TLS", "tlsEndpoint", false],
])("a signature made for %s is taken where keys are configured", async (_what, endpoint, isHttp2) => {
  const accessKeys = [{ accessKeyId: "AKID", secretAccessKey: "secret" }];
  const simulator = await KinesisSimulator.listen({ accessKeys });
  const client = simulator.client({
    endpoint: simulator[endpoint],
    credentials: { accessKeyId: "AKID", secretAccessKey: "secret", sessionToken: "a session/token=" },
    maxAttempts: 1,
    ...(isHttp2 ? { requestHandler: new NodeHttp2Handler() } : {}),
  });
  try {
    simulator.createStream({ streamName: "clicks" });
    for (const bytes of [0, 10, 200_000]) {
      const put = new PutRecordCommand({ StreamName: "clicks", PartitionKey: "k", Data: new Uint8Array(bytes) });
      expect((await client.send(put)).ShardId).toBe("shardId-000000000000");
    }
  } finally {
    client.destroy();
    await simulator.close();
  }
});

test("a simulator without a server says how to get one", () => {
  expect(() => new KinesisSimulator().endpoint).toThrow("make it with KinesisSimulator.listen()");
});

test("an option that cannot be is refused before a port is opened", async () => {
  await expect(KinesisSimulator.listen({ port: 70_000 })).rejects.toThrow("port: expected an integer from 0 to 65535");
  await expect(KinesisSimulator.listen({ prot: 1 } as never)).rejects.toThrow("Did you mean port?");
  await expect(
    KinesisSimulator.listen({ accessKeys: [{ accessKeyId: "AKID", secret: "hidden" }] as never }),
  ).rejects.toThrow("accessKeys[0]: expected an object with accessKeyId and secretAccessKey");
});
