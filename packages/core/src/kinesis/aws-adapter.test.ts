import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { mockClient } from "aws-sdk-client-mock";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

import { createKinesisClient, kinesisFromClient } from "./aws-adapter.ts";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const region = "eu-west-1";

describe("what the adapter sends and reads, on a mocked client", () => {
  const client = new KinesisClient({ region, credentials });
  const mock = mockClient(client);
  const kinesis = kinesisFromClient(client);
  afterEach(() => mock.reset());

  it("names the stream by its ARN alone when it has one", async () => {
    mock.on(PutRecordsCommand).resolves({ Records: [] });
    await kinesis.putRecords({
      streamName: "s",
      streamArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
      records: [],
    });
    expect(mock.commandCalls(PutRecordsCommand)[0]?.args[0].input).toEqual({
      StreamARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
      Records: [],
    });
  });

  it("keeps the order of a partly failed PutRecords answer", async () => {
    mock.on(PutRecordsCommand).resolves({
      FailedRecordCount: 1,
      Records: [
        { ShardId: "shardId-000000000000", SequenceNumber: "7" },
        { ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: "slow down" },
      ],
    });
    const answer = await kinesis.putRecords({
      streamName: "s",
      records: [
        { data: new Uint8Array([1]), partitionKey: "a", explicitHashKey: "12" },
        { data: new Uint8Array([2]), partitionKey: "b" },
      ],
    });
    expect(answer).toEqual({
      ok: true,
      serviceTime: undefined,
      value: {
        records: [
          { ok: true, shardId: "shardId-000000000000", sequenceNumber: "7" },
          { ok: false, errorCode: "ProvisionedThroughputExceededException", errorMessage: "slow down" },
        ],
      },
    });
    expect(mock.commandCalls(PutRecordsCommand)[0]?.args[0].input.Records).toEqual([
      { Data: new Uint8Array([1]), PartitionKey: "a", ExplicitHashKey: "12" },
      { Data: new Uint8Array([2]), PartitionKey: "b", ExplicitHashKey: undefined },
    ]);
  });

  it("sends a page's token without anything that names the stream", async () => {
    // Source: ListShards, NextToken: "you cannot specify StreamName, StreamARN, ShardFilter ... with NextToken".
    mock.on(ListShardsCommand).resolves({ Shards: [], NextToken: "more" });
    await kinesis.listShards({ streamName: "s", filter: { type: "AT_LATEST" }, maxResults: 1000 });
    await kinesis.listShards({ nextToken: "more", maxResults: 1000 });
    const inputs = mock.commandCalls(ListShardsCommand).map((sent) => JSON.parse(JSON.stringify(sent.args[0].input)));
    expect(inputs).toEqual([
      { StreamName: "s", ShardFilter: { Type: "AT_LATEST" }, MaxResults: 1000 },
      { NextToken: "more", MaxResults: 1000 },
    ]);
  });

  it("reads hash ranges as integers and the end of a shard as no next iterator", async () => {
    mock.on(ListShardsCommand).resolves({
      Shards: [
        {
          ShardId: "shardId-000000000002",
          ParentShardId: "shardId-000000000000",
          HashKeyRange: { StartingHashKey: "0", EndingHashKey: "340282366920938463463374607431768211455" },
          SequenceNumberRange: { StartingSequenceNumber: "49" },
        },
      ],
    });
    mock.on(GetRecordsCommand).resolves({
      Records: [{ Data: new Uint8Array([9]), PartitionKey: "k", SequenceNumber: "50" }],
      MillisBehindLatest: 5,
      ChildShards: [
        {
          ShardId: "shardId-000000000003",
          ParentShards: ["shardId-000000000002"],
          HashKeyRange: { StartingHashKey: "0", EndingHashKey: "1" },
        },
      ],
    });
    const shards = await kinesis.listShards({ streamName: "s" });
    expect(shards.ok && shards.value.shards[0]).toEqual({
      shardId: "shardId-000000000002",
      parentShardId: "shardId-000000000000",
      adjacentParentShardId: undefined,
      startingHashKey: 0n,
      endingHashKey: 2n ** 128n - 1n,
      startingSequenceNumber: "49",
      endingSequenceNumber: undefined,
    });
    const records = await kinesis.getRecords({ shardIterator: "i" });
    expect(records.ok && records.value).toMatchObject({
      nextShardIterator: undefined,
      millisBehindLatest: 5,
      childShards: [{ shardId: "shardId-000000000003", startingHashKey: 0n, endingHashKey: 1n }],
    });
  });

  it("spells each starting position as the service does", async () => {
    mock.on(GetShardIteratorCommand).resolves({ ShardIterator: "i" });
    const timestamp = new Date(1_700_000_000_000);
    await kinesis.getShardIterator({ streamName: "s", shardId: "x", position: { type: "AT_TIMESTAMP", timestamp } });
    await kinesis.getShardIterator({
      streamName: "s",
      shardId: "x",
      position: { type: "AFTER_SEQUENCE_NUMBER", sequenceNumber: "5" },
    });
    await kinesis.getShardIterator({ streamName: "s", shardId: "x", position: { type: "LATEST" } });
    expect(mock.commandCalls(GetShardIteratorCommand).map((sent) => sent.args[0].input)).toEqual([
      { StreamName: "s", ShardId: "x", ShardIteratorType: "AT_TIMESTAMP", Timestamp: timestamp },
      { StreamName: "s", ShardId: "x", ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: "5" },
      { StreamName: "s", ShardId: "x", ShardIteratorType: "LATEST" },
    ]);
  });

  it("gives the service's own error as a value", async () => {
    mock
      .on(DescribeStreamSummaryCommand)
      .rejects(new ResourceNotFoundException({ message: "no such stream", $metadata: { httpStatusCode: 400 } }));
    const answer = await kinesis.describeStreamSummary({ streamName: "s" });
    expect(answer).toMatchObject({
      ok: false,
      error: {
        code: "ResourceNotFoundException",
        message: "no such stream",
        kind: "permanent",
        httpStatus: 400,
        mayHaveTakenEffect: false,
      },
    });
  });

  it("says so when a mock was given no answer", async () => {
    const answer = await kinesis.putRecords({ streamName: "s", records: [] });
    expect(answer).toMatchObject({ ok: false, error: { code: "UndefinedAnswer", kind: "permanent" } });
    expect(!answer.ok && answer.error.message).toContain("PutRecordsCommand");
  });
});

