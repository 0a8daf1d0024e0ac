import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  AddTagsToStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListShardsCommand,
  ListStreamConsumersCommand,
  ListTagsForStreamCommand,
  PutRecordCommand,
  RegisterStreamConsumerCommand,
} from "@aws-sdk/client-kinesis";
import { ConfigError } from "@millrace/core/options";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KinesisSimulator } from "./simulator.ts";
import { recordsOf, StillSimulator } from "./testing-support/still-simulator.ts";
import { Timeline } from "./virtual/timeline.ts";

const streamName = "clicks";
const firstShard = "shardId-000000000000";
let folder = "";
let persistPath = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-simulator-"));
  persistPath = join(folder, "new", "state.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A client of a simulator that listens, with what the tests ask of it. */
async function listening() {
  const simulator = await KinesisSimulator.listen({ persistPath, transitionMs: 0 });
  const client = simulator.client();
  const put = (PartitionKey: string, text: string) =>
    client.send(new PutRecordCommand({ StreamName: streamName, PartitionKey, Data: Buffer.from(text) }));
  const iterator = async (ShardId: string) => {
    const input = { StreamName: streamName, ShardId, ShardIteratorType: "TRIM_HORIZON" } as const;
    return (await client.send(new GetShardIteratorCommand(input))).ShardIterator;
  };
  const read = async (ShardId: string) =>
    (await client.send(new GetRecordsCommand({ ShardIterator: await iterator(ShardId) }))).Records ?? [];
  const description = async () => {
    const { StreamDescriptionSummary: summary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: streamName }),
    );
    return {
      summary,
      shards: (await client.send(new ListShardsCommand({ StreamName: streamName }))).Shards,
      consumers: (await client.send(new ListStreamConsumersCommand({ StreamARN: summary?.StreamARN }))).Consumers,
      tags: (await client.send(new ListTagsForStreamCommand({ StreamName: streamName }))).Tags,
    };
  };
  const close = () => {
    client.destroy();
    return simulator.close();
  };
  return { simulator, client, put, iterator, read, description, close };
}

/** What a simulator refuses the file with; it must not have changed it. */
function refusalOf(options: object = {}): ConfigError {
  const before = readFileSync(persistPath);
  let thrown: unknown;
  try {
    void new KinesisSimulator({ persistPath, ...options });
  } catch (error) {
    thrown = error;
  }
  expect(readFileSync(persistPath).equals(before)).toBe(true);
  if (!(thrown instanceof ConfigError)) throw new Error("no ConfigError", { cause: thrown });
  expect(thrown.path).toBe("persistPath");
  return thrown;
}

/** A file with a stream and three records. */
async function written(): Promise<void> {
  const simulator = new StillSimulator({ persistPath });
  simulator.createStream({ streamName });
  for (let count = 0; count < 3; count++) await simulator.put(streamName, 5000);
  await simulator.close();
}

function change(sql: string): void {
  const database = new DatabaseSync(persistPath);
  database.exec(sql);
  database.close();
}

