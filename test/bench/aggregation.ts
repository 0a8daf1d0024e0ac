/**
 * Driver. Encoding, decoding and hashing of KPL aggregates, against AWS's library for Node and protobufjs by reflection.
 *
 * Every contender does the same work: aggregates of the default size, each with its MD5 digest written or checked, unless
 * the row says otherwise.
 */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { Aggregator, deaggregate, hashKeyTop32, partitionKeyHash } from "@millrace/aggregation";
import protobuf from "protobufjs";
import { compare, comparisonMethod } from "./support/compare.ts";
import type { Report } from "./support/report.ts";

interface Peer {
  readonly RecordAggregator: new () => { addUserRecord(record: object): void; build(): { readonly data: Buffer } };
  deaggregateSync(record: object, checksums: boolean, done: (error: unknown, records?: unknown[]) => void): void;
}

const peer = createRequire(import.meta.url)("aws-kinesis-agg") as Peer;

const schema = protobuf.parse(`syntax = "proto2";
  message Tag { required string key = 1; optional string value = 2; }
  message Record {
    required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2;
    required bytes data = 3; repeated Tag tags = 4;
  }
  message AggregatedRecord {
    repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2; repeated Record records = 3;
  }`).root;
const message = schema.lookupType("AggregatedRecord");
const magic = Buffer.from("f3899ac2", "hex");

interface Shape {
  readonly name: string;
  readonly dataBytes: number;
  readonly keys: readonly string[];
}

interface Input {
  readonly partitionKey: string;
  readonly data: Buffer;
}

const records = 40_000;
const longKeys = Array.from(
  { length: records },
  (_, index) => `${createHash("md5").update(`${index}`).digest("hex")}-key`,
);
const shortKeys = longKeys.map((key) => key.slice(0, 16));
const shapes: readonly Shape[] = [
  { name: "100 B, distinct 36-character keys", dataBytes: 100, keys: longKeys },
  { name: "200 B, distinct 16-character keys", dataBytes: 200, keys: shortKeys },
  { name: "200 B, ten keys", dataBytes: 200, keys: longKeys.slice(0, 10) },
  { name: "1 KB, distinct 36-character keys", dataBytes: 1000, keys: longKeys },
];

/** Measures hashing, then encoding and decoding of each shape. */
export async function run(report: Report): Promise<void> {
  report.begin("aggregation", `${records} records a round. ${comparisonMethod}`);
  await compareHashes(report);
  for (const shape of shapes) {
    const batches = batchesOf(shape);
    const bytes = records * shape.dataBytes;
    await compareEncoders(report, { shape, batches, bytes });
    await compareDecoders(report, { shape, batches, bytes });
  }
}

async function compareHashes(report: Report): Promise<void> {
  await compare(report, {
    title: "hash keys of 16-character partition keys",
    what: "keys",
    operations: records,
    contenders: [
      { name: "hashKeyTop32", run: () => shortKeys.forEach((partitionKey) => hashKeyTop32({ partitionKey })) },
      { name: "partitionKeyHash, a bigint", run: () => shortKeys.forEach((key) => partitionKeyHash(key)) },
      {
        name: "node:crypto createHash to a bigint",
        run: () => shortKeys.forEach((key) => BigInt(`0x${createHash("md5").update(key).digest("hex")}`)),
      },
    ],
  });
}

/** The shape's records, in the batches that Aggregator makes of them. */
function batchesOf({ dataBytes, keys }: Shape): Input[][] {
  const batches: Input[][] = [[]];
  const aggregator = new Aggregator();
  for (let index = 0; index < records; index++) {
    const input = { partitionKey: keys[index % keys.length] ?? "", data: Buffer.alloc(dataBytes, index) };
    if (!aggregator.add(input)) {
      batches.push([]);
      aggregator.reset();
      aggregator.add(input);
    }
    batches.at(-1)?.push(input);
  }
  return batches;
}

