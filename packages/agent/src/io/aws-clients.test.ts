import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { ListShardsCommand } from "@aws-sdk/client-kinesis";
import { expect, test } from "vitest";
import { parseConfig } from "../config/parse.ts";
import { FirehoseStandIn } from "../testing-support/firehose-stand-in.ts";
import { AwsClients } from "./aws-clients.ts";
import { deliveryPort } from "./firehose-adapter.ts";

test("the client takes endpoint, keys and user agent from the configuration, and keeps its connection", async () => {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { config } = parseConfig({
    "kinesis.endpoint": `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    "kinesis.region": "eu-west-1",
    awsAccessKeyId: "AKIDTEST",
    awsSecretAccessKey: "s",
    userAgent: "our-fleet/7",
    flows: [{ filePattern: "/x", kinesisStream: "s" }],
  });
  const clients = new AwsClients(config);
  const client = clients.kinesis;
  for (let call = 0; call < 2; call++) await client.send(new ListShardsCommand({ StreamName: "s" }));
  clients.destroy();
  server.close();
  expect(requests[0]?.headers["user-agent"]).toContain("our-fleet/7");
  expect(requests[0]?.headers.authorization).toMatch(/AKIDTEST.*eu-west-1/);
  expect(requests[1]?.socket).toBe(requests[0]?.socket);
});

test("an assumed role signs the requests, and is asked for with its external id and the keys of the configuration", async () => {
  const asked: { readonly form: URLSearchParams; readonly authorization: string | undefined }[] = [];
  const sts = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      asked.push({ form, authorization: request.headers.authorization });
      response.setHeader("content-type", "text/xml");
      response.end(assumed(form.get("RoleArn") ?? ""));
    });
  }).listen(0, "127.0.0.1");
  await once(sts, "listening");
  const firehose = await FirehoseStandIn.listen("lake");
  const { config } = parseConfig({
    assumeRoleARN: "arn:aws:iam::123456789012:role/logs",
    assumeRoleExternalId: "partner-7",
    "sts.endpoint": `http://127.0.0.1:${(sts.address() as AddressInfo).port}`,
    "firehose.endpoint": firehose.endpoint,
    "firehose.region": "eu-west-1",
    awsAccessKeyId: "AKIDBASE",
    awsSecretAccessKey: "s",
    flows: [{ filePattern: "/x", deliveryStream: "lake" }],
  });
  const clients = new AwsClients(config);
  const port = deliveryPort(clients.firehose);
  const { signal } = new AbortController();
  for (let call = 0; call < 2; call++) {
    expect(await port.putRecordBatch("lake", [Buffer.from("x")], { signal })).toEqual({
      ok: true,
      results: [{ ok: true }],
    });
  }
  clients.destroy();
  sts.closeAllConnections();
  sts.close();
  await firehose[Symbol.asyncDispose]();
  expect(asked).toHaveLength(1);
  expect(asked[0]?.authorization).toContain("AKIDBASE");
  expect(Object.fromEntries(asked[0]?.form ?? [])).toMatchObject({
    Action: "AssumeRole",
    RoleArn: "arn:aws:iam::123456789012:role/logs",
    RoleSessionName: "AWSKinesisAgent",
    ExternalId: "partner-7",
    DurationSeconds: "3600",
  });
  expect(firehose.authorizations.every((value) => value?.includes("ASIAROLE"))).toBe(true);
  expect(firehose.tokens).toEqual(["session-token", "session-token"]);
});

test("the region of an endpoint is that of its name", async () => {
  const { config } = parseConfig({
    "firehose.endpoint": "firehose.eu-central-1.amazonaws.com",
    "kinesis.endpoint": "kinesis.us-gov-west-1.amazonaws.com",
    flows: [{ filePattern: "/x", deliveryStream: "lake" }],
  });
  const clients = new AwsClients(config);
  expect(await clients.firehose.config.region()).toBe("eu-central-1");
  expect(await clients.kinesis.config.region()).toBe("us-gov-west-1");
  clients.destroy();
});

function assumed(roleArn: string): string {
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
    <Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
    <SessionToken>session-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
    <AssumedRoleUser><AssumedRoleId>A:AWSKinesisAgent</AssumedRoleId><Arn>${roleArn}</Arn></AssumedRoleUser>
    </AssumeRoleResult></AssumeRoleResponse>`;
}
