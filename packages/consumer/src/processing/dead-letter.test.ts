import { afterEach, expect, test } from "vitest";
import { deadLetterStream } from "../io/dead-letter-stream.ts";
import { MemoryLeaseTable } from "../io/memory-lease-table.ts";
import type { ConsumedRecord } from "../record.ts";
import { Fleet } from "../testing-support/fleet.ts";
import { deadLetterJson, type FailedRecord } from "./dead-letter.ts";

let fleet: Fleet;

afterEach(() => fleet?.close());

/** Reads what stands in the dead-letter stream. */
async function readDeadLetters(): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  fleet.start(
    "reader",
    async (shard) => {
      for await (const batch of shard) {
        records.push(...batch.records);
        await batch.checkpoint();
        fleet.tick();
      }
    },
    { streamName: "failed", applicationName: "failed-app", leaseTable: new MemoryLeaseTable() },
  );
  await fleet.until(() => records.length > 0);
  return records;
}

test("a dead letter stream takes the record as it is, and tells in a tag why it is there", async () => {
  fleet = new Fleet({ shardCount: 1 });
  fleet.simulator.createStream({ streamName: "failed", shardCount: 1 });
  const { kinesis } = fleet.simulator;
  const consumer = fleet.consumer("a");
  const run = consumer.runEach(
    async () => {
      throw new Error("poison");
    },
    { maxAttempts: 2, onFailure: deadLetterStream({ streamName: "failed" }, { kinesis }) },
  );
  await fleet.put(1);
  await fleet.event("dead-lettered");
  await consumer.close();
  await run;
  const [record] = await readDeadLetters();
  expect(record?.text()).toBe("r0");
  expect(record?.partitionKey).toBe("key-0");
  expect(JSON.parse(record?.tags?.["millrace-dead-letter"] ?? "{}")).toMatchObject({
    streamName: "clicks",
    shardId: "shardId-000000000000",
    attempts: 2,
    why: "attempts",
    error: "Error: poison",
  });
});

test("a record that its tag would make too large goes without it", async () => {
  fleet = new Fleet({ shardCount: 1 });
  fleet.simulator.createStream({ streamName: "failed", shardCount: 1 });
  const data = Buffer.alloc(1024 * 1024 - 6, "x");
  await fleet.putRecords([{ data, partitionKey: "key-0" }]);
  const consumer = fleet.consumer("a");
  const run = consumer.runEach(
    async () => {
      throw new Error("poison");
    },
    { maxAttempts: 1, onFailure: deadLetterStream({ streamName: "failed" }, { kinesis: fleet.simulator.kinesis }) },
  );
  await fleet.event("dead-lettered");
  await consumer.close();
  await run;
  const [record] = await readDeadLetters();
  expect(record?.data.byteLength).toBe(data.byteLength);
  expect(record?.tags).toBeUndefined();
});

test("a dead letter for a queue is one line of JSON with the payload in base64", () => {
  const failed: FailedRecord = {
    record: {
      // A view into a larger buffer, as records of one answer are.
      data: Buffer.from("xabcx").subarray(1, 4),
      sequenceNumber: "7",
      text: () => "",
      json: () => undefined,
    },
    shardId: "shardId-000000000000",
    streamName: "clicks",
    attempts: 3,
    why: "age",
    error: new RangeError("odd"),
  };
  const text = deadLetterJson(failed);
  expect(text).not.toContain("\n");
  expect(JSON.parse(text)).toEqual({
    streamName: "clicks",
    shardId: "shardId-000000000000",
    sequenceNumber: "7",
    attempts: 3,
    why: "age",
    error: "RangeError: odd",
    data: Buffer.from("abc").toString("base64"),
  });
});

test.each([
  [{}, "streamName"],
  [{ streamName: "failed", stream: "x" }, "stream"],
])("refuses %j", (options, text) => {
  expect(() => deadLetterStream(options)).toThrow(text);
});
