/**
 * Malformed requests against a live server: each gets an answer of the service, none a crash, a defect or silence.
 *
 * MILLRACE_FUZZ_SECONDS says how long, shared by the properties below; 15 by default.
 */
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { ListStreamsCommand } from "@aws-sdk/client-kinesis";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serviceLimits } from "../limits.ts";
import { KinesisSimulator } from "../simulator.ts";
import { readCbor } from "./cbor-read.ts";
import { writeCbor } from "./cbor-write.ts";
import { writeJson } from "./json.ts";
import { actionInputs } from "./shapes.ts";
import type { Shape } from "./shapes.ts";

const totalMs = Number(process.env["MILLRACE_FUZZ_SECONDS"] ?? 15) * 1000;
const properties = 4;
const shareMs = totalMs / properties;
const timeoutMs = totalMs + 60_000;

let simulator: KinesisSimulator;
let agent: Agent;
const known = new Map<string, readonly string[]>();

beforeAll(async () => {
  // Without rates: a refusal for speed would hide what the call behind it does.
  const rates = Object.keys(serviceLimits).filter((name) => /Per(?:Second|Day)$/.test(name));
  simulator = await KinesisSimulator.listen({
    limits: Object.fromEntries(rates.map((name) => [name, false])),
    transitionMs: 0,
    maxBodyBytes: 100_000,
    maxBodyMs: 500,
    maxHeadersMs: 500,
    maxStoredBytes: 16_777_216,
  });
  agent = new Agent({ keepAlive: true });
  const { streamName, streamArn, shardIds } = simulator.createStream({ streamName: "clicks", shardCount: 2 });
  const registered = await simulator.service.execute("RegisterStreamConsumer", {
    StreamARN: streamArn,
    ConsumerName: "reader",
  });
  const { ConsumerARN } = registered["Consumer"] as { ConsumerARN: string };
  const iterator = await simulator.service.execute("GetShardIterator", {
    StreamName: streamName,
    ShardId: shardIds[0],
    ShardIteratorType: "TRIM_HORIZON",
  });
  // Words that lead a request past the first checks, each where it fits.
  known.set("StreamName", [streamName]);
  known.set("StreamARN", [streamArn]);
  known.set("ResourceARN", [streamArn, ConsumerARN]);
  known.set("ConsumerARN", [ConsumerARN]);
  known.set("ConsumerName", ["reader"]);
  known.set("ShardId", [...shardIds]);
  known.set("ShardIterator", [String(iterator["ShardIterator"])]);
  known.set("ShardIteratorType", ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER"]);
  known.set("Type", ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "AFTER_SEQUENCE_NUMBER", "AT_LATEST", "AFTER_SHARD_ID"]);
  known.set("ShardToSplit", [...shardIds]);
  known.set("ShardToMerge", [...shardIds]);
  known.set("AdjacentShardToMerge", [...shardIds]);
  known.set("ScalingType", ["UNIFORM_SCALING"]);
  known.set("StreamMode", ["PROVISIONED", "ON_DEMAND"]);
  known.set("EncryptionType", ["KMS", "NONE"]);
  known.set("RecordDistributionStrategy", ["AUTO", "USER_PARTITION_KEY"]);
});

afterAll(async () => {
  agent.destroy();
  await simulator.close();
});

const jsonType = "application/x-amz-json-1.1";
const cborType = "application/x-amz-cbor-1.1";

interface RawAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Sends one request and takes the answer; of an event stream, its first bytes. Rejects where none comes. */
function send(headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(simulator.endpoint, {
      agent,
      method: "POST",
      headers: {
        authorization: "AWS4-HMAC-SHA256 Credential=AKID/d/r/kinesis/aws4_request, SignedHeaders=host, Signature=0",
        "x-amz-date": "20260101T000000Z",
        "content-length": String(body.length),
        ...headers,
      },
      timeout: 10_000,
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      const contentType = response.headers["content-type"] ?? "";
      const settle = () => resolve({ status: response.statusCode ?? 0, contentType, body: Buffer.concat(chunks) });
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if (contentType !== "application/vnd.amazon.eventstream") return;
        settle();
        request.destroy();
      });
      response.on("end", settle);
      response.on("error", reject);
    });
    request.end(body);
  });
}

