import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import {
  DescribeStreamCommand,
  ListStreamsCommand,
  PutRecordsCommand,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";
import type { KinesisClient, KinesisServiceException, SubscribeToShardCommandOutput } from "@aws-sdk/client-kinesis";
import { NodeHttp2Handler } from "@smithy/node-http-handler";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ServiceError, WireFault } from "../service-error.ts";
import type { CallContext, ServiceOutput, SubscriptionFrame } from "../service-port.ts";
import { readCbor } from "./cbor-read.ts";
import { writeCbor } from "./cbor-write.ts";
import { createSimulatorClient } from "./client.ts";
import { startServer } from "./start-server.ts";
import type { WireServer } from "./start-server.ts";

// The wire alone: what the service would do is the test's to say.
type Execute = (action: string, input: Record<string, unknown>, context?: CallContext) => Promise<ServiceOutput>;
let execute: Execute;
let server: WireServer;

beforeAll(async () => {
  server = await startServer({ execute: (action, input, context) => execute(action, input, context) });
});

afterAll(() => server.close());

const plainClient = () => createSimulatorClient(server, { maxAttempts: 1 });
const clients: [string, () => KinesisClient][] = [
  ["HTTP/1.1", plainClient],
  // What `new KinesisClient({ endpoint })` uses: HTTP/2 with prior knowledge on a plain endpoint.
  [
    "the SDK's default handler",
    () => createSimulatorClient(server, { maxAttempts: 1, requestHandler: new NodeHttp2Handler() }),
  ],
  ["HTTP/1.1 over TLS", () => createSimulatorClient({ ...server, endpoint: server.tlsEndpoint }, { maxAttempts: 1 })],
  [
    "HTTP/2 over TLS",
    () =>
      createSimulatorClient(
        { ...server, endpoint: server.tlsEndpoint },
        {
          maxAttempts: 1,
          requestHandler: new NodeHttp2Handler({ nodeHttp2ConnectOptions: { ca: server.caCertificate } }),
        },
      ),
  ],
];

