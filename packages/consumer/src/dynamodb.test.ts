import { DynamoDBClient, TransactWriteItemsCommand, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { ConfigError } from "@millrace/core/options";
import { realSystem } from "@millrace/core/runtime";
import { mockClient } from "aws-sdk-client-mock";
import { afterEach, describe, expect, test } from "vitest";
import { checkpointWith } from "./dynamodb.ts";
import { LeaseLostError } from "./errors.ts";
import { DynamoDbLeaseTable } from "./io/dynamodb-lease-table.ts";
import { MemoryLeaseTable } from "./io/memory-lease-table.ts";
import type { JointOutcome } from "./leases/lease-table.ts";
import { textOf, type RowUpdate } from "./leases/table-row.ts";
import { Fleet } from "./testing-support/fleet.ts";

/** A memory table with transactions: the application's writes are names in a list, and answers can get lost. */
class TransactionalTable extends MemoryLeaseTable {
  readonly effects: string[] = [];
  readonly tokens = new Set<string>();
  lostAnswers = 0;
  conflicts = 0;

  async updateWith(
    update: RowUpdate,
    items: readonly unknown[],
    { token }: { readonly token: string },
  ): Promise<JointOutcome> {
    if (this.conflicts-- > 0) return { ok: false, reason: "throttled", error: new Error("conflict") };
    if (items.includes("refused")) return { ok: false, reason: "rejected", error: new Error("the item was refused") };
    if (!this.tokens.has(token)) {
      const outcome = await this.update(update);
      if (!outcome.ok) return outcome;
      this.tokens.add(token);
      this.effects.push(...(items as string[]));
    }
    if (this.lostAnswers-- > 0) return { ok: false, reason: "unknown", error: new Error("no answer") };
    return { ok: true };
  }
}

let fleet: Fleet;

afterEach(() => fleet?.close());

describe("checkpointWith", () => {
  test("writes effects and checkpoint once, through conflicts and lost answers", async () => {
    const table = new TransactionalTable();
    fleet = new Fleet({ shardCount: 1, leaseTable: table });
    fleet.start("a", async (shard) => {
      for await (const batch of shard) {
        table.conflicts = 1;
        table.lostAnswers = 1;
        await checkpointWith(batch, batch.records.map((record) => record.text()) as never);
        for (const record of batch.records) fleet.note("a", shard.shardId, record);
      }
    });
    await fleet.put(5);
    await fleet.allDelivered();
    await fleet.put(5);
    await fleet.allDelivered();
    expect(table.effects.toSorted()).toEqual(Array.from({ length: 10 }, (_, index) => `r${index}`));
    const stored = textOf(table.rows.get("shardId-000000000000") ?? {}, "checkpoint");
    expect(stored).toBe(fleet.deliveries.at(-1)?.record.sequenceNumber);
  });

  test("writes nothing once the lease is lost [C4]", async () => {
    const table = new TransactionalTable();
    fleet = new Fleet({ shardCount: 1, leaseTable: table });
    let refused: unknown;
    fleet.start("a", async (shard) => {
      for await (const batch of shard) {
        await table.update({
          key: shard.shardId,
          conditions: [],
          set: { leaseOwner: { S: "thief" } },
          add: { leaseCounter: 1 },
        });
        refused = await checkpointWith(batch, ["effect"] as never).catch((error: unknown) => error);
        fleet.tick();
      }
    });
    await fleet.put(1);
    await fleet.until(() => refused !== undefined);
    expect(refused).toBeInstanceOf(LeaseLostError);
    expect(table.effects).toEqual([]);
  });

  test("rejects with the refusal of an item, and the batch comes again", async () => {
    const table = new TransactionalTable();
    fleet = new Fleet({ shardCount: 1, leaseTable: table });
    let calls = 0;
    fleet.start("a", async (shard) => {
      for await (const batch of shard) {
        await checkpointWith(batch, [calls++ === 0 ? "refused" : "effect"] as never);
        for (const record of batch.records) fleet.note("a", shard.shardId, record);
      }
    });
    await fleet.put(1);
    await fleet.allDelivered();
    expect(table.effects).toEqual(["effect"]);
    await fleet.event("handler-failed", ({ error }) => error.includes("the item was refused"));
  });

  test("is refused on a table without transactions, with too many items, and for a foreign batch", async () => {
    fleet = new Fleet({ shardCount: 1 });
    const refusals: unknown[] = [];
    fleet.start("a", async (shard) => {
      for await (const batch of shard) {
        refusals.push(await checkpointWith(batch, []).catch((error: unknown) => error));
        refusals.push(
          await checkpointWith(
            batch,
            Array.from({ length: 100 }, () => ({})),
          ).catch((error: unknown) => error),
        );
        refusals.push(await checkpointWith({ ...batch }, []).catch((error: unknown) => error));
        await batch.checkpoint();
        fleet.tick();
      }
    });
    await fleet.put(1);
    await fleet.until(() => refusals.length === 3);
    expect(refusals.every((refusal) => refusal instanceof ConfigError)).toBe(true);
    expect(String(refusals[0])).toMatch(/memory table has none/);
    expect(String(refusals[1])).toMatch(/at most 99/);
  });

  test("is one TransactWriteItems with the counter's condition, and tells its cancellations apart", async () => {
    const mocked = mockClient(DynamoDBClient);
    const client = new DynamoDBClient({ region: "us-east-1" });
    const table = new DynamoDbLeaseTable({ client, tableName: "t-t", system: realSystem });
    const update: RowUpdate = {
      key: "k",
      conditions: [{ attribute: "leaseCounter", is: "equal", value: { N: "7" } }],
      set: { checkpoint: { S: "9" } },
    };
    const send = (codes: readonly string[]): Promise<JointOutcome> => {
      mocked.reset();
      const cancelled = new TransactionCanceledException({
        message: "cancelled",
        $metadata: {},
        CancellationReasons: codes.map((Code) => ({ Code })),
      });
      if (codes.length > 0) mocked.on(TransactWriteItemsCommand).rejects(cancelled);
      else mocked.on(TransactWriteItemsCommand).resolves({});
      return table.updateWith(update, [{ Put: { TableName: "mine", Item: {} } }], { token: "token" });
    };
    expect(await send([])).toEqual({ ok: true });
    expect(mocked.commandCalls(TransactWriteItemsCommand)[0]?.args[0].input).toMatchObject({
      ClientRequestToken: "token",
      TransactItems: [
        { Update: { TableName: "t-t", Key: { leaseKey: { S: "k" } }, ConditionExpression: "#n1 = :v1" } },
        { Put: { TableName: "mine" } },
      ],
    });
    expect(await send(["ConditionalCheckFailed", "None"])).toMatchObject({ reason: "condition-failed" });
    expect(await send(["None", "ConditionalCheckFailed"])).toMatchObject({ reason: "rejected" });
    expect(await send(["TransactionConflict", "None"])).toMatchObject({ reason: "throttled" });
    mocked.restore();
  });
});

describe("a two-phase checkpoint", () => {
  test("that was prepared and not finished is found by the next owner, and cleared by its checkpoint", async () => {
    const table = new MemoryLeaseTable();
    fleet = new Fleet({ shardCount: 1, leaseTable: table });
    const pendings: string[] = [];
    let calls = 0;
    fleet.start("a", async (shard) => {
      calls++;
      const { pendingCheckpoint } = shard;
      if (pendingCheckpoint !== undefined) {
        pendings.push(`${pendingCheckpoint.sequenceNumber} ${Buffer.from(pendingCheckpoint.state ?? []).toString()}`);
      }
      for await (const batch of shard) {
        const prepared = await batch.prepareCheckpoint(undefined, { state: Buffer.from("half done") });
        expect(textOf(table.rows.get(shard.shardId) ?? {}, "checkpoint")).toBe("TRIM_HORIZON");
        if (calls === 1) throw new Error("died in between");
        await prepared.checkpoint();
        for (const record of batch.records) fleet.note("a", shard.shardId, record);
      }
    });
    await fleet.put(2);
    await fleet.allDelivered();
    const last = fleet.deliveries.at(-1)?.record.sequenceNumber;
    expect(pendings).toEqual([`${last} half done`]);
    const row = table.rows.get("shardId-000000000000") ?? {};
    expect(textOf(row, "checkpoint")).toBe(last);
    expect(row["pendingCheckpoint"]).toBeUndefined();
    expect(row["pendingCheckpointState"]).toBeUndefined();
  });
});
