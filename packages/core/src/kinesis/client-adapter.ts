/**
 * Adapter. A `KinesisClient` for where the user gave none: connections are kept, and the SDK does not retry.
 */
import { KinesisClient, type KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

/** What to make a client from when the user gave none. */
export interface KinesisClientOptions {
  /** Where the stream lives; without it the SDK's own chain decides (environment, profile). */
  readonly region?: string | undefined;
  /** Sockets to the service. @default 24. Source: KPL, MaxConnections. */
  readonly maxConnections?: number | undefined;
  /** URL of the service. @default the region's own. */
  readonly endpoint?: string | undefined;
  /** Keys to sign with, or a provider of them. @default the SDK's own chain. */
  readonly credentials?: KinesisClientConfig["credentials"] | undefined;
  /** How long a connection may take to be made, in milliseconds. @default 6000. Source: KPL, ConnectTimeout. */
  readonly connectTimeoutMs?: number | undefined;
  /** Added to the user agent that the SDK sends. */
  readonly userAgent?: string | undefined;
}

/**
 * A client with HTTP/1.1 keep-alive and without SDK retries. The SDK's own default for Kinesis opens a connection for
 * every request; reading the region and credentials is left to the SDK's chain, at the first call.
 */
export function createKinesisClient(options: KinesisClientOptions = {}): KinesisClient {
  const { connectTimeoutMs, credentials, endpoint, maxConnections, region, userAgent } = options;
  const agent = { keepAlive: true, maxSockets: maxConnections ?? 24 };
  return new KinesisClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(userAgent === undefined ? {} : { customUserAgent: userAgent }),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
      // The whole call's deadline is its caller's, by signal.
      connectionTimeout: connectTimeoutMs ?? 6000,
    }),
  });
}
