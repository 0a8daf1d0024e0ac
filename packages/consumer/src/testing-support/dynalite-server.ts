/**
 * Adapter. A DynamoDB for one test file: dynalite on a free port, and clients for it.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createRequire } from "node:module";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** dynalite comes without types. */
const dynalite = createRequire(import.meta.url)("dynalite") as (options: Record<string, number>) => Server;

export interface DynaliteServer {
  readonly client: DynamoDBClient;
  close(): Promise<void>;
}

/** Starts the server. */
export async function startDynalite(): Promise<DynaliteServer> {
  const server = dynalite({ createTableMs: 1, deleteTableMs: 1, updateTableMs: 1 });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  return {
    client,
    async close() {
      client.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