/** What is wrong with an answer; undefined for an output and for an error of the service. */
function faultOf({ status, contentType, body }: RawAnswer): string | undefined {
  if (status === 200) return undefined;
  if (contentType === "application/xml" && (status === 403 || status === 404)) return undefined;
  const error = (contentType === cborType ? readCbor(body) : JSON.parse(body.toString())) as Record<string, unknown>;
  if (typeof error["__type"] !== "string") return `an error without a type: ${JSON.stringify(error)}`;
  return status === 400 || status === 413 ? undefined : `${status} ${JSON.stringify(error)}`;
}

const anything = fc.oneof(
  fc.constantFrom(null, true, "", "0", "-1", "\u0000", "__proto__", -1, 0, 1.5, 1e300, 2 ** 53, [], {}, [null], [[]]),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: 0n, max: 2n ** 130n }).map(String),
  fc.object({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  fc.nat(40).map((depth) => JSON.parse("[".repeat(depth + 1) + "]".repeat(depth + 1)) as unknown),
);

/** A value for a field: mostly one that fits its type, sometimes one that the service knows, sometimes anything. */
function valueFor(name: string, shape: Shape, useWords: boolean): fc.Arbitrary<unknown> {
  const fitting = fittingValue(name, shape, useWords);
  const words = known.get(name);
  return words === undefined || !useWords
    ? fc.oneof({ weight: 6, arbitrary: fitting }, { weight: 1, arbitrary: anything })
    : fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...words) },
        { weight: 1, arbitrary: fitting },
        { weight: 1, arbitrary: anything },
      );
}

function fittingValue(name: string, shape: Shape, useWords: boolean): fc.Arbitrary<unknown> {
  switch (shape.type) {
    case "string":
      return fc.oneof(fc.string({ maxLength: 200 }), fc.bigInt({ min: 0n, max: 2n ** 190n }).map(String));
    case "integer":
      return fc.oneof(fc.integer({ min: -2, max: 30 }), fc.integer());
    case "boolean":
      return fc.boolean();
    case "blob":
      return fc.uint8Array({ maxLength: 100 });
    case "timestamp":
      return fc.integer({ min: -1, max: 2_000_000_000 });
    case "list":
      return fc.array(valueFor(name, shape.member, useWords), { maxLength: 4 });
    case "map":
      return fc.dictionary(fc.string({ maxLength: 20 }), valueFor(name, shape.value, useWords), { maxKeys: 4 });
    default:
      return fc
        .record(
          Object.fromEntries([...shape.fields].map(([field, inner]) => [field, valueFor(field, inner, useWords)])),
          {
            requiredKeys: [],
          },
        )
        .chain((value) => fc.oneof({ weight: 9, arbitrary: fc.constant(value) }, withSurprise(value)));
  }
}

/** The value with a field that no action has. */
function withSurprise(value: object): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.string({ maxLength: 12 }), anything)
    .map(([name, extra]) => Object.fromEntries([...Object.entries(value), [name, extra]]));
}

const action = fc.constantFrom(...actionInputs.keys());
const inputOf = (name: string) => {
  const shape = actionInputs.get(name);
  if (shape === undefined) throw new Error(`no shape for ${name}`);
  // What the words stand for must stay: deletions get none.
  return valueFor("", shape, !/^(?:Delete|Deregister)/.test(name));
};
const call = action.chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(jsonType, cborType), inputOf(name)));

