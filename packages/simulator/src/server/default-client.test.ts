import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { KinesisSimulator } from "../simulator.ts";

// A process of its own: which authorities it trusts is read once, at its start.
const program = `
  import { KinesisClient, ListShardsCommand, SubscribeToShardCommand, RegisterStreamConsumerCommand,
    DescribeStreamConsumerCommand, PutRecordCommand } from "@aws-sdk/client-kinesis";
  const client = new KinesisClient({ endpoint: process.argv[1] });
  const StreamARN = process.argv[2];
  const { Consumer } = await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: process.argv[3] }));
  const { ConsumerARN } = Consumer;
  for (let status = Consumer.ConsumerStatus; status !== "ACTIVE"; ) {
    const described = await client.send(new DescribeStreamConsumerCommand({ ConsumerARN }));
    status = described.ConsumerDescription.ConsumerStatus;
  }
  const { Shards } = await client.send(new ListShardsCommand({ StreamARN }));
  await client.send(new PutRecordCommand({ StreamARN, Data: Buffer.from("hello"), PartitionKey: "k" }));
  const { EventStream } = await client.send(new SubscribeToShardCommand({ ConsumerARN, ShardId: Shards[0].ShardId,
    StartingPosition: { Type: "TRIM_HORIZON" } }));
  for await (const { SubscribeToShardEvent: event } of EventStream) {
    if (event.Records.length === 0) continue;
    console.log(Buffer.from(event.Records[0].Data).toString());
    break;
  }
  process.exit(0);
`;

test("a client with default settings works over TLS and over plain HTTP, fan-out included", async () => {
  const simulator = await KinesisSimulator.listen({ transitionMs: 0 });
  const folder = mkdtempSync(join(tmpdir(), "millrace-ca-"));
  try {
    const { streamArn } = simulator.createStream({ streamName: "clicks" });
    const authority = join(folder, "ca.pem");
    writeFileSync(authority, simulator.caCertificate);
    const env = {
      ...process.env,
      NODE_EXTRA_CA_CERTS: authority,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "any",
      AWS_SECRET_ACCESS_KEY: "any",
    };
    for (const [name, endpoint] of [
      ["tls", simulator.tlsEndpoint],
      ["plain", simulator.endpoint],
    ] as const) {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--input-type=module", "-e", program, endpoint, streamArn, name],
        { env, cwd: import.meta.dirname, timeout: 15_000 },
      );
      expect(stdout).toBe("hello\n");
    }
  } finally {
    rmSync(folder, { recursive: true });
    await simulator.close();
  }
});
