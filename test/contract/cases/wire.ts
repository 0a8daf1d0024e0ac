/** Driver. Cases of the protocol under the actions. */
import { cbor as codec } from "@smithy/core/cbor";
import { expect } from "vitest";
import { recorded } from "../contract-case.ts";
import type { ContractCase } from "../contract-case.ts";
import type { ServiceUnderTest } from "../service-under-test.ts";

const json = "application/x-amz-json-1.1";
const cbor = "application/x-amz-cbor-1.1";

interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Sends a request made by hand; a header given as undefined is left out. */
async function send(
  service: ServiceUnderTest,
  action: string,
  body: string | Uint8Array,
  changes: Record<string, string | undefined> = {},
): Promise<RawAnswer> {
  const headers = {
    "content-type": json,
    "x-amz-target": `Kinesis_20131202.${action}`,
    "x-amz-date": "20260101T000000Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=00",
    ...changes,
  };
  const answer = await fetch(`${service.endpoint}/`, {
    method: "POST",
    headers: Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined),
    body,
  });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
}

async function errorType(sent: Promise<RawAnswer>): Promise<string> {
  const { status, body } = await sent;
  return `${status} ${String((JSON.parse(body.toString()) as Record<string, unknown>)["__type"])}`;
}

export const wireCases: readonly ContractCase[] = [
  {
    name: "an answer carries a request id and a date",
    rule: "Every answer has x-amzn-RequestId and Date; the SDK corrects its clock by the latter [AWS general reference]",
    async run(service) {
      const { status, headers } = await send(service, "ListStreams", "{}");
      expect(status).toBe(200);
      expect(headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
      expect(Date.parse(headers.get("date") ?? "")).toBeGreaterThan(0);
    },
  },
  {
    name: "a body that is no JSON is a SerializationException",
    rule: recorded("A body that cannot be parsed: 400 SerializationException."),
    async run(service) {
      expect(await errorType(send(service, "ListStreams", "{not json"))).toBe("400 SerializationException");
    },
  },
  {
    name: "a field of the wrong type is a SerializationException",
    rule: recorded("A field of the wrong type: 400 SerializationException."),
    async run(service) {
      const sent = send(service, "DescribeStream", '{"StreamName":17}');
      expect(await errorType(sent)).toBe("400 SerializationException");
    },
  },
  {
    name: "a blob that is no base64 is a SerializationException",
    rule: recorded("A blob that is not base64: 400 SerializationException."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const sent = send(service, "PutRecord", JSON.stringify({ StreamName: streamName, PartitionKey: "k", Data: "*" }));
      expect(await errorType(sent)).toBe("400 SerializationException");
    },
  },
  {
    name: "unknown fields are ignored",
    rule: recorded("Fields that an action does not know are dropped."),
    async run(service) {
      expect((await send(service, "ListStreams", '{"Surprise":{"a":[1]}}')).status).toBe(200);
    },
  },
  {
    name: "an unknown action is an UnknownOperationException",
    rule: recorded("A target that names no action: 400 UnknownOperationException."),
    async run(service) {
      expect(await errorType(send(service, "DoWhatIMean", "{}"))).toBe("400 UnknownOperationException");
    },
  },
  {
    name: "a request without a signature is a MissingAuthenticationTokenException",
    rule: recorded("Neither Authorization header nor query: 400 MissingAuthenticationTokenException."),
    async run(service) {
      const sent = send(service, "ListStreams", "{}", { authorization: undefined });
      expect(await errorType(sent)).toBe("400 MissingAuthenticationTokenException");
    },
  },
  {
    name: "an incomplete signature is an IncompleteSignatureException",
    rule: recorded("An Authorization header without Credential or Signature: 400 IncompleteSignatureException."),
    async run(service) {
      const sent = send(service, "ListStreams", "{}", { authorization: "AWS4-HMAC-SHA256 Nothing=1" });
      expect(await errorType(sent)).toBe("400 IncompleteSignatureException");
    },
  },
  {
    name: "a timestamp in JSON is seconds with a fraction",
    rule: "awsJson1_1 writes timestamps as epoch seconds [smithy.io, AWS JSON 1.1 protocol]",
    async run(service) {
      const { streamName } = await service.createStream(1);
      const { body } = await send(service, "DescribeStreamSummary", JSON.stringify({ StreamName: streamName }));
      const { StreamDescriptionSummary: summary } = JSON.parse(body.toString()) as {
        StreamDescriptionSummary: Record<string, number>;
      };
      expect(Math.abs((summary["StreamCreationTimestamp"] ?? 0) * 1000 - Date.now())).toBeLessThan(60_000);
    },
  },
  {
    name: "a request in CBOR is answered in CBOR, blobs as bytes",
    rule: "The AWS SDK for Java speaks application/x-amz-cbor-1.1 to Kinesis [aws-sdk-java, SdkCborMarshallerFactory]",
    async run(service) {
      const { streamName } = await service.createStream(1);
      const call = async (action: string, input: unknown) => {
        const answer = await send(service, action, codec.serialize(input), { "content-type": cbor });
        expect([answer.status, answer.headers.get("content-type")]).toEqual([200, cbor]);
        return codec.deserialize(answer.body) as Record<string, unknown>;
      };
      await call("PutRecord", { StreamName: streamName, PartitionKey: "k", Data: Buffer.from("bytes") });
      const position = { StreamName: streamName, ShardId: "shardId-000000000000", ShardIteratorType: "TRIM_HORIZON" };
      const { ShardIterator } = await call("GetShardIterator", position);
      const { Records } = (await call("GetRecords", { ShardIterator })) as { Records: Record<string, unknown>[] };
      expect(Records.map((record) => Buffer.from(record["Data"] as Uint8Array).toString())).toEqual(["bytes"]);
    },
  },
  {
    name: "a timestamp in CBOR is milliseconds under tag 1",
    rule: "Kinesis' CBOR has milliseconds where RFC 8949 has seconds [aws-sdk-java, SdkStructuredCborFactory: TIMESTAMP_FORMAT unixTimestampInMillis]",
    async run(service) {
      const { streamName } = await service.createStream(1);
      const { body } = await send(service, "DescribeStreamSummary", codec.serialize({ StreamName: streamName }), {
        "content-type": cbor,
      });
      const { StreamDescriptionSummary: summary } = codec.deserialize(body) as {
        StreamDescriptionSummary: Record<string, { tag: number; value: number | bigint }>;
      };
      const { tag, value } = summary["StreamCreationTimestamp"] ?? {};
      expect(tag).toBe(1);
      expect(Math.abs(Number(value) - Date.now())).toBeLessThan(60_000);
    },
  },
  {
    name: "a body that is no CBOR is a SerializationException, in CBOR",
    rule: recorded("A body that cannot be parsed: 400 SerializationException, in the request's own format."),
    async run(service) {
      const { status, body } = await send(service, "ListStreams", Buffer.from([0xff, 0x00]), { "content-type": cbor });
      const error = codec.deserialize(body) as Record<string, unknown>;
      expect([status, error["__type"]]).toEqual([400, "SerializationException"]);
    },
  },
];