interface Work {
  readonly shape: Shape;
  readonly batches: readonly Input[][];
  readonly bytes: number;
}

async function compareEncoders(report: Report, { shape, batches, bytes }: Work): Promise<void> {
  const sizes = batches.map((batch) => encodeWithMillrace(batch).length);
  const contender = (name: string, encode: (batch: readonly Input[]) => Buffer) => ({
    name,
    run: () => {
      for (const [index, batch] of batches.entries()) {
        if (encode(batch).length !== sizes[index]) throw new Error(`${name} made an aggregate of another size.`);
      }
    },
  });
  await compare(report, {
    title: `encode: ${shape.name}`,
    what: "records",
    operations: records,
    bytes,
    contenders: [
      contender("Millrace Aggregator", encodeWithMillrace),
      contender("protobufjs reflection", encodeWithReflection),
      contender("aws-kinesis-agg RecordAggregator", encodeWithPeer),
    ],
  });
}

async function compareDecoders(report: Report, { shape, batches, bytes }: Work): Promise<void> {
  const blobs = batches.map((batch) => encodeWithMillrace(batch));
  const contender = (name: string, decode: (blob: Buffer) => number) => ({
    name,
    run: () => {
      const count = blobs.reduce((total, blob) => total + decode(blob), 0);
      if (count !== records) throw new Error(`${name} read ${count} records of ${records}.`);
    },
  });
  await compare(report, {
    title: `decode: ${shape.name}`,
    what: "records",
    operations: records,
    bytes,
    contenders: [
      contender("Millrace deaggregate", (data) => deaggregate({ data, sequenceNumber: "1" }).length),
      contender("protobufjs reflection", decodeWithReflection),
      contender("aws-kinesis-agg deaggregateSync", (blob) => decodeWithPeer(blob, true)),
      contender("the same, its default: digest unchecked", (blob) => decodeWithPeer(blob, false)),
    ],
  });
}

const reused = new Aggregator();

function encodeWithMillrace(batch: readonly Input[]): Buffer {
  reused.reset();
  for (const input of batch) reused.add(input);
  return reused.build().data as Buffer;
}

function encodeWithReflection(batch: readonly Input[]): Buffer {
  const indexes = new Map<string, number>();
  const members = batch.map(({ partitionKey, data }) => {
    let partitionKeyIndex = indexes.get(partitionKey);
    if (partitionKeyIndex === undefined) {
      partitionKeyIndex = indexes.size;
      indexes.set(partitionKey, partitionKeyIndex);
    }
    return { partitionKeyIndex, data };
  });
  const body = message.encode({ partitionKeyTable: [...indexes.keys()], records: members }).finish();
  return Buffer.concat([magic, body, createHash("md5").update(body).digest()]);
}

function encodeWithPeer(batch: readonly Input[]): Buffer {
  const aggregator = new peer.RecordAggregator();
  for (const input of batch) aggregator.addUserRecord(input);
  return aggregator.build().data;
}

interface Decoded {
  readonly partitionKeyTable: string[];
  readonly records: { readonly partitionKeyIndex: number | { toNumber(): number }; readonly data: Uint8Array }[];
}

function decodeWithReflection(blob: Buffer): number {
  const end = blob.length - 16;
  const body = blob.subarray(4, end);
  if (!createHash("md5").update(body).digest().equals(blob.subarray(end))) throw new Error("A digest does not match.");
  const decoded = message.decode(body) as unknown as Decoded;
  return decoded.records.map(({ partitionKeyIndex, data }) => ({
    partitionKey: decoded.partitionKeyTable[Number(partitionKeyIndex)],
    data,
  })).length;
}

function decodeWithPeer(data: Buffer, checksums: boolean): number {
  let count = 0;
  peer.deaggregateSync({ data, partitionKey: "a", sequenceNumber: "1" }, checksums, (error, views) => {
    if (error !== undefined && error !== null) throw error as Error;
    count = views?.length ?? 0;
  });
  return count;
}
