/**
 * Driver. A running Kinesis of any make, as the cases of the contract see it.
 */
import { setTimeout as pause } from "node:timers/promises";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import type { GetRecordsCommandOutput, KinesisClient, PutRecordsRequestEntry, Shard } from "@aws-sdk/client-kinesis";

/** Where a Kinesis runs, and how to end it. */
export interface RunningService {
  readonly endpoint: string;
  /** The process that it runs in, where that is one of its own. */
  readonly pid?: number | undefined;
  close(): Promise<void>;
}

/** A stream made for one case. */
export interface TestStream {
  readonly streamName: string;
  readonly streamArn: string;
}

/** Longest wait for a stream to become ACTIVE. */
const activeWithinMs = 10_000;

export class ServiceUnderTest {
  readonly endpoint: string;
  /** One attempt a call: what the service says is what the case sees. */
  readonly client: KinesisClient;
  #streams = 0;

  constructor(endpoint: string, client: KinesisClient) {
    this.endpoint = endpoint;
    this.client = client;
  }

  /** A name that no other case uses. */
  newName(): string {
    this.#streams++;
    return `contract-${this.#streams}`;
  }

  /** A stream of its own for a case, ACTIVE. */
  async createStream(shardCount: number): Promise<TestStream> {
    const streamName = this.newName();
    await retryWhenLimited(() =>
      this.client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shardCount })),
    );
    return this.untilActive(streamName);
  }

  /** Resolves when the stream is ACTIVE. */
  async untilActive(streamName: string): Promise<TestStream> {
    const deadline = performance.now() + activeWithinMs;
    while (performance.now() < deadline) {
      const { StreamDescriptionSummary: summary } = await retryWhenLimited(() =>
        this.client.send(new DescribeStreamSummaryCommand({ StreamName: streamName })),
      );
      if (summary?.StreamStatus === "ACTIVE") return { streamName, streamArn: summary.StreamARN ?? "" };
      await pause(20);
    }
    throw new Error(`${streamName} did not become ACTIVE within ${activeWithinMs} ms`);
  }

  /** Resolves after a look at a stream that is still there; rejects as the service does once it is not. */
  async lookAt(streamName: string): Promise<void> {
    await retryWhenLimited(() => this.client.send(new DescribeStreamSummaryCommand({ StreamName: streamName })));
    await pause(20);
  }

  async shards(streamName: string): Promise<readonly Shard[]> {
    const { Shards = [] } = await this.client.send(new ListShardsCommand({ StreamName: streamName }));
    return Shards;
  }

  /** Stores entries with the given texts, in order, each in a call of its own answer. */
  async put(streamName: string, entries: readonly Pick<PutRecordsRequestEntry, "PartitionKey" | "ExplicitHashKey">[]) {
    const Records = entries.map(({ PartitionKey, ExplicitHashKey }, index) => ({
      Data: Buffer.from(`text-${index}`),
      PartitionKey,
      ExplicitHashKey,
    }));
    const { Records: results = [] } = await this.client.send(
      new PutRecordsCommand({ StreamName: streamName, Records }),
    );
    return results;
  }

  async iterator(
    streamName: string,
    shardId: string | undefined,
    position: Partial<ConstructorParameters<typeof GetShardIteratorCommand>[0]> = {},
  ): Promise<string | undefined> {
    const { ShardIterator } = await this.client.send(
      new GetShardIteratorCommand({
        StreamName: streamName,
        ShardId: shardId,
        ShardIteratorType: "TRIM_HORIZON",
        ...position,
      }),
    );
    return ShardIterator;
  }

  async getRecords(iterator: string | undefined, limit?: number): Promise<GetRecordsCommandOutput> {
    return await this.client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: limit }));
  }

  /** Reads a shard from its beginning until there is no next iterator; gives the last answer and all texts. */
  async readToEnd(streamName: string, shardId: string | undefined) {
    const texts: string[] = [];
    let iterator = await this.iterator(streamName, shardId);
    for (let answers = 1; answers <= 4; answers++) {
      const last = await this.getRecords(iterator);
      texts.push(...(last.Records ?? []).map((record) => Buffer.from(record.Data ?? []).toString()));
      if (typeof last.NextShardIterator !== "string") return { last, texts };
      iterator = last.NextShardIterator;
    }
    throw new Error("the shard does not end");
  }

  /** The texts that a shard gives from an iterator on, one answer's worth; an emulator's first answer may be empty. */
  async texts(iterator: string | undefined): Promise<string[]> {
    const { Records = [] } = await this.getRecords(iterator);
    return Records.map((record) => Buffer.from(record.Data ?? []).toString());
  }
}

/** Tries again while the service says that calls of this action come too fast. */
export async function retryWhenLimited<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if ((error as Error).name !== "LimitExceededException" || attempt === 50) throw error;
      await pause(100);
    }
  }
}

/** The name of the error that the service answers with; fails the case where it answers anything else. */
export async function errorName(sent: Promise<unknown>): Promise<string> {
  let output: unknown;
  try {
    output = await sent;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode;
    if (status === undefined) throw new Error("the connection broke", { cause: error });
    return status === 400 ? name : `${status} ${name}`;
  }
  throw new Error(`expected an error, got ${JSON.stringify(output)?.slice(0, 200)}`);
}
