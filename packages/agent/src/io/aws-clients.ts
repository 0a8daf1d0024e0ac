/**
 * Adapter. The AWS clients that agent.json describes, and as whom they send.
 */
import { FirehoseClient } from "@aws-sdk/client-firehose";
import type { KinesisClient, KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { createKinesisClient } from "@millrace/core/aws";
import type { AgentConfig } from "../config/schema.ts";

/** Name of the session of an assumed role: the Kinesis Agent's, so that policies which name it go on to hold. */
const roleSessionName = "AWSKinesisAgent";
/** Source: the Kinesis Agent's documentation; STS gives roles an hour unless they allow more. */
const roleSessionSeconds = 3600;

/** Clients that are made when the first flow asks for one. */
export class AwsClients {
  readonly #config: AgentConfig;
  #credentials: KinesisClientConfig["credentials"];
  #kinesis: KinesisClient | undefined;
  #firehose: FirehoseClient | undefined;

  constructor(config: AgentConfig) {
    this.#config = config;
    this.#credentials = credentialsOf(config);
  }

  get kinesis(): KinesisClient {
    const config = this.#config;
    const endpoint = config["kinesis.endpoint"];
    this.#kinesis ??= createKinesisClient({
      region: config["kinesis.region"] ?? regionIn(endpoint),
      endpoint: endpointUrl(endpoint),
      credentials: this.#credentials,
      maxConnections: config.maxConnections,
      connectTimeoutMs: config.connectionTimeoutMillis,
      userAgent: config.userAgent,
    });
    return this.#kinesis;
  }

  get firehose(): FirehoseClient {
    const config = this.#config;
    const url = endpointUrl(config["firehose.endpoint"]);
    const region = config["firehose.region"] ?? regionIn(config["firehose.endpoint"]);
    const agent = { keepAlive: true, maxSockets: config.maxConnections };
    this.#firehose ??= new FirehoseClient({
      ...(region === undefined ? {} : { region }),
      ...(url === undefined ? {} : { endpoint: url }),
      ...(this.#credentials === undefined ? {} : { credentials: this.#credentials }),
      ...(config.userAgent === undefined ? {} : { customUserAgent: config.userAgent }),
      // What fails is sent again by the flow, in file order.
      maxAttempts: 1,
      requestHandler: { connectionTimeout: config.connectionTimeoutMillis, httpAgent: agent, httpsAgent: agent },
    });
    return this.#firehose;
  }

  destroy(): void {
    this.#kinesis?.destroy();
    this.#firehose?.destroy();
  }
}

/** Keys, the role that is assumed with them, or nothing where the SDK's own chain decides. */
function credentialsOf(config: AgentConfig): KinesisClientConfig["credentials"] {
  const { assumeRoleARN, assumeRoleExternalId, awsAccessKeyId: accessKeyId, awsSecretAccessKey } = config;
  const keys =
    accessKeyId === undefined || awsSecretAccessKey === undefined
      ? undefined
      : { accessKeyId, secretAccessKey: awsSecretAccessKey };
  if (assumeRoleARN === undefined) return keys;
  const endpoint = endpointUrl(config["sts.endpoint"]);
  const region = regionIn(config["sts.endpoint"]) ?? config["kinesis.region"] ?? config["firehose.region"];
  return fromTemporaryCredentials({
    ...(keys === undefined ? {} : { masterCredentials: keys }),
    params: {
      RoleArn: assumeRoleARN,
      RoleSessionName: roleSessionName,
      DurationSeconds: roleSessionSeconds,
      ...(assumeRoleExternalId === undefined ? {} : { ExternalId: assumeRoleExternalId }),
    },
    clientConfig: { ...(endpoint === undefined ? {} : { endpoint }), ...(region === undefined ? {} : { region }) },
  });
}

/** The Kinesis Agent takes host names. */
function endpointUrl(endpoint: string | undefined): string | undefined {
  return endpoint === undefined || /^https?:\/\//.test(endpoint) ? endpoint : `https://${endpoint}`;
}

/** The region that an endpoint names: `firehose.eu-west-1.amazonaws.com`. */
function regionIn(endpoint: string | undefined): string | undefined {
  return /\.([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(endpoint ?? "")?.[1];
}