describe("the adapter over a real connection", () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** A server that answers every request alike and counts them. */
  async function serve(status: number, headers: Record<string, string>, body: string) {
    const seen = { requests: 0 };
    const server = createServer((request, response) => {
      seen.requests += 1;
      request.resume().on("end", () => {
        response.writeHead(status, headers).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { seen, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  function clientOf(endpoint: string): KinesisClient {
    const client = new KinesisClient({
      region,
      credentials,
      endpoint,
      maxAttempts: 5,
      requestHandler: new NodeHttpHandler(),
    });
    closing.push(() => client.destroy());
    return client;
  }

  it("sends once, however many attempts the client would make", async () => {
    const { seen, endpoint } = await serve(500, { "content-type": "text/html" }, "<html>oops</html>");
    const answer = await kinesisFromClient(clientOf(endpoint)).listShards({ streamName: "s" });
    expect(answer).toMatchObject({
      ok: false,
      error: { kind: "transient", httpStatus: 500, mayHaveTakenEffect: true },
    });
    expect(seen.requests).toBe(1);
  });

  it("reports the service's clock", async () => {
    const { endpoint } = await serve(
      200,
      { "content-type": "application/x-amz-json-1.1", date: "Tue, 14 Nov 2023 22:13:20 GMT" },
      '{"Shards":[]}',
    );
    const answer = await kinesisFromClient(clientOf(endpoint)).listShards({ streamName: "s" });
    expect(answer).toMatchObject({ ok: true, serviceTime: 1_700_000_000_000 });
  });

  it("knows that a refused connection had no effect", async () => {
    const { endpoint } = await serve(200, {}, "");
    for (const close of closing.splice(0)) close();
    const answer = await kinesisFromClient(clientOf(endpoint)).putRecords({ streamName: "s", records: [] });
    expect(answer).toMatchObject({
      ok: false,
      error: { code: "ECONNREFUSED", kind: "transient", mayHaveTakenEffect: false },
    });
  });

  it.each([
    ["without a region", { region: async () => Promise.reject(new Error("Region is missing")) }, "RegionMissing"],
    ["with an endpoint that is none", { region, endpoint: "nonsense" }, "ERR_INVALID_URL"],
  ])("knows that a client %s will never send anything", async (_, config, code) => {
    const client = new KinesisClient({ ...config, credentials });
    closing.push(() => client.destroy());
    const answer = await kinesisFromClient(client).listShards({ streamName: "s" });
    expect(answer).toMatchObject({ ok: false, error: { code, kind: "permanent", mayHaveTakenEffect: false } });
  });

  it("ends a call when its signal aborts", async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const abort = new AbortController();
    server.once("request", () => abort.abort(new Error("enough")));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answer = await kinesisFromClient(clientOf(endpoint)).listShards(
      { streamName: "s" },
      { signal: abort.signal },
    );
    expect(answer).toMatchObject({ ok: false, error: { kind: "aborted" } });
  });

  it("makes a client of its own that keeps connections and does not retry", async () => {
    const client = createKinesisClient({ region });
    closing.push(() => client.destroy());
    expect(await client.config.maxAttempts()).toBe(1);
    expect(await client.config.region()).toBe(region);
    expect(client.config.requestHandler).toBeInstanceOf(NodeHttpHandler);
  });
});
