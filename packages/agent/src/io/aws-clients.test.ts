import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { ListShardsCommand } from "@aws-sdk/client-kinesis";
import { expect, test } from "vitest";
import { parseConfig } from "../config/parse.ts";
import { clientFromConfig } from "./stream-destination.ts";

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
  const client = clientFromConfig(config);
  for (let call = 0; call < 2; call++) await client.send(new ListShardsCommand({ StreamName: "s" }));
  client.destroy();
  server.close();
  expect(requests[0]?.headers["user-agent"]).toContain("our-fleet/7");
  expect(requests[0]?.headers.authorization).toMatch(/AKIDTEST.*eu-west-1/);
  expect(requests[1]?.socket).toBe(requests[0]?.socket);
});
