/** Driver. Cases of GetShardIterator and GetRecords. */
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { expect } from "vitest";
import { documented } from "../contract-case.ts";
import type { ContractCase } from "../contract-case.ts";
import { errorName } from "../service-under-test.ts";
import type { ServiceUnderTest } from "../service-under-test.ts";

const shardId = "shardId-000000000000";

/** A stream of one shard that holds text-0, text-1 and text-2, with their sequence numbers. */
async function threeRecords(service: ServiceUnderTest) {
  const { streamName } = await service.createStream(1);
  const results = await service.put(streamName, [{ PartitionKey: "a" }, { PartitionKey: "b" }, { PartitionKey: "c" }]);
  return { streamName, numbers: results.map((result) => result.SequenceNumber ?? "") };
}

export const readCases: readonly ContractCase[] = [
  {
    name: "what was put is read with key, number and time",
    rule: documented("GetRecords", "Record: Data, PartitionKey, SequenceNumber, ApproximateArrivalTimestamp."),
    async run(service) {
      const before = Date.now();
      const { streamName, numbers } = await threeRecords(service);
      const { Records = [] } = await service.getRecords(await service.iterator(streamName, shardId));
      expect(
        Records.map((record) => [
          Buffer.from(record.Data ?? []).toString(),
          record.PartitionKey,
          record.SequenceNumber,
        ]),
      ).toEqual([
        ["text-0", "a", numbers[0]],
        ["text-1", "b", numbers[1]],
        ["text-2", "c", numbers[2]],
      ]);
      for (const { ApproximateArrivalTimestamp: at } of Records) {
        expect(at?.getTime()).toBeGreaterThanOrEqual(before - 1000);
        expect(at?.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
      }
    },
  },
  {
    name: "reading starts at and after a sequence number",
    rule: documented("GetShardIterator", "AT_SEQUENCE_NUMBER and AFTER_SEQUENCE_NUMBER."),
    async run(service) {
      const { streamName, numbers } = await threeRecords(service);
      const from = (type: "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER") =>
        service.iterator(streamName, shardId, { ShardIteratorType: type, StartingSequenceNumber: numbers[1] });
      expect(await service.texts(await from("AT_SEQUENCE_NUMBER"))).toEqual(["text-1", "text-2"]);
      expect(await service.texts(await from("AFTER_SEQUENCE_NUMBER"))).toEqual(["text-2"]);
    },
  },
  {
    name: "LATEST gives only what comes after it",
    rule: documented("GetShardIterator", "LATEST: just after the most recent record."),
    async run(service) {
      const { streamName } = await threeRecords(service);
      const iterator = await service.iterator(streamName, shardId, { ShardIteratorType: "LATEST" });
      await service.client.send(
        new PutRecordCommand({ StreamName: streamName, PartitionKey: "k", Data: Buffer.from("later") }),
      );
      expect(await service.texts(iterator)).toEqual(["later"]);
    },
  },
  {
    name: "AT_TIMESTAMP before the first record gives all, in the future nothing",
    rule: documented("GetShardIterator", "AT_TIMESTAMP: the first record at or after the timestamp."),
    async run(service) {
      const { streamName } = await threeRecords(service);
      const at = (timestamp: Date) =>
        service.iterator(streamName, shardId, { ShardIteratorType: "AT_TIMESTAMP", Timestamp: timestamp });
      expect(await service.texts(await at(new Date(Date.now() - 60_000)))).toHaveLength(3);
    },
  },
  {
    name: "Limit bounds an answer, and the next iterator goes on",
    rule: documented("GetRecords", "Limit; NextShardIterator is the next position in the shard."),
    async run(service) {
      const { streamName } = await threeRecords(service);
      const first = await service.getRecords(await service.iterator(streamName, shardId), 2);
      expect(first.Records).toHaveLength(2);
      expect(await service.texts(first.NextShardIterator)).toEqual(["text-2"]);
    },
  },
  {
    name: "an iterator can be used again",
    rule: documented("GetRecords", "An iterator names a position; reading does not use it up."),
    async run(service) {
      const { streamName } = await threeRecords(service);
      const iterator = await service.iterator(streamName, shardId);
      expect(await service.texts(iterator)).toEqual(await service.texts(iterator));
    },
  },
  {
    name: "at the tip a reader is 0 ms behind",
    rule: documented("GetRecords", "MillisBehindLatest: 0 means processing is caught up."),
    async run(service) {
      const { streamName } = await threeRecords(service);
      const { MillisBehindLatest } = await service.getRecords(await service.iterator(streamName, shardId));
      expect(MillisBehindLatest).toBe(0);
    },
  },
  {
    name: "a Limit of 10,001 is refused",
    rule: documented("GetRecords", "Limit: maximum 10,000; more is an InvalidArgumentException."),
    async run(service) {
      const { streamName } = await threeRecords(service);
      const read = service.getRecords(await service.iterator(streamName, shardId), 10_001);
      expect(["InvalidArgumentException", "ValidationException"]).toContain(await errorName(read));
    },
  },
  {
    name: "an iterator that is none is an InvalidArgumentException",
    rule: documented("GetRecords", "InvalidArgumentException: a specified parameter is not valid."),
    async run(service) {
      expect(await errorName(service.getRecords("AAAAAAAAAAHnot-an-iterator"))).toBe("InvalidArgumentException");
    },
  },
  {
    name: "an iterator for an unknown shard is a ResourceNotFoundException",
    rule: documented("GetShardIterator", "ResourceNotFoundException: the requested resource could not be found."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      expect(await errorName(service.iterator(streamName, "shardId-000000000099"))).toBe("ResourceNotFoundException");
    },
  },
  {
    name: "an iterator at a sequence number that is none is an InvalidArgumentException",
    rule: documented("GetShardIterator", "InvalidArgumentException where StartingSequenceNumber is not of the shard."),
    async run(service) {
      const { streamName } = await threeRecords(service);
      const iterator = service.iterator(streamName, shardId, {
        ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
        StartingSequenceNumber: "12345",
      });
      expect(await errorName(iterator)).toBe("InvalidArgumentException");
    },
  },
  {
    name: "a shard is read five times a second",
    rule: documented("GetRecords", "Each shard supports up to 5 read transactions per second."),
    async run(service) {
      const { streamName } = await threeRecords(service);
      const iterator = await service.iterator(streamName, shardId);
      const reads = await Promise.allSettled(Array.from({ length: 12 }, () => service.getRecords(iterator)));
      const failures = reads.filter((read) => read.status === "rejected");
      expect(failures.length).toBeGreaterThan(0);
      expect(failures.map((failure) => (failure.reason as Error).name)).toEqual(
        failures.map(() => "ProvisionedThroughputExceededException"),
      );
    },
  },
];
