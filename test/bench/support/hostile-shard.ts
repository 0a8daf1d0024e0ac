/**
 * Driver. A process that answers for a shard of ordinary aggregates and then, once it is told to, the worst there can be:
 * 10 MiB of user records that are as small as possible.
 */
import { hash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const mebibyte = 1_048_576;
/** A record with a key index of 0 and no data. */
const smallest = Buffer.from("1a0408001a00", "hex");

function aggregateOf(bytes: number): { readonly data: Buffer; readonly userRecords: number } {
  const key = Buffer.from("0a016b", "hex");
  const userRecords = Math.floor((bytes - 23) / smallest.length);
  const message = Buffer.concat([key, Buffer.alloc(userRecords * smallest.length, smallest)]);
  const digest = Buffer.from(hash("md5", message, "hex"), "hex");
  return { data: Buffer.concat([Buffer.from("f3899ac2", "hex"), message, digest]), userRecords };
}

const ordinary = aggregateOf(50_000);
const hostile = aggregateOf(10 * mebibyte);
const warmUpAnswers = 12;
const recordsPerAnswer = 5;

function bodyOf(records: readonly Buffer[], answer: number): Buffer {
  const Records = records.map((data, index) => ({
    SequenceNumber: String(1_000 + answer * recordsPerAnswer + index),
    PartitionKey: "k",
    Data: data.toString("base64"),
  }));
  return Buffer.from(JSON.stringify({ Records, NextShardIterator: String(answer + 1), MillisBehindLatest: 1 }));
}

const bodies = [
  ...Array.from({ length: warmUpAnswers }, (_, answer) =>
    bodyOf(Array<Buffer>(recordsPerAnswer).fill(ordinary.data), answer),
  ),
  bodyOf([hostile.data], warmUpAnswers),
];
let isHostileAllowed = false;

function answerOf(action: string, request: Buffer): Buffer | string {
  if (action === "GetRecords") {
    const { ShardIterator } = JSON.parse(request.toString()) as { ShardIterator: string };
    const index = Number(ShardIterator);
    const isOut = index >= bodies.length || (index === bodies.length - 1 && !isHostileAllowed);
    if (isOut) return JSON.stringify({ Records: [], NextShardIterator: ShardIterator, MillisBehindLatest: 1 });
    return bodies[index] ?? "";
  }
  const HashKeyRange = { StartingHashKey: "0", EndingHashKey: String((1n << 128n) - 1n) };
  const SequenceNumberRange = { StartingSequenceNumber: "1" };
  if (action === "ListShards")
    return JSON.stringify({ Shards: [{ ShardId: "shardId-000000000000", HashKeyRange, SequenceNumberRange }] });
  return JSON.stringify({ ShardIterator: "0", StreamDescriptionSummary: {} });
}

const server = createServer((request, response) => {
  if (request.url === "/allow") isHostileAllowed = true;
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const body = answerOf(String(request.headers["x-amz-target"]).split(".")[1] ?? "", Buffer.concat(parts));
    response.writeHead(200, {
      "content-type": "application/x-amz-json-1.1",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({
    port: (server.address() as AddressInfo).port,
    warmUpRecords: warmUpAnswers * recordsPerAnswer * ordinary.userRecords,
    hostileRecords: hostile.userRecords,
  });
});
process.on("disconnect", () => process.exit());
