import { KinesisClient, ResourceNotFoundException } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { kinesisFromClient } from "./aws-adapter.ts";
import { FastPutRecordsCommand } from "./commands.ts";
import { encodeCbor, type CborValue } from "./cbor-write.ts";
import { decodeCbor } from "./wire-cbor.ts";

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly body: string | Buffer;
}

const jsonType = "application/x-amz-json-1.1";
const cborType = "application/x-amz-cbor-1.1";
const stored = { FailedRecordCount: 0, Records: [{ ShardId: "shardId-000000000000", SequenceNumber: "7" }] };
const request = {
  streamName: "clicks",
  records: [{ data: Buffer.from("hi"), partitionKey: "k", explicitHashKey: "5" }],
};

const quiet = () => {};
const cborReply = (status: number, body: CborValue): Reply => ({ status, type: cborType, body: encodeCbor(body) });

const calls: Call[] = [];
let reply: (call: Call) => Reply = () => ({ body: JSON.stringify(stored) });
const server = createServer((incoming, response) => {
  const parts: Buffer[] = [];
  incoming.on("data", (part: Buffer) => parts.push(part));
  incoming.on("end", () => {
    const call = { headers: incoming.headers, body: Buffer.concat(parts) };
    calls.push(call);
    const { status = 200, type = jsonType, headers = {}, body } = reply(call);
    response.writeHead(status, { "content-type": type, "x-amzn-requestid": "id-1", ...headers }).end(body);
  });
});
const clients: KinesisClient[] = [];

function openClient(config: object = {}): KinesisClient {
  const { port } = server.address() as AddressInfo;
  const client = new KinesisClient({
    region: "eu-west-1",
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    requestHandler: new NodeHttpHandler(),
    ...config,
  });
  clients.push(client);
  return client;
}

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterEach(() => {
  calls.length = 0;
  reply = () => ({ body: JSON.stringify(stored) });
});
afterAll(() => {
  for (const client of clients) client.destroy();
  server.close();
});

describe("PutRecords with our body", () => {
  it("sends and reads JSON inside the SDK's own stack", async () => {
    const answer = await kinesisFromClient(openClient()).putRecords(request);
    expect(answer).toMatchObject({ ok: true, value: { records: [{ ok: true, sequenceNumber: "7" }] } });
    const [call] = calls;
    expect(call?.headers).toMatchObject({
      "content-type": jsonType,
      "x-amz-target": "Kinesis_20131202.PutRecords",
      "content-length": String(call?.body.length),
    });
    expect(call?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=test\/.*content-length;content-type;host/,
    );
    expect(JSON.parse(String(call?.body))).toEqual({
      StreamName: "clicks",
      Records: [{ Data: "aGk=", PartitionKey: "k", ExplicitHashKey: "5" }],
    });
  });

  it("gives the SDK's output with its metadata", async () => {
    const output = await openClient().send(new FastPutRecordsCommand({ StreamName: "clicks", Records: [] }, "json"));
    expect(output).toMatchObject({ ...stored, $metadata: { httpStatusCode: 200, requestId: "id-1" } });
  });

  it("throws the SDK's error classes", async () => {
    reply = () => ({
      status: 400,
      body: JSON.stringify({ __type: "ResourceNotFoundException", message: "no stream" }),
    });
    const sent = openClient({ maxAttempts: 1 }).send(
      new FastPutRecordsCommand({ StreamName: "x", Records: [] }, "json"),
    );
    const error = await sent.catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ResourceNotFoundException);
    expect(error).toMatchObject({ message: "no stream", $metadata: { httpStatusCode: 400, requestId: "id-1" } });
  });

  it("reports an answer that is not JSON as a failure, not as stored", async () => {
    reply = () => ({ body: "<html>sign in to the network</html>", type: "text/html" });
    expect(await kinesisFromClient(openClient()).putRecords(request)).toMatchObject({ ok: false });
  });

  it("lets the user's middleware see the whole input, and change the request", async () => {
    const client = openClient();
    const seen: unknown[] = [];
    client.middlewareStack.add(
      (next) => (args) => {
        seen.push((args.input as { Records: unknown[] }).Records.length);
        return next(args);
      },
      { step: "initialize" },
    );
    client.middlewareStack.add(
      (next) => (args) => {
        seen.push((args.input as { Records: unknown[] }).Records.length);
        (args.request as { headers: Record<string, string> }).headers["x-trace"] = "t-1";
        return next(args);
      },
      { step: "build" },
    );
    await kinesisFromClient(client).putRecords(request);
    expect(seen).toEqual([1, 1]);
    expect(calls[0]?.headers["x-trace"]).toBe("t-1");
  });

  it("keeps the SDK's clock-skew correction: the second request is signed with the service's time", async () => {
    const hourAhead = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000);
    reply = () => ({ headers: { date: hourAhead.toUTCString() }, body: JSON.stringify(stored) });
    const kinesis = kinesisFromClient(openClient());
    await kinesis.putRecords(request);
    await kinesis.putRecords(request);
    const signedAt = calls.map((call) => String(call.headers["x-amz-date"]).slice(0, 11));
    expect(signedAt[1]).toBe(hourAhead.toISOString().replaceAll(/[-:]/g, "").slice(0, 11));
    expect(signedAt[0]).not.toBe(signedAt[1]);
  });

  it("hands its input to a logger that was set", async () => {
    const inputs: unknown[] = [];
    const logger = {
      trace: quiet,
      debug: quiet,
      warn: quiet,
      error: quiet,
      info: (line: unknown) => inputs.push(line),
    };
    await kinesisFromClient(openClient({ logger })).putRecords(request);
    expect(inputs).toMatchObject([{ input: { StreamName: "clicks" } }]);
  });
});

