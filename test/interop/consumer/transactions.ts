/**
 * Driver. `checkpointWith` on moto, which has the transactions that dynalite lacks: the application's writes and the
 * checkpoint are stored together or not at all, and once, whatever becomes of requests and answers.
 */
import {
  DynamoDBClient,
  UpdateItemCommand,
  type AttributeValue,
  type TransactWriteItem,
} from "@aws-sdk/client-dynamodb";
import { Consumer, type RecordBatch } from "@millrace/consumer";
import { checkpointWith } from "@millrace/consumer/dynamodb";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Lane } from "../support/lane.ts";
import type { Peers } from "./fleet.ts";
import { addEffects } from "./effects.ts";
import { createTable, readRow } from "./tables.ts";
import { startProxy, type FatefulDynamoDb, type Fate } from "./proxy.ts";

const streamName = "transactions";
const effectsTable = "effects";
const shardId = "shardId-000000000000";
/** A call may take a third of it: on a busy machine, too, only silence is to take longer. */
const failoverTimeMs = 12_000;

/** What was stored for a record: how often its effect was added, and whether the checkpoint stands at it. */
interface Stored {
  readonly effects: number;
  readonly checkpointed: boolean;
}

/** One record's story: what the handler does with its batch, and what must be stored then. */
interface Scenario {
  readonly title: string;
  readonly fates?: readonly Fate[];
  /** Resolves with the name of the error that the handler got. */
  readonly handle?: (batch: RecordBatch, table: Tables) => Promise<string | undefined>;
  readonly error?: string;
  readonly stored: Stored;
  /** Transactions that were sent; undefined where a renewal may tell first. */
  readonly sent: number | undefined;
}

const once: Stored = { effects: 1, checkpointed: true };
const nothing: Stored = { effects: 0, checkpointed: false };

const scenarios: readonly Scenario[] = [
  { title: "effects and checkpoint are stored together", stored: once, sent: 1 },
  { title: "a conflict with another transaction is tried again", fates: ["conflict"], stored: once, sent: 2 },
  { title: "a transaction whose request is lost is sent again", fates: ["lost"], stored: once, sent: 2 },
  {
    title: "one that was applied without an answer is found by a read and not sent again",
    fates: ["applied-but-silent"],
    stored: once,
    sent: 1,
  },
  {
    title: "one that was lost and then applied without an answer has its effects once",
    fates: ["lost", "conflict", "applied-but-silent"],
    stored: once,
    sent: 3,
  },
  {
    title: "a place that is checkpointed already is refused",
    handle: async (batch) => {
      await checkpointWith(batch, [addTo(batch)]);
      return nameOf(checkpointWith(batch, [addTo(batch)]));
    },
    error: "RangeError",
    stored: once,
    sent: 1,
  },
  {
    title: "a refused item stores nothing, and the lease goes on",
    handle: (batch) => nameOf(checkpointWith(batch, [addTo(batch), refused])),
    error: "TransactionCanceledException",
    stored: nothing,
    sent: 1,
  },
  {
    title: "a hand-off that is asked for meanwhile is no obstacle",
    handle: async (batch, tables) => {
      await tables.update("SET leaseOwner = :next, checkpointOwner = :me", { ":next": "next", ":me": "me" });
      return nameOf(checkpointWith(batch, [addTo(batch)]));
    },
    stored: once,
    // The first is refused, which is how the owner learns of the hand-off.
    sent: 2,
  },
  {
    title: "a lease that was taken stores nothing",
    handle: async (batch, tables) => {
      await tables.update("SET leaseOwner = :thief ADD leaseCounter :one REMOVE checkpointOwner", {
        ":thief": "thief",
        ":one": 1,
      });
      return nameOf(checkpointWith(batch, [addTo(batch)]));
    },
    error: "LeaseLostError",
    stored: nothing,
    sent: undefined,
  },
];