/** A body that was well-formed before it was cut, bent or lengthened. */
const damaged = call.chain(([name, type, input]) => {
  const bytes = encode(type, input);
  return fc
    .array(fc.tuple(fc.nat(bytes.length), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .chain((bends) => fc.tuple(fc.constant(bends), fc.nat(bytes.length), fc.uint8Array({ maxLength: 4 })))
    .map(([bends, cutAt, tail]) => {
      const bent = Buffer.from(bytes);
      for (const [at, value] of bends) if (at < bent.length) bent[at] = value;
      return { name, type, body: Buffer.concat([bent.subarray(0, cutAt % 3 === 0 ? cutAt : bent.length), tail]) };
    });
});

function encode(type: string, input: unknown): Uint8Array {
  return type === jsonType ? Buffer.from(writeJson(input)) : writeCbor(input);
}

function untilTimeIsUp(property: fc.IAsyncProperty<unknown> | fc.IAsyncPropertyWithHooks<never>): Promise<void> {
  return fc.assert(property as fc.IAsyncProperty<unknown>, {
    numRuns: 1_000_000,
    interruptAfterTimeLimit: shareMs,
    markInterruptAsFailure: false,
  });
}

describe("fuzzing", () => {
  test(
    "calls with fields of every kind are answered by the service",
    async () => {
      await untilTimeIsUp(
        fc.asyncProperty(call, async ([name, type, input]) => {
          const headers = { "content-type": type, "x-amz-target": `Kinesis_20131202.${name}` };
          expect(faultOf(await send(headers, encode(type, input)))).toBeUndefined();
        }) as never,
      );
    },
    timeoutMs,
  );

  test(
    "damaged bodies are answered by the service",
    async () => {
      await untilTimeIsUp(
        fc.asyncProperty(damaged, async ({ name, type, body }) => {
          const headers = { "content-type": type, "x-amz-target": `Kinesis_20131202.${name}` };
          expect(faultOf(await send(headers, body))).toBeUndefined();
        }) as never,
      );
    },
    timeoutMs,
  );

  test(
    "headers and bodies of any bytes and size are answered",
    async () => {
      const word = fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[^ -~]/g, ""));
      const target = fc.oneof(
        word,
        action.map((name) => `Kinesis_20131202.${name}`),
      );
      const type = fc.oneof(word, fc.constantFrom(jsonType, cborType, `${jsonType}; charset=utf-8`));
      const authorization = fc.oneof(word, fc.constant("AWS4-HMAC-SHA256 Credential=,SignedHeaders==,Signature"));
      const body = fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 90_000, max: 300_000 }).map((size) => Buffer.alloc(size, 0x5b)),
        fc.integer({ min: 1, max: 90_000 }).map((size) => Buffer.alloc(size, 0x9f)),
      );
      await untilTimeIsUp(
        fc.asyncProperty(target, type, authorization, body, async (targetText, typeText, signature, bytes) => {
          const headers = { "content-type": typeText, "x-amz-target": targetText, authorization: signature };
          expect(faultOf(await send(headers, bytes))).toBeUndefined();
        }) as never,
      );
    },
    timeoutMs,
  );

  test(
    "connections that speak no protocol end, and the server goes on",
    async () => {
      const prefix = fc.constantFrom(
        "",
        "\u0016",
        "\u0016\u0003\u0001\u0002\u0000\u0001",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000",
        "POST / HTTP/1.1\r\nhost: x\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n",
      );
      const client = simulator.client({ maxAttempts: 1 });
      try {
        await untilTimeIsUp(
          fc.asyncProperty(prefix, fc.uint8Array({ maxLength: 100 }), fc.boolean(), async (head, tail, secret) => {
            await speak(Buffer.concat([Buffer.from(head, "latin1"), tail]), secret);
            expect((await client.send(new ListStreamsCommand({}))).$metadata.httpStatusCode).toBe(200);
          }) as never,
        );
      } finally {
        client.destroy();
      }
    },
    timeoutMs,
  );
});

/** Says `bytes` on a connection of its own and leaves; resolves when the connection has ended. */
function speak(bytes: Uint8Array, secret: boolean): Promise<void> {
  const { port } = new URL(simulator.endpoint);
  const socket = secret
    ? connectTls({
        port: Number(port),
        host: "127.0.0.1",
        ca: simulator.caCertificate,
        ALPNProtocols: ["h2", "http/1.1"],
      })
    : connect(Number(port), "127.0.0.1");
  return new Promise((resolve) => {
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
    socket.end(bytes);
  });
}
