/**
 * Driver. Reading a shard, from the answer of GetRecords to user records, against the SDK with AWS's library for Node.
 *
 * Both ask the same process over HTTP/1.1 with keep-alive for the same 2 MB answer, check every digest, and end with a
 * list of user records. Leases, pacing and handlers cost the same whatever reads, and are left out.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { GetRecordsCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { Aggregator } from "@millrace/aggregation";
import { createKinesisClient, kinesisFromClient } from "@millrace/core/aws";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Agent } from "node:http";
import { sentinel } from "../../packages/consumer/src/checkpoint/checkpoint.ts";
import { expandRecords } from "../../packages/consumer/src/retrieval/expand.ts";
import { compare, comparisonMethod } from "./support/compare.ts";
import type { Report } from "./support/report.ts";

interface Peer {
  deaggregateSync(record: object, checksums: boolean, done: (error: unknown, records?: unknown[]) => void): void;
}

const peer = createRequire(import.meta.url)("aws-kinesis-agg") as Peer;
const answerBytes = 2_000_000;
const callsPerRun = 5;
const region = "us-east-1";
const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };

interface Answer {
  readonly body: Buffer;
  readonly userRecords: number;
  readonly payloadBytes: number;
}

/** Measures both shapes of the budget: 200 B in aggregates, 1 KB plain. */
export async function run(report: Report): Promise<void> {
  report.begin("consumer", `${callsPerRun} answers of about 2 MB a round. ${comparisonMethod}`);
  await compareReaders(report, "200 B user records in aggregates", aggregatedAnswer(200));
  await compareReaders(report, "1 KB records, plain", plainAnswer(1_000));
}

async function compareReaders(report: Report, title: string, answer: Answer): Promise<void> {
  const server = spawn(process.execPath, [fileURLToPath(new URL("support/shard-server.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  server.stdin.end(answer.body);
  const [port] = (await once(server.stdout, "data")) as [Buffer];
  const endpoint = `http://127.0.0.1:${port.toString().trim()}`;
  const agent = new Agent({ keepAlive: true });
  const common = { endpoint, region, credentials };
  const ours = new KinesisClient({ ...common, requestHandler: createKinesisClient({ region }).config.requestHandler });
  const theirs = new KinesisClient({ ...common, requestHandler: new NodeHttpHandler({ httpAgent: agent }) });
  try {
    await compare(report, {
      title,
      what: "user records",
      operations: answer.userRecords * callsPerRun,
      bytes: answer.payloadBytes * callsPerRun,
      contenders: [
        { name: "Millrace: port and expandRecords", run: () => readWithMillrace(ours, answer.userRecords) },
        { name: "SDK GetRecords and aws-kinesis-agg", run: () => readWithPeer(theirs, answer.userRecords) },
      ],
    });
  } finally {
    ours.destroy();
    theirs.destroy();
    agent.destroy();
    server.kill();
  }
}

async function readWithMillrace(client: KinesisClient, expected: number): Promise<void> {
  const kinesis = kinesisFromClient(client);
  for (let call = 0; call < callsPerRun; call++) {
    const answer = await kinesis.getRecords({ shardIterator: "i" });
    if (!answer.ok) throw answer.error;
    let count = 0;
    for (const { records } of expandRecords(answer.value.records, sentinel("TRIM_HORIZON"), 10_000)) {
      count += records.length;
    }
    check("Millrace", count, expected);
  }
}

async function readWithPeer(client: KinesisClient, expected: number): Promise<void> {
  for (let call = 0; call < callsPerRun; call++) {
    const answer = await client.send(new GetRecordsCommand({ ShardIterator: "i" }));
    let count = 0;
    for (const record of answer.Records ?? []) {
      const input = { kinesis: { ...record, data: Buffer.from(record.Data ?? []).toString("base64") } };
      if (isPlain(record.Data)) count++;
      else peer.deaggregateSync(input.kinesis, true, (_error, records) => (count += records?.length ?? 0));
    }
    check("aws-kinesis-agg", count, expected);
  }
}

/** The peer is spared its attempt on records that are no aggregates. */
function isPlain(data: Uint8Array | undefined): boolean {
  return data?.[0] !== 0xf3 || data[1] !== 0x89;
}

function check(name: string, count: number, expected: number): void {
  if (count !== expected) throw new Error(`${name} read ${count} user records of ${expected}`);
}

function aggregatedAnswer(dataBytes: number): Answer {
  const blobs: Uint8Array[] = [];
  let userRecords = 0;
  let total = 0;
  const aggregator = new Aggregator();
  while (total < answerBytes) {
    const input = { partitionKey: `key-${userRecords % 1_000}-abcdef`, data: Buffer.alloc(dataBytes, userRecords) };
    if (aggregator.add(input)) {
      userRecords++;
      continue;
    }
    const { data } = aggregator.build();
    blobs.push(Uint8Array.from(data));
    total += data.length;
    aggregator.reset();
  }
  return { body: bodyOf(blobs), userRecords, payloadBytes: userRecords * dataBytes };
}

function plainAnswer(dataBytes: number): Answer {
  const count = answerBytes / dataBytes;
  const blobs = Array.from({ length: count }, (_, index) => Buffer.alloc(dataBytes, index));
  return { body: bodyOf(blobs), userRecords: count, payloadBytes: count * dataBytes };
}

function bodyOf(blobs: readonly Uint8Array[]): Buffer {
  const Records = blobs.map((blob, index) => ({
    ApproximateArrivalTimestamp: 1_700_000_000 + index / 1_000,
    Data: Buffer.from(blob).toString("base64"),
    PartitionKey: `key-${index % 100}`,
    SequenceNumber: String(49_600_000_000_000_000_000_000_000n + BigInt(index)),
  }));
  return Buffer.from(JSON.stringify({ MillisBehindLatest: 0, NextShardIterator: "i", Records }));
}
