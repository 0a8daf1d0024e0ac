/**
 * Driver. A process of its own that answers PutRecords as fast as it can and keeps nothing: the same peer for every
 * contender. HTTP/1.1 on one port, HTTP/2 without TLS (the SDK's default handler) on another.
 */
import { hash } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { encodeCbor, type CborMap } from "../../../packages/core/src/kinesis/cbor-write.ts";
import { decodeCbor } from "../../../packages/core/src/kinesis/wire-cbor.ts";

const shards = Number(process.argv[2] ?? 4);
const keySpace = 1n << 128n;
const width = keySpace / BigInt(shards);
const shardIds = Array.from({ length: shards }, (_, index) => `shardId-${String(index).padStart(12, "0")}`);
let sequence = 10n ** 55n;

interface Entry {
  readonly PartitionKey: string;
  readonly ExplicitHashKey?: string;
}

// Parsing base64 that nobody reads would make the sink the bottleneck.
const jsonEntry = /"PartitionKey":"([^"]*)"(?:,"ExplicitHashKey":"(\d+)")?/g;

function entriesOf(body: Buffer, isCbor: boolean): readonly Entry[] {
  if (isCbor) return (decodeCbor(body) as { Records: Entry[] }).Records;
  return Array.from(body.toString("latin1").matchAll(jsonEntry), ([, key = "", hashKey]) => ({
    PartitionKey: key,
    ...(hashKey !== undefined && { ExplicitHashKey: hashKey }),
  }));
}

function shardOf(entry: Entry): string {
  const hashKey =
    entry.ExplicitHashKey === undefined
      ? BigInt(`0x${hash("md5", entry.PartitionKey)}`)
      : BigInt(entry.ExplicitHashKey);
  return shardIds[Number(hashKey / width)] ?? "";
}

function answer(action: string, body: Buffer, isCbor: boolean): CborMap {
  if (action === "ListShards") {
    return {
      Shards: shardIds.map((ShardId, index) => ({
        ShardId,
        HashKeyRange: {
          StartingHashKey: String(BigInt(index) * width),
          EndingHashKey: String(BigInt(index + 1) * width - 1n),
        },
        SequenceNumberRange: { StartingSequenceNumber: "1" },
      })),
    };
  }
  if (action === "DescribeStreamSummary") return { StreamDescriptionSummary: { StreamName: "bench" } };
  const Records = entriesOf(body, isCbor).map((entry) => ({
    ShardId: shardOf(entry),
    SequenceNumber: String(sequence++),
  }));
  return { FailedRecordCount: 0, Records };
}

interface Incoming {
  on(event: string, listener: (part: Buffer) => void): unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
interface Outgoing {
  writeHead(status: number, headers: Record<string, string | number>): unknown;
  end(body: Buffer): unknown;
}

function serve(request: Incoming, response: Outgoing): void {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const type = String(request.headers["content-type"]);
    const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const isCbor = type.includes("cbor");
    const value = answer(action, Buffer.concat(parts), isCbor);
    const body = isCbor ? encodeCbor(value) : Buffer.from(JSON.stringify(value));
    response.writeHead(200, { "content-type": type, "content-length": body.length });
    response.end(body);
  });
}

const http1 = createServer((request, response) => serve(request, response));
const http2 = createHttp2Server((request, response) => serve(request, response));
http1.listen(0, "127.0.0.1", () =>
  http2.listen(0, "127.0.0.1", () =>
    process.send?.({
      http1: (http1.address() as AddressInfo).port,
      http2: (http2.address() as AddressInfo).port,
    }),
  ),
);
process.on("disconnect", () => process.exit());
