/** Driver. Cases of PutRecord and PutRecords. */
import { createHash } from "node:crypto";
import { PutRecordCommand, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { expect } from "vitest";
import { documented, recorded } from "../contract-case.ts";
import type { ContractCase } from "../contract-case.ts";
import { errorName } from "../service-under-test.ts";

const mebibyte = 1024 * 1024;
const refusals = ["InvalidArgumentException", "ValidationException"];

/** Entries with keys of their own. */
function distinctKeys(count: number) {
  return Array.from({ length: count }, (_, index) => ({ PartitionKey: `${index}` }));
}

export const writeCases: readonly ContractCase[] = [
  {
    name: "a record goes to the shard of its key's MD5",
    rule: documented("PutRecord", "An MD5 hash function maps partition keys to 128-bit integers, and these to shards."),
    async run(service) {
      const { streamName } = await service.createStream(5);
      const shards = await service.shards(streamName);
      const keys = ["a", "partition", "\u00fc\u{1f600}", "0", "key-5"];
      const results = await service.put(
        streamName,
        keys.map((PartitionKey) => ({ PartitionKey })),
      );
      const expected = keys.map((key) => {
        const hash = BigInt(`0x${createHash("md5").update(key).digest("hex")}`);
        return shards.find(
          ({ HashKeyRange: range }) =>
            BigInt(range?.StartingHashKey ?? 0) <= hash && hash <= BigInt(range?.EndingHashKey ?? 0),
        )?.ShardId;
      });
      expect(results.map((result) => result.ShardId)).toEqual(expected);
    },
  },
  {
    name: "an explicit hash key overrides the partition key",
    rule: documented("PutRecord", "ExplicitHashKey overrides the partition key hash."),
    async run(service) {
      const { streamName } = await service.createStream(2);
      const results = await service.put(streamName, [
        { PartitionKey: "same", ExplicitHashKey: "0" },
        { PartitionKey: "same", ExplicitHashKey: String(2n ** 128n - 1n) },
      ]);
      expect(results.map((result) => result.ShardId)).toEqual(["shardId-000000000000", "shardId-000000000001"]);
    },
  },
  {
    name: "an explicit hash key past 2^128 - 1 is refused",
    rule: documented("PutRecord", "ExplicitHashKey: a decimal integer of 128 bits."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const past = service.put(streamName, [{ PartitionKey: "k", ExplicitHashKey: String(2n ** 128n) }]);
      expect(refusals).toContain(await errorName(past));
    },
  },
  {
    name: "sequence numbers of a shard rise",
    rule: documented("PutRecord", "Sequence numbers generally increase over time, within one shard."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const numbers: bigint[] = [];
      for (let call = 0; call < 3; call++) {
        const results = await service.put(streamName, [{ PartitionKey: "a" }, { PartitionKey: "b" }]);
        numbers.push(...results.map((result) => BigInt(result.SequenceNumber ?? 0)));
      }
      expect(numbers).toEqual(numbers.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(new Set(numbers).size).toBe(6);
    },
  },
  {
    name: "SequenceNumberForOrdering is obeyed",
    rule: documented("PutRecord", "SequenceNumberForOrdering guarantees strictly increasing sequence numbers."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const put = (ordering?: string) =>
        service.client.send(
          new PutRecordCommand({
            StreamName: streamName,
            PartitionKey: "k",
            Data: Buffer.from("x"),
            SequenceNumberForOrdering: ordering,
          }),
        );
      const first = await put();
      const second = await put(first.SequenceNumber);
      expect(BigInt(second.SequenceNumber ?? 0)).toBeGreaterThan(BigInt(first.SequenceNumber ?? 0));
    },
  },
  {
    name: "PutRecords answers each entry in the order of the request",
    rule: documented("PutRecords", "The response has as many entries as the request, in its order."),
    async run(service) {
      const { streamName } = await service.createStream(2);
      const high = String(2n ** 128n - 1n);
      const hashKeys = Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? high : "0"));
      const results = await service.put(
        streamName,
        hashKeys.map((ExplicitHashKey) => ({ PartitionKey: "k", ExplicitHashKey })),
      );
      expect(results.map((result) => result.ShardId?.at(-1))).toEqual(
        hashKeys.map((key) => (key === high ? "1" : "0")),
      );
    },
  },
  {
    name: "a record may be empty",
    rule: documented("PutRecord", "Data: length 0 to 10485760."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      await service.client.send(
        new PutRecordCommand({ StreamName: streamName, PartitionKey: "k", Data: new Uint8Array(0) }),
      );
      const { Records = [] } = await service.getRecords(await service.iterator(streamName, "shardId-000000000000"));
      expect(Records.map((record) => record.Data?.length)).toEqual([0]);
    },
  },
  {
    name: "500 records go in one request, 501 do not",
    rule: documented("PutRecords", "Each request can support up to 500 records."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      expect(await service.put(streamName, distinctKeys(500))).toHaveLength(500);
      expect(refusals).toContain(await errorName(service.put(streamName, distinctKeys(501))));
    },
  },
  {
    name: "a request without records is refused",
    rule: recorded("Records: 1 to 500 members, else a ValidationException"),
    async run(service) {
      const { streamName } = await service.createStream(1);
      expect(await errorName(service.put(streamName, []))).toBe("ValidationException");
    },
  },
  {
    name: "data and key make up to 1 MiB, no more",
    rule: documented(
      "PutRecord",
      "The data blob and the partition key together must not exceed the stream's maximum record size, 1 MiB unless raised.",
    ),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const put = (bytes: number, key: string) =>
        service.client.send(
          new PutRecordCommand({ StreamName: streamName, PartitionKey: key, Data: new Uint8Array(bytes) }),
        );
      expect((await put(mebibyte - 10, "0123456789")).ShardId).toBe("shardId-000000000000");
      expect(refusals).toContain(await errorName(put(mebibyte + 1, "k")));
    },
  },
  {
    name: "the partition key counts towards 1 MiB",
    rule: documented(
      "PutRecord",
      "The data blob and the partition key together must not exceed the stream's maximum record size, 1 MiB unless raised.",
    ),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const put = service.client.send(
        new PutRecordCommand({ StreamName: streamName, PartitionKey: "0123456789", Data: new Uint8Array(mebibyte) }),
      );
      expect(refusals).toContain(await errorName(put));
    },
  },
  {
    name: "a request may hold 6 MiB",
    rule: documented("PutRecords", "10 MiB for the entire request, including partition keys."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const Records = Array.from({ length: 6 }, () => ({ Data: new Uint8Array(mebibyte - 100), PartitionKey: "k" }));
      const output = await service.client.send(new PutRecordsCommand({ StreamName: streamName, Records }));
      expect(output.Records).toHaveLength(6);
    },
  },
  {
    name: "a request may not hold 11 MiB",
    rule: documented("PutRecords", "10 MiB for the entire request, including partition keys."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const Records = Array.from({ length: 11 }, () => ({ Data: new Uint8Array(mebibyte - 100), PartitionKey: "k" }));
      const put = service.client.send(new PutRecordsCommand({ StreamName: streamName, Records }));
      expect(refusals).toContain(await errorName(put));
    },
  },
  {
    name: "a partition key has 1 to 256 characters",
    rule: recorded("PartitionKey: 1 to 256 characters, else a ValidationException"),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const put = (key: string) => service.put(streamName, [{ PartitionKey: key }]);
      expect(await put("k".repeat(256))).toHaveLength(1);
      expect(await errorName(put("k".repeat(257)))).toBe("ValidationException");
      expect(await errorName(put(""))).toBe("ValidationException");
    },
  },
  {
    name: "more than 1,000 records a second fail in part",
    rule: documented(
      "PutRecords",
      "Each shard takes 1,000 records per second; entries past it fail with ProvisionedThroughputExceededException while the others are stored.",
    ),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const answers = await Promise.all(Array.from({ length: 6 }, () => service.put(streamName, distinctKeys(500))));
      const codes = new Set(answers.flat().map((result) => result.ErrorCode));
      expect(codes).toEqual(new Set([undefined, "ProvisionedThroughputExceededException"]));
    },
  },
];
