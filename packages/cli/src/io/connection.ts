/**
 * Adapter. How every command reaches AWS: the options for it, and the clients made from them.
 *
 * Credentials come from where every AWS tool finds them (environment, profile, role): they are no options, because a
 * command line is readable by others.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { createKinesisClient } from "@millrace/core/aws";
import type { Command } from "commander";

export interface ConnectionOptions {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly dynamodbEndpoint?: string | undefined;
}

/** Adds the option that says in which Region. */
export function withRegion(command: Command): Command {
  return command.option("--region <name>", "AWS Region (default: what the AWS SDK finds in environment and profile)");
}

/** Adds the option that says where Kinesis is. */
export function withKinesis(command: Command): Command {
  return command.option("--endpoint <url>", "Kinesis elsewhere, as in http://127.0.0.1:4567 of `millrace simulate`");
}

/** Adds the option that says where the lease table is. */
export function withDynamoDb(command: Command): Command {
  return command.option("--dynamodb-endpoint <url>", "DynamoDB elsewhere, for the lease table");
}

/** A client of Kinesis; for its user to destroy. */
export function kinesisClient({ region, endpoint }: ConnectionOptions): KinesisClient {
  return createKinesisClient({ region, endpoint, userAgent: "millrace-cli" });
}

/** A client of DynamoDB; for its user to destroy. */
export function dynamodbClient({ region, dynamodbEndpoint }: ConnectionOptions): DynamoDBClient {
  return new DynamoDBClient({
    ...(region === undefined ? {} : { region }),
    ...(dynamodbEndpoint === undefined ? {} : { endpoint: dynamodbEndpoint }),
    customUserAgent: "millrace-cli",
  });
}

/** A stream as a user names it: by name, or by ARN. */
export function streamRef(stream: string): { readonly streamName: string } | { readonly streamArn: string } {
  return stream.startsWith("arn:") ? { streamArn: stream } : { streamName: stream };
}