/** Every scenario with a record of its own, on one lease. */
export async function checkTransactions(lane: Lane, { simulator, dynamodbEndpoint }: Peers): Promise<void> {
  const proxy = await startProxy(dynamodbEndpoint);
  const client = simulator.client();
  const common = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  const dynamodb = new DynamoDBClient({ ...common, endpoint: proxy.endpoint });
  const direct = new DynamoDBClient({ ...common, endpoint: dynamodbEndpoint });
  const tables = new Tables(direct);
  simulator.createStream({ streamName, shardCount: 1 });
  await createTable(direct, effectsTable, "id");
  const results = new Map<string, Result>();
  const consumer = new Consumer({
    streamName,
    client,
    dynamodb,
    applicationName: streamName,
    workerId: "me",
    failoverTimeMs,
    pollIntervalMs: 200,
    // Lost answers are what this is about.
    onEvent: () => undefined,
  });
  const running = consumer.run(async (shard) => {
    for await (const batch of shard) {
      const scenario = scenarios.find(({ title }) => title === batch.records[0]?.text());
      if (scenario !== undefined) results.set(scenario.title, await play(scenario, batch, tables, proxy));
      if (shard.signal.aborted) return;
      await batch.checkpoint();
    }
  });
  try {
    for (const scenario of scenarios) {
      const record = { streamName, partitionKey: "key", data: Buffer.from(scenario.title) };
      const stored = await simulator.kinesis.putRecords({ streamName, records: [record] });
      if (!stored.ok) throw stored.error;
      await lane.check(`checkpointWith: ${scenario.title}`, async () => {
        const result = await untilSet(results, scenario.title);
        const { error, stored: expected, sent = result.sent } = scenario;
        mustEqual(result, { ...expected, error, sent });
      });
    }
  } finally {
    await consumer.close({ signal: AbortSignal.timeout(1_000) });
    await running;
    direct.destroy();
    dynamodb.destroy();
    client.destroy();
    await proxy.close();
  }
}

interface Result extends Stored {
  readonly error: string | undefined;
  readonly sent: number;
}

async function play(scenario: Scenario, batch: RecordBatch, tables: Tables, proxy: FatefulDynamoDb): Promise<Result> {
  proxy.fates.push(...(scenario.fates ?? []));
  const sentBefore = proxy.sent();
  const handle = scenario.handle ?? ((own) => nameOf(checkpointWith(own, [addTo(own)])));
  const error = await handle(batch, tables);
  const sent = proxy.sent() - sentBefore;
  return { ...(await tables.storedFor(batch)), error, sent };
}

async function nameOf(doing: Promise<unknown>): Promise<string | undefined> {
  try {
    await doing;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

const idOf = (batch: RecordBatch) => batch.records.at(-1)?.sequenceNumber ?? "";

const addTo = (batch: RecordBatch) => addEffects(effectsTable, idOf(batch), 1);

const refused: TransactWriteItem = {
  ConditionCheck: { TableName: effectsTable, Key: { id: { S: "none" } }, ConditionExpression: "attribute_exists(id)" },
};

/** The lease table and the application's own, past the proxy. */
class Tables {
  readonly #client: DynamoDBClient;

  constructor(client: DynamoDBClient) {
    this.#client = client;
  }

  async storedFor(batch: RecordBatch): Promise<Stored> {
    const effect = await readRow(this.#client, effectsTable, ["id", idOf(batch)]);
    const lease = await readRow(this.#client, streamName, ["leaseKey", shardId]);
    const checkpointed = lease?.["checkpoint"]?.S === batch.records.at(-1)?.sequenceNumber;
    return { effects: Number(effect?.["effects"]?.N ?? 0), checkpointed };
  }

  async update(expression: string, values: Readonly<Record<string, string | number>>): Promise<void> {
    const attributes = Object.entries(values).map(([name, value]): [string, AttributeValue] => [
      name,
      typeof value === "number" ? { N: String(value) } : { S: value },
    ]);
    await this.#client.send(
      new UpdateItemCommand({
        TableName: streamName,
        Key: { leaseKey: { S: shardId } },
        UpdateExpression: expression,
        ExpressionAttributeValues: Object.fromEntries(attributes),
      }),
    );
  }
}

async function untilSet(results: ReadonlyMap<string, Result>, title: string): Promise<Result> {
  const endBy = performance.now() + 90_000;
  for (;;) {
    const result = results.get(title);
    if (result !== undefined) return result;
    if (performance.now() > endBy) throw new Error("the record was not delivered");
    await pause(50);
  }
}

function mustEqual(got: Result, expected: Result): void {
  if (!isDeepStrictEqual(got, expected)) {
    throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
  }
}
