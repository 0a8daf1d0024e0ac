/**
 * Adapter. A `KinesisClient` for a simulator, as a test wants it: no set-up, connections kept open.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import type { KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** Credentials that a simulator without `accessKeys` takes. */
export const anyCredentials = { accessKeyId: "simulator", secretAccessKey: "simulator" };

/** A client of the simulator at `endpoint` over HTTP/1.1 with keep-alive; `config` overrides. The caller destroys it. */
export function createSimulatorClient(
  server: { readonly endpoint: string; readonly caCertificate: string },
  config: KinesisClientConfig = {},
): KinesisClient {
  return new KinesisClient({
    endpoint: server.endpoint,
    region: "us-east-1",
    credentials: anyCredentials,
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: 50 }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: 50, ca: server.caCertificate }),
    }),
    ...config,
  });
}