describe.each(clients)("over %s", (_name, create) => {
  let client: KinesisClient;
  beforeEach(() => {
    client = create();
  });
  afterEach(() => client.destroy());

  test("a call brings its input and gets its output", async () => {
    let seen: unknown;
    execute = async (action, input) => {
      seen = { action, input };
      return { FailedRecordCount: 0, Records: [{ SequenceNumber: "7", ShardId: "shardId-000000000000" }] };
    };
    const data = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    const output = await client.send(
      new PutRecordsCommand({ StreamName: "clicks", Records: [{ Data: data, PartitionKey: "k\u{1f600}" }] }),
    );
    expect(seen).toEqual({
      action: "PutRecords",
      input: { StreamName: "clicks", Records: [{ Data: Buffer.from(data), PartitionKey: "k\u{1f600}" }] },
    });
    expect(output.Records).toEqual([{ SequenceNumber: "7", ShardId: "shardId-000000000000" }]);
    expect(output.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("a service error keeps its name, message and status", async () => {
    execute = async () => {
      throw new ServiceError("ResourceNotFoundException", "Stream clicks is not here.");
    };
    await expect(client.send(new DescribeStreamCommand({ StreamName: "clicks" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Stream clicks is not here.",
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("a subscription's events come as they are made, and its failure by name", async () => {
    const record = {
      Data: Buffer.from("abc"),
      SequenceNumber: "5",
      PartitionKey: "k",
      ApproximateArrivalTimestamp: new Date(1_700_000_000_123),
    };
    execute = async () => ({
      EventStream: events(
        { SubscribeToShardEvent: { Records: [record], ContinuationSequenceNumber: "5", MillisBehindLatest: 0 } },
        { exception: new ServiceError("ResourceInUseException", "Taken over.") },
      ),
    });
    const stream = await subscribe(client);
    const first = await stream.next();
    expect(first.value?.SubscribeToShardEvent).toEqual({
      Records: [{ ...record, Data: new Uint8Array(record.Data) }],
      ContinuationSequenceNumber: "5",
      MillisBehindLatest: 0,
    });
    await expect(stream.next()).rejects.toMatchObject({ name: "ResourceInUseException", message: "Taken over." });
  });

  test("a caller that leaves a subscription ends it at the service", async () => {
    const ended = deferred();
    execute = async () => ({ EventStream: untilReturned(ended) });
    const controller = new AbortController();
    const stream = await subscribe(client, controller.signal);
    await stream.next();
    controller.abort();
    await expect(ended.promise).resolves.toBeUndefined();
  });

  test("a broken connection is an error of the system, not of the service", async () => {
    execute = async () => {
      throw new WireFault({ kind: "reset", tookEffect: false });
    };
    const error: unknown = await client.send(new ListStreamsCommand({})).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect((error as KinesisServiceException).$metadata.httpStatusCode).toBeUndefined();
  });

  test("a proxy's answer arrives as it is", async () => {
    execute = async () => {
      throw new WireFault({ kind: "raw-body", tookEffect: false, statusCode: 502, body: "<html>Bad Gateway</html>" });
    };
    await expect(client.send(new ListStreamsCommand({}))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 502 },
    });
  });

  test("an event stream that breaks off does not end well", async () => {
    execute = async () => ({
      EventStream: (async function* (): AsyncGenerator<SubscriptionFrame> {
        yield { SubscribeToShardEvent: { Records: [], ContinuationSequenceNumber: "5", MillisBehindLatest: 0 } };
        throw new WireFault({ kind: "truncate", tookEffect: true });
      })(),
    });
    const stream = await subscribe(client);
    await stream.next();
    await expect(stream.next()).rejects.toBeInstanceOf(Error);
  });
});

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** A promise for the test to resolve. */
function deferred(): Deferred {
  const resolvers: (() => void)[] = [];
  const promise = new Promise<void>((done) => {
    resolvers.push(done);
  });
  return { promise, resolve: () => resolvers[0]?.() };
}

/** Starts a subscription and gives its events. */
async function subscribe(client: KinesisClient, abortSignal?: AbortSignal) {
  const output: SubscribeToShardCommandOutput = await client.send(
    new SubscribeToShardCommand({ ConsumerARN: "arn", ShardId: "s", StartingPosition: { Type: "LATEST" } }),
    abortSignal === undefined ? {} : { abortSignal },
  );
  if (output.EventStream === undefined) throw new Error("no event stream");
  return output.EventStream[Symbol.asyncIterator]();
}

async function* events(...frames: SubscriptionFrame[]): AsyncGenerator<SubscriptionFrame> {
  yield* frames;
}

/** Events without end, and word of when nobody wants them any more. */
async function* untilReturned(ended: Deferred): AsyncGenerator<SubscriptionFrame> {
  const records = [{ Data: Buffer.alloc(100_000), SequenceNumber: "5", PartitionKey: "k" }];
  try {
    for (;;) {
      yield { SubscribeToShardEvent: { Records: records, ContinuationSequenceNumber: "5", MillisBehindLatest: 0 } };
    }
  } finally {
    ended.resolve();
  }
}

interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

const signed = {
  authorization:
    "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=00",
  "x-amz-date": "20260101T000000Z",
};

/** A request made by hand; a header given as undefined is left out. */
function send(headers: Record<string, string | undefined>, body: Uint8Array | string, method = "POST") {
  const all = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "Kinesis_20131202.DescribeLimits",
    ...signed,
    ...headers,
  };
  return new Promise<RawAnswer>((resolve, reject) => {
    const request = httpRequest(`${server.endpoint}/`, {
      method,
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.end(body);
  });
}

async function errorOf(answer: Promise<RawAnswer>): Promise<unknown> {
  const { status, body } = await answer;
  return { status, type: (JSON.parse(body.toString()) as Record<string, unknown>)["__type"] };
}

describe("a request made by hand", () => {
  beforeEach(() => {
    execute = async () => ({});
  });

  test("has an answer with date, request id and length", async () => {
    const { status, headers, body } = await send({}, "{}");
    expect(status).toBe(200);
    expect(headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(Date.parse(String(headers["date"]))).not.toBeNaN();
    expect(headers["content-length"]).toBe("0");
    expect(body.length).toBe(0);
  });

  test.each([
    ["no JSON", "{", "SerializationException"],
    ["an array", "[]", "SerializationException"],
    ["a number", "1", "SerializationException"],
    ["null", "null", "SerializationException"],
    ["nothing", "", "SerializationException"],
  ])("with %s as body is a SerializationException", async (_what, body, type) => {
    expect(await errorOf(send({}, body))).toEqual({ status: 400, type });
  });

  test.each([["Kinesis_20131202.Nothing"], ["Kinesis_20131202"], ["DynamoDB_20120810.GetItem"], ["toString"]])(
    "for %s is an UnknownOperationException",
    async (target) => {
      expect(await errorOf(send({ "x-amz-target": target }, "{}"))).toEqual({
        status: 400,
        type: "UnknownOperationException",
      });
    },
  );

  test("of another method or content type is answered by the front, in XML", async () => {
    expect((await send({}, "", "GET")).status).toBe(403);
    const foreign = await send({ "content-type": "text/plain" }, "{}");
    expect([foreign.status, foreign.body.toString()]).toEqual([404, "<UnknownOperationException/>\n"]);
    expect((await send({ "content-type": "text/plain", "x-amz-target": undefined }, "{}")).status).toBe(403);
  });

  test.each([
    ["no signature", { authorization: undefined }, "MissingAuthenticationTokenException"],
    ["half a signature", { authorization: "AWS4-HMAC-SHA256 Credential=a" }, "IncompleteSignatureException"],
    ["no date", { "x-amz-date": undefined }, "IncompleteSignatureException"],
  ])("with %s is refused", async (_what, headers, type) => {
    expect(await errorOf(send(headers, "{}"))).toEqual({ status: 400, type });
  });

  test("in CBOR is answered in CBOR, errors too", async () => {
    const cbor = { "content-type": "application/x-amz-cbor-1.1", "x-amz-target": "Kinesis_20131202.GetShardIterator" };
    const at = new Date(1_700_000_000_123);
    execute = async (_action, input) => ({ Echo: input["Timestamp"], Blob: new Uint8Array([1, 2]) });
    const good = await send(cbor, writeCbor({ StreamName: "s", Timestamp: at }));
    expect(good.headers["content-type"]).toBe("application/x-amz-cbor-1.1");
    const output = readCbor(good.body) as Record<string, unknown>;
    expect(output["Echo"]).toEqual(at);
    expect(Buffer.from(output["Blob"] as Uint8Array)).toEqual(Buffer.from([1, 2]));
    const bad = await send(cbor, "{}");
    expect([bad.status, readCbor(bad.body)]).toMatchObject([400, { __type: "SerializationException" }]);
  });

  test("that meets a defect of the service gets a 500 that says so", async () => {
    execute = async () => {
      throw new TypeError("x is not a function");
    };
    const { status, body } = await send({}, "{}");
    expect(status).toBe(500);
    expect(body.toString()).toContain("Defect of the simulator: TypeError: x is not a function");
  });

  test("that hangs ends when its caller leaves", async () => {
    const aborted = deferred();
    const begun = deferred();
    execute = (_action, _input, context) =>
      new Promise((_, reject) => {
        context?.signal?.addEventListener("abort", () => {
          aborted.resolve();
          reject(new Error("gone"));
        });
        begun.resolve();
      });
    const request = httpRequest(server.endpoint, {
      method: "POST",
      headers: {
        ...signed,
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "Kinesis_20131202.ListStreams",
      },
    });
    request.on("error", () => undefined);
    request.end("{}");
    await begun.promise;
    request.destroy();
    await expect(aborted.promise).resolves.toBeUndefined();
  });
});

describe("bounds", () => {
  test("a body past the bound is refused and the connection's next caller served", async () => {
    const small = await startServer({ execute: async () => ({}) }, { maxBodyBytes: 1024 });
    try {
      const client = createSimulatorClient(small, { maxAttempts: 1 });
      const large = client.send(
        new PutRecordsCommand({ StreamName: "s", Records: [{ Data: new Uint8Array(5000), PartitionKey: "k" }] }),
      );
      await expect(large).rejects.toMatchObject({
        name: "RequestEntityTooLargeException",
        $metadata: { httpStatusCode: 413 },
      });
      await client.send(new ListStreamsCommand({}));
      client.destroy();
    } finally {
      await small.close();
    }
  });

  test("bodies past the bound for all are refused with 503", async () => {
    const busy = await startServer({ execute: async () => ({}) }, { maxBodiesBytes: 1024 });
    try {
      const client = createSimulatorClient(busy, { maxAttempts: 1 });
      const large = client.send(
        new PutRecordsCommand({ StreamName: "s", Records: [{ Data: new Uint8Array(5000), PartitionKey: "k" }] }),
      );
      await expect(large).rejects.toMatchObject({ name: "ServiceUnavailable", $metadata: { httpStatusCode: 503 } });
      // What the refused body held has been given back.
      await client.send(new ListStreamsCommand({}));
      client.destroy();
    } finally {
      await busy.close();
    }
  });

  test("bodies in flight keep apart, whatever they are put together in", async () => {
    // The service sees each input only after more bodies have come in over the same memory.
    const seen: Record<string, unknown>[] = [];
    const waiting: (() => void)[] = [];
    const gathering = await startServer({
      execute: async (_action, input) => {
        seen.push(input);
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length % 3 === 0) for (const go of waiting) go();
        });
        return { FailedRecordCount: 0, Records: [] };
      },
    });
    const client = createSimulatorClient(gathering, { maxAttempts: 1 });
    const sizes = [150_000, 60_000, 300_000, 1_600_000, 90_000, 1_500_000, 2_000_000, 70_000, 110_000];
    const bodies = sizes.map((size, index) => Buffer.alloc(size, index + 1));
    try {
      await Promise.all(
        bodies.map((Data, index) =>
          client.send(new PutRecordsCommand({ StreamName: `s${index}`, Records: [{ Data, PartitionKey: "k" }] })),
        ),
      );
    } finally {
      client.destroy();
      await gathering.close();
    }
    const arrived = seen.map((input) => {
      const [record] = input["Records"] as { Data: Buffer }[];
      return record?.Data.equals(bodies[Number(String(input["StreamName"]).slice(1))] ?? Buffer.alloc(0));
    });
    expect(arrived).toEqual(sizes.map(() => true));
  });

  test.each([
    ["says nothing", ""],
    ["stops in the preface of HTTP/2", "PRI * HT"],
    ["stops in its headers", "POST / HTTP/1.1\r\nhost: x\r\n"],
    ["stops in its body", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"],
    ["stops in its TLS handshake", "\u0016\u0003\u0001"],
  ])("a caller that %s is not waited for", async (_what, bytes) => {
    const hasty = await startServer({ execute: async () => ({}) }, { maxHeadersMs: 100, maxBodyMs: 100 });
    try {
      const socket = connect(hasty.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(Buffer.from(bytes, "latin1"));
      socket.resume();
      const closed = new Promise((resolve) => socket.on("close", resolve));
      await expect(closed).resolves.toBeDefined();
    } finally {
      await hasty.close();
    }
  });

  test("close breaks what is open and may be called twice", async () => {
    const closing = await startServer({ execute: () => new Promise(() => undefined) });
    const client = createSimulatorClient(closing, { maxAttempts: 1 });
    const hanging = client.send(new ListStreamsCommand({}));
    const failure = hanging.catch((reason: unknown) => reason);
    const socket = connect(closing.port, "127.0.0.1");
    await new Promise((resolve) => socket.on("connect", resolve));
    await Promise.all([closing.close(), closing.close()]);
    socket.destroy();
    expect(await failure).toBeInstanceOf(Error);
    client.destroy();
  });
});