describe("CBOR", () => {
  it("is tried once with ListShards, then used", async () => {
    reply = (call) =>
      call.headers["x-amz-target"] === "Kinesis_20131202.ListShards"
        ? cborReply(200, { Shards: [] })
        : cborReply(200, stored);
    const kinesis = kinesisFromClient(openClient(), { wireFormat: "cbor" });
    for (let count = 0; count < 2; count++) {
      const answer = await kinesis.putRecords(request);
      expect(answer).toMatchObject({ ok: true, value: { records: [{ ok: true, sequenceNumber: "7" }] } });
    }
    expect(calls.map((call) => call.headers["content-type"])).toEqual([cborType, cborType, cborType]);
    expect(decodeCbor(calls[0]?.body ?? Buffer.alloc(0))).toEqual({ StreamName: "clicks", MaxResults: 1 });
    expect(decodeCbor(calls[1]?.body ?? Buffer.alloc(0))).toEqual({
      StreamName: "clicks",
      Records: [{ Data: Buffer.from("hi"), PartitionKey: "k", ExplicitHashKey: "5" }],
    });
  });

  it.each([
    { status: 415, body: "{}" },
    { status: 400, body: '{"__type":"SerializationException"}' },
  ])("gives way to JSON where the service does not take it: $body", async (refusal) => {
    reply = (call) => (call.headers["content-type"] === cborType ? refusal : { body: JSON.stringify(stored) });
    const kinesis = kinesisFromClient(openClient(), { wireFormat: "cbor" });
    await kinesis.putRecords(request);
    expect(await kinesis.putRecords(request)).toMatchObject({ ok: true });
    expect(calls.map((call) => call.headers["content-type"])).toEqual([cborType, jsonType, jsonType]);
  });

  it("gives the error's own name from a CBOR answer", async () => {
    reply = () => cborReply(400, { __type: "AccessDeniedException", message: "not yours" });
    const answer = await kinesisFromClient(openClient(), { wireFormat: "cbor" }).putRecords(request);
    expect(answer).toMatchObject({ ok: false, error: { code: "AccessDeniedException", kind: "permanent" } });
  });

  it("reads GetRecords with times in milliseconds", async () => {
    const time = Buffer.concat([Buffer.from("c1", "hex"), encodeCbor(1_700_000_000_123)]);
    const body = Buffer.concat([
      Buffer.from("a1", "hex"),
      encodeCbor("Records"),
      Buffer.from("81a2", "hex"),
      encodeCbor("Data"),
      encodeCbor(Buffer.from("hi")),
      encodeCbor("ApproximateArrivalTimestamp"),
      time,
    ]);
    reply = (call) =>
      String(call.headers["x-amz-target"]).endsWith("GetRecords") ? { type: cborType, body } : cborReply(200, stored);
    const kinesis = kinesisFromClient(openClient(), { wireFormat: "cbor" });
    await kinesis.putRecords(request);
    expect(await kinesis.getRecords({ shardIterator: "i" })).toMatchObject({
      ok: true,
      value: { records: [{ data: Buffer.from("hi"), approximateArrivalTimestamp: new Date(1_700_000_000_123) }] },
    });
  });
});

function answerWith(text: string): string {
  return JSON.stringify({ Records: [{ Data: Buffer.from(text).toString("base64"), SequenceNumber: "1" }] });
}

describe("GetRecords in JSON", () => {
  it("leaves what was read before alone when the next answer takes its memory", async () => {
    const kinesis = kinesisFromClient(openClient());
    const texts = ["first", "other", "third"];
    const read: Uint8Array[] = [];
    for (const text of texts) {
      reply = () => ({ body: answerWith(text) });
      const got = await kinesis.getRecords({ shardIterator: "i" });
      if (got.ok) read.push(...got.value.records.map(({ data }) => data));
    }
    expect(read.map((data) => Buffer.from(data).toString())).toEqual(texts);
  });

  it("is a failure that passes when the answer is cut off or is no JSON", async () => {
    const kinesis = kinesisFromClient(openClient());
    const body = answerWith("cut");
    for (const broken of [
      { body: body.slice(0, 20) },
      { body: "<html>" },
      { body, headers: { "content-length": String(body.length + 5), connection: "close" } },
    ]) {
      reply = () => broken;
      const got = await kinesis.getRecords({ shardIterator: "i" });
      expect(got).toMatchObject({ ok: false, error: { kind: "transient" } });
    }
  });
});