describe("a restart", () => {
  test("keeps streams, shards, records, consumers, tags and retention for an unmodified client", async () => {
    const before = await listening();
    const { streamArn } = before.simulator.createStream({ streamName, shardCount: 2 });
    const numbers = [(await before.put("a", "one")).SequenceNumber, (await before.put("a", "two")).SequenceNumber];
    before.simulator.reshard({ streamName, split: "shardId-000000000001" });
    await before.client.send(new AddTagsToStreamCommand({ StreamName: streamName, Tags: { team: "web" } }));
    await before.client.send(
      new IncreaseStreamRetentionPeriodCommand({ StreamName: streamName, RetentionPeriodHours: 48 }),
    );
    await before.client.send(new RegisterStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: "reader" }));
    const [described, records, old] = [
      await before.description(),
      await before.read(firstShard),
      await before.iterator(firstShard),
    ];
    await before.close();

    const after = await listening();
    expect(await after.description()).toEqual(described);
    expect(described).toMatchObject({ summary: { RetentionPeriodHours: 48 }, tags: [{ Key: "team", Value: "web" }] });
    expect(described.consumers).toHaveLength(1);
    expect(described.shards).toHaveLength(4);
    expect(await after.read(firstShard)).toEqual(records);
    expect(records.map((record) => record.SequenceNumber)).toEqual(numbers);
    const next = (await after.put("a", "three")).SequenceNumber;
    expect(BigInt(next ?? 0)).toBeGreaterThan(BigInt(numbers[1] ?? 0));
    await expect(after.client.send(new GetRecordsCommand({ ShardIterator: old }))).rejects.toMatchObject({
      name: "ExpiredIteratorException",
    });
    await after.close();

    const last = await listening();
    expect((await last.read(firstShard)).map((record) => record.SequenceNumber)).toEqual([...numbers, next]);
    await last.close();
  });

  test("keeps what was trimmed and deleted away, and the places of what comes", async () => {
    const first = new StillSimulator({ persistPath });
    first.createStream({ streamName });
    first.createStream({ streamName: "gone" });
    await first.put("gone");
    const trimmed = await first.put(streamName);
    first.clock.advance(24 * 3_600_000 + 1);
    await first.call("GetRecords", { ShardIterator: await first.iterator(streamName) });
    await first.call("DeleteStream", { StreamName: "gone" });
    await first.close();
    const second = new StillSimulator({ persistPath, limits: { retentionTrim: false } });
    expect(await second.call("ListStreams")).toMatchObject({ StreamNames: [streamName] });
    const kept = await second.put(streamName);
    const read = await second.call("GetRecords", { ShardIterator: await second.iterator(streamName) });
    expect(recordsOf(read).map((record) => record["SequenceNumber"])).toEqual([kept]);
    expect(BigInt(kept) - BigInt(trimmed)).toBeGreaterThan(2n ** 79n);
    await second.close();
  });

  test("finds what a process that was killed had saved within a second", async () => {
    const timeline = new Timeline();
    const simulator = new KinesisSimulator({ persistPath, system: timeline.host("kinesis").system });
    simulator.createStream({ streamName });
    await timeline.run({ forMs: 1000 });
    const copy = join(folder, "copy.db");
    writeFileSync(copy, readFileSync(persistPath));
    const restarted = new KinesisSimulator({ persistPath: copy });
    expect(restarted.reshard({ streamName, split: firstShard }).opened).toHaveLength(2);
    await restarted.close();
    await simulator.close();
  });
});

describe("a file that cannot be used is refused and left as it is:", () => {
  test("one that is cut off", async () => {
    await written();
    truncateSync(persistPath, 12_288);
    expect(refusalOf().message).toMatch(/It cannot be used: .* left as it is/);
  });

  test("one that is no database, and one of another program", async () => {
    await written();
    writeFileSync(persistPath, "no database at all\n".repeat(100));
    expect(refusalOf().message).toMatch(/not a database/);
    rmSync(persistPath);
    change("CREATE TABLE theirs (x)");
    expect(refusalOf().message).toMatch(/another program's/);
  });

  test("one with a record missing, and one whose state is none", async () => {
    await written();
    change("DELETE FROM record WHERE counter = 2");
    expect(refusalOf().message).toMatch(/is missing/);
    change("UPDATE service SET state = '{}'");
    expect(refusalOf({ accountId: "123456789012" }).message).toMatch(/persistPath/);
    change("UPDATE service SET state = '{'");
    expect(refusalOf().message).toMatch(/It cannot be used/);
  });

  test("one of a later version", async () => {
    await written();
    change("PRAGMA user_version = 2");
    expect(refusalOf().message).toMatch(/format 2: a later version/);
  });

  test("one of another region", async () => {
    await written();
    expect(refusalOf({ region: "eu-west-1" }).message).toMatch(/in us-east-1/);
  });

  test("one that another simulator has open", async () => {
    const simulator = new KinesisSimulator({ persistPath });
    expect(refusalOf().message).toMatch(/no other simulator has open/);
    await simulator.close();
  });
});
