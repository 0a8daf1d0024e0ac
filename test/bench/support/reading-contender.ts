/**
 * Driver. A process that reads in one way for as long as it is told, and says what that cost it.
 *
 * Every contender has a process of its own, so that none pays for another's garbage or for code that another made slow.
 */
import { createRequire } from "node:module";
import { Agent } from "node:http";
import { GetRecordsCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { Consumer, type ConsumedRecord } from "@millrace/consumer";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { createKinesisClient, kinesisFromClient } from "@millrace/core/aws";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { sentinel } from "../../../packages/consumer/src/checkpoint/checkpoint.ts";
import { expandRecords } from "../../../packages/consumer/src/retrieval/expand.ts";

interface Peer {
  deaggregateSync(record: object, checksums: boolean, done: (error: unknown, records?: PeerRecord[]) => void): void;
}
interface PeerRecord {
  readonly data: string;
  readonly partitionKey: string;
}
type WireFormat = "json" | "cbor";

/** What was read so far; payload bytes are counted so that every record's payload is looked at. */
const read = { records: 0, bytes: 0, keys: 0 };

const endpoint = `http://127.0.0.1:${process.argv[3]}`;
const region = "us-east-1";
const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };

/** The ways to read. Each goes on until the process ends, or until its promise is asked for no more. */
const ways: Readonly<Record<string, () => () => Promise<void>>> = {
  "consumer-json": () => runConsumer("json", takeData),
  "consumer-json-keys": () => runConsumer("json", takeDataAndKey),
  "consumer-cbor": () => runConsumer("cbor", takeData),
  "decode-json": () => decodeWithMillrace("json"),
  "decode-cbor": () => decodeWithMillrace("cbor"),
  "sdk-agg": () => readWithPeer(),
  sdk: () => readWithSdk(),
};

function takeData(record: ConsumedRecord): void {
  read.records++;
  read.bytes += record.data.byteLength;
}

function takeDataAndKey(record: ConsumedRecord): void {
  takeData(record);
  read.keys += record.partitionKey?.length ?? 0;
}

/** The whole consumer with a handler, leases in memory and checkpoints of every batch; its shards pace themselves. */
function runConsumer(wireFormat: WireFormat, take: (record: ConsumedRecord) => void): () => Promise<void> {
  const client = createKinesisClient({ endpoint, region, credentials, maxConnections: 24 });
  const consumer = new Consumer({
    streamName: "bench",
    applicationName: "bench",
    client,
    leaseTable: new MemoryLeaseTable(),
    initialPosition: "TRIM_HORIZON",
    leaseDiscoveryIntervalMs: 100,
    wireFormat,
  });
  void consumer.run(async (shard) => {
    for await (const batch of shard) {
      for (const record of batch.records) take(record);
      await batch.checkpoint(undefined, { durable: false });
    }
  });
  return () => new Promise((resolve) => setTimeout(resolve, 100));
}

/** What stands between the answer and the batch alone, as fast as it goes. */
function decodeWithMillrace(wireFormat: WireFormat): () => Promise<void> {
  const kinesis = kinesisFromClient(createKinesisClient({ endpoint, region, credentials }), { wireFormat });
  const ready = kinesis.getShardIterator({ streamName: "bench", shardId: "s", position: { type: "TRIM_HORIZON" } });
  return async () => {
    await ready;
    const answer = await kinesis.getRecords({ shardIterator: "i" });
    if (!answer.ok) throw answer.error;
    for (const { records } of expandRecords(answer.value.records, sentinel("TRIM_HORIZON"), 10_000)) {
      for (const record of records) takeData(record);
    }
  };
}

function keepAliveClient(): KinesisClient {
  const requestHandler = new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true }) });
  return new KinesisClient({ endpoint, region, credentials, requestHandler });
}

const getRecords = { ShardIterator: "i" };

/** The peer is given a Buffer where it expects base64, which it takes and which spares it a conversion. */
function readWithPeer(): () => Promise<void> {
  const client = keepAliveClient();
  const peer = createRequire(import.meta.url)("aws-kinesis-agg") as Peer;
  return async () => {
    const answer = await client.send(new GetRecordsCommand(getRecords));
    for (const { Data, PartitionKey, SequenceNumber } of answer.Records ?? []) {
      const record = { data: Data, partitionKey: PartitionKey, sequenceNumber: SequenceNumber };
      peer.deaggregateSync(record, true, (_error, records = []) => {
        for (const { data } of records) {
          read.records++;
          read.bytes += Buffer.from(data, "base64").byteLength;
        }
      });
    }
  };
}

function readWithSdk(): () => Promise<void> {
  const client = keepAliveClient();
  return async () => {
    const answer = await client.send(new GetRecordsCommand(getRecords));
    for (const record of answer.Records ?? []) {
      read.records++;
      read.bytes += record.Data?.byteLength ?? 0;
    }
  };
}

const step = ways[process.argv[2] ?? ""]?.();

process.on("message", (forMs: number) => void measure(forMs));
process.on("disconnect", () => process.exit());
process.send?.("ready");

async function measure(forMs: number): Promise<void> {
  const before = { ...read, cpu: process.cpuUsage() };
  const until = performance.now() + forMs;
  while (performance.now() < until) await step?.();
  const { user, system } = process.cpuUsage(before.cpu);
  const cpuSeconds = (user + system) / 1e6;
  process.send?.({ records: read.records - before.records, bytes: read.bytes - before.bytes, cpuSeconds });
}
