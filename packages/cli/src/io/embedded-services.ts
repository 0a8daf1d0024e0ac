/**
 * Adapter. Kinesis and DynamoDB in this process, on loopback, with the clients that reach them.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { KinesisSimulator } from "@millrace/simulator";
import dynalite from "dynalite";
import type { AddressInfo } from "node:net";

/** Records that every worker has read need not be kept; the workers are never this far behind. */
const maxStoredBytes = 40 * 1024 * 1024;

export interface EmbeddedServices {
  readonly simulator: KinesisSimulator;
  readonly kinesis: KinesisClient;
  readonly dynamodb: DynamoDBClient;
  close(): Promise<void>;
}

/** Both services with nothing in them, on ports of the system's choice. */
export async function startEmbeddedServices(): Promise<EmbeddedServices> {
  const simulator = await KinesisSimulator.listen({ maxStoredBytes });
  const tables = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve, reject) => {
    tables.once("error", reject);
    tables.listen(0, "127.0.0.1", resolve);
  });
  const kinesis = simulator.client();
  const dynamodb = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${(tables.address() as AddressInfo).port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "embedded", secretAccessKey: "embedded" },
  });
  return {
    simulator,
    kinesis,
    dynamodb,
    async close() {
      kinesis.destroy();
      dynamodb.destroy();
      tables.closeAllConnections();
      await new Promise((resolve) => tables.close(resolve));
      await simulator.close();
    },
  };
}
