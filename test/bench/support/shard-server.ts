/**
 * Driver. A process that answers GetRecords with the same records under ever new places: shards that never run dry and cost next
 * to nothing to serve. Started by the consumer's bench, which tells the shape of the records in its arguments.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readingAnswer, type Shape } from "./reading-answer.ts";
import { encodeCbor, type CborMap } from "../../../packages/core/src/kinesis/cbor-write.ts";

const answer = readingAnswer(JSON.parse(process.argv[2] ?? "") as Shape);
const shardCount = 256;
const keySpace = 1n << 128n;
const width = keySpace / BigInt(shardCount);
const shards = Array.from({ length: shardCount }, (_, index) => ({
  ShardId: `shardId-${String(index).padStart(12, "0")}`,
  HashKeyRange: {
    StartingHashKey: String(BigInt(index) * width),
    EndingHashKey: String(BigInt(index + 1) * width - 1n),
  },
  SequenceNumberRange: { StartingSequenceNumber: "1" },
}));
const others: Readonly<Record<string, CborMap>> = {
  ListShards: { Shards: shards },
  GetShardIterator: { ShardIterator: "i" },
  DescribeStreamSummary: {
    StreamDescriptionSummary: {
      StreamName: "bench",
      StreamARN: "arn:aws:kinesis:us-east-1:123456789012:stream/bench",
      StreamStatus: "ACTIVE",
      StreamCreationTimestamp: 1_700_000_000,
      RetentionPeriodHours: 24,
    },
  },
};

const server = createServer((request, response) => {
  const type = request.headers["content-type"] ?? "";
  const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
  const isCbor = type.includes("cbor");
  const other = others[action];
  const next = isCbor ? answer.cbor : answer.json;
  const body = other === undefined ? next() : isCbor ? encodeCbor(other) : Buffer.from(JSON.stringify(other));
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": type, "content-length": body.length });
    response.end(body);
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ port, userRecords: answer.userRecords });
});
process.on("disconnect", () => process.exit());
