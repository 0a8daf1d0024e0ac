import { deaggregate } from "@millrace/aggregation";
import { KinesisSimulator } from "@millrace/simulator";
import { GetRecordsCommand, GetShardIteratorCommand } from "@aws-sdk/client-kinesis";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { expect, onTestFinished, test, vi } from "vitest";

test("orders are stored when the function answers, and a failure is not hidden", async () => {
  const simulator = await KinesisSimulator.listen();
  onTestFinished(() => simulator.close());
  simulator.createStream({ streamName: "orders", shardCount: 1 });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "example");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "example");
  vi.stubEnv("AWS_ENDPOINT_URL_KINESIS", simulator.endpoint);
  onTestFinished(() => void vi.unstubAllEnvs());
  // Loaded now, as Lambda does: its producer reads the environment.
  const { handler } = await import("./lambda-producer.ts");

  const orders = [
    { customer: "ann", cents: 100 },
    { customer: "bob", cents: 250 },
  ];
  const answer = await handler({ body: JSON.stringify(orders) } as APIGatewayProxyEventV2);
  expect(answer).toEqual({ statusCode: 200, body: '{"stored":2}' });

  const client = simulator.client();
  const iterator = {
    StreamName: "orders",
    ShardId: "shardId-000000000000",
    ShardIteratorType: "TRIM_HORIZON",
  } as const;
  const { ShardIterator } = await client.send(new GetShardIteratorCommand(iterator));
  const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
  // Both travelled in one Kinesis record.
  expect(Records).toHaveLength(1);
  const stored = Records.flatMap(({ Data, SequenceNumber }) => deaggregate({ Data, SequenceNumber }));
  expect(stored.map(({ data }): unknown => JSON.parse(Buffer.from(data).toString()))).toEqual(orders);

  await expect(handler({ body: '[{"customer":""}]' } as APIGatewayProxyEventV2)).rejects.toThrow("partitionKey");
});
