import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { realSystem } from "@millrace/core/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { closeBenches, createBench } from "../testing-support/agent-bench.ts";
import { ManualSystem } from "../testing-support/manual-system.ts";
import { InstanceMetadata } from "./instance-metadata.ts";

const document = {
  privateIp: "10.0.0.7",
  availabilityZone: "eu-west-1a",
  instanceId: "i-1",
  instanceType: "m8g.large",
  accountId: "123456789012",
  imageId: "ami-1",
  region: "eu-west-1",
  kernelId: null,
};

let server: Server;
const calls: string[] = [];

/** The metadata service of an instance: tokens are needed; a path of its answers, or 404. */
function service(answers: Readonly<Record<string, string>>): RequestListener {
  return (request, response) => {
    const path = `${request.method} ${request.url}`;
    calls.push(path);
    if (path === "PUT /latest/api/token") {
      response.end(request.headers["x-aws-ec2-metadata-token-ttl-seconds"] === undefined ? "" : "token-1");
      return;
    }
    const body = request.headers["x-aws-ec2-metadata-token"] === "token-1" ? answers[path] : undefined;
    response.statusCode = body === undefined ? 404 : 200;
    response.end(body);
  };
}

async function listen(answer: RequestListener): Promise<void> {
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", `http://127.0.0.1:${port}`);
}

beforeEach(() => {
  calls.length = 0;
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await closeBenches();
  server.closeAllConnections();
  server.close();
});

const identity = { "GET /latest/dynamic/instance-identity/document": JSON.stringify(document) };

test("ADDEC2METADATA adds what the host is, with its tags, and asks for it once", async () => {
  await listen(
    service({
      ...identity,
      "GET /latest/meta-data/tags/instance": "Team\ncost centre",
      "GET /latest/meta-data/tags/instance/Team": "shop",
      "GET /latest/meta-data/tags/instance/cost%20centre": "7",
    }),
  );
  const place = createBench("*.log", {
    dataProcessingOptions: [{ optionName: "ADDEC2METADATA", logFormat: "RFC3339SYSLOG" }],
  });
  place.write("app.log", '{"a":1,"region":"mine"}\nno json\n');
  place.start();
  await place.catchUp();
  place.append("app.log", '{"b":2}\n');
  await place.catchUp();
  const [first, second, third] = place.lines;
  expect(JSON.parse(first ?? "")).toEqual({
    a: 1,
    privateIp: "10.0.0.7",
    availabilityZone: "eu-west-1a",
    instanceId: "i-1",
    instanceType: "m8g.large",
    accountId: "123456789012",
    amiId: "ami-1",
    region: "eu-west-1",
    metadataTimestamp: "2023-11-14T22:13:20+0000",
    tags: { team: "shop", "cost centre": "7" },
  });
  expect(second).toBe("no json\n");
  expect(JSON.parse(third ?? "")).toMatchObject({ b: 2, instanceId: "i-1" });
  expect(calls.filter((call) => call.startsWith("PUT"))).toHaveLength(1);
});

test("an instance that keeps its tags to itself is known without them; what is old is asked for again", async () => {
  await listen(service(identity));
  const system = new ManualSystem(() => realSystem.breathe());
  const metadata = new InstanceMetadata(system, () => undefined);
  const fields = await metadata.get(5_000);
  expect(fields).toMatchObject({ instanceId: "i-1" });
  expect(fields).not.toHaveProperty("tags");
  system.advance(4_999);
  await metadata.get(5_000);
  expect(calls).toHaveLength(3);
  system.advance(1);
  await Promise.all([metadata.get(5_000), metadata.get(5_000)]);
  expect(calls).toHaveLength(6);
});

test("where nobody answers, a second is waited for, it is said once, and records pass as they are", async () => {
  await listen(() => undefined);
  const place = createBench("*.log", { dataProcessingOptions: [{ optionName: "ADDEC2METADATA" }] });
  place.write("app.log", '{"a":1}\n');
  place.start();
  while (place.lines.length === 0) {
    place.system.advance(100);
    await place.system.breathe();
  }
  place.append("app.log", '{"b":2}\n');
  await place.catchUp();
  expect(place.lines).toEqual(['{"a":1}\n', '{"b":2}\n']);
  expect(place.events.filter((event) => event.type === "instance-metadata-missing")).toEqual([
    { type: "instance-metadata-missing", error: expect.stringContaining("within 1000 ms") },
  ]);
});

test("what was known stays known while the service fails, which is asked again after a minute", async () => {
  let isUp = true;
  const answer = service(identity);
  await listen((request, response) => {
    if (isUp) answer(request, response);
    else response.destroy();
  });
  const system = new ManualSystem(() => realSystem.breathe());
  const missing: string[] = [];
  const metadata = new InstanceMetadata(system, (error) => missing.push(error));
  await metadata.get(100_000);
  isUp = false;
  system.advance(100_000);
  for (let round = 0; round < 3; round++) expect(await metadata.get(100_000)).toMatchObject({ instanceId: "i-1" });
  expect(missing).toHaveLength(1);
  isUp = true;
  system.advance(60_000);
  await metadata.get(100_000);
  expect(calls).toHaveLength(6);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  expect(await new InstanceMetadata(system, (error) => missing.push(error)).get(1)).toBeUndefined();
  expect(missing.at(-1)).toContain("AWS_EC2_METADATA_DISABLED");
});
