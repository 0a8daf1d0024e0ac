import {
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { realSystem } from "@millrace/core/runtime";
import { mockClient } from "aws-sdk-client-mock";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sentinel } from "../checkpoint/checkpoint.ts";
import { newLeaseRow, parseLease, type Lease } from "../leases/lease.ts";
import * as writes from "../leases/lease-writes.ts";
import { settleOwnWrite } from "../leases/settle-own-write.ts";
import { startDynalite, type DynaliteServer } from "../testing-support/dynalite-server.ts";
import { DynamoDbLeaseTable } from "./dynamodb-lease-table.ts";
import { ownerIndexName } from "./dynamodb-table-setup.ts";

let server: DynaliteServer;
let table: DynamoDbLeaseTable;

beforeAll(async () => {
  server = await startDynalite();
  table = new DynamoDbLeaseTable({ client: server.client, tableName: "clicks-app", system: realSystem });
  await table.open();
});

afterAll(() => server.close());

let leaseCount = 0;

async function createLease(): Promise<Lease> {
  const leaseKey = `shardId-${String(leaseCount++).padStart(12, "0")}`;
  const row = newLeaseRow({
    leaseKey,
    shardId: leaseKey,
    checkpoint: sentinel("TRIM_HORIZON"),
    parentShardIds: ["shardId-p", "shardId-q"],
    hashRange: { start: 0n, end: 2n ** 128n - 1n },
  });
  expect(await table.put(row, [{ attribute: "leaseKey", is: "absent" }])).toMatchObject({ ok: true });
  return read(leaseKey);
}

async function read(leaseKey: string): Promise<Lease> {
  const found = await table.get(leaseKey, { consistent: true });
  const lease = found.ok && found.value !== undefined ? parseLease(found.value) : undefined;
  if (lease === undefined) throw new Error(`no lease ${leaseKey}`);
  return lease;
}

describe("the table", () => {
  test("is made as KCL makes it, with the owner index from the start", async () => {
    const { Table } = await server.client.send(new DescribeTableCommand({ TableName: "clicks-app" }));
    expect(Table?.KeySchema).toEqual([{ AttributeName: "leaseKey", KeyType: "HASH" }]);
    expect(Table?.BillingModeSummary?.BillingMode).toBe("PAY_PER_REQUEST");
    const [index] = Table?.GlobalSecondaryIndexes ?? [];
    expect(index).toMatchObject({
      IndexName: ownerIndexName,
      KeySchema: [
        { AttributeName: "leaseOwner", KeyType: "HASH" },
        { AttributeName: "leaseKey", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "KEYS_ONLY" },
    });
  });

  test("that exists is used as it is", async () => {
    expect(await table.open()).toEqual({ ok: true, value: "existed" });
  });
});

describe("an existing table without the index, as KCL 2.x leaves it", () => {
  const provisioned = { ReadCapacityUnits: 10, WriteCapacityUnits: 20 };
  const described = (IndexStatus?: string) => ({
    Table: {
      TableStatus: "ACTIVE" as const,
      KeySchema: [{ AttributeName: "leaseKey", KeyType: "HASH" as const }],
      ProvisionedThroughput: provisioned,
      ...(IndexStatus === undefined
        ? {}
        : { GlobalSecondaryIndexes: [{ IndexName: ownerIndexName, IndexStatus: IndexStatus as "ACTIVE" }] }),
    },
  });

  test("gets it as KCL makes it, and is scanned until it is filled", async () => {
    const mocked = mockClient(DynamoDBClient);
    mocked
      .on(DescribeTableCommand)
      .resolvesOnce(described())
      .resolvesOnce(described("CREATING"))
      .resolves(described("ACTIVE"));
    mocked.on(UpdateTableCommand).resolves({});
    mocked.on(ScanCommand).resolves({ Items: [{ leaseKey: { S: "k" }, leaseOwner: { S: "me" } }] });
    mocked.on(QueryCommand).resolves({ Items: [{ leaseKey: { S: "k" } }] });
    let now = 0;
    const old = new DynamoDbLeaseTable({
      client: new DynamoDBClient({ region: "us-east-1" }),
      tableName: "old",
      system: { ...realSystem, now: () => now },
    });
    expect(await old.open()).toEqual({ ok: true, value: "existed" });
    const [update] = mocked.commandCalls(UpdateTableCommand);
    expect(update?.args[0].input).toEqual({
      TableName: "old",
      AttributeDefinitions: [
        { AttributeName: "leaseKey", AttributeType: "S" },
        { AttributeName: "leaseOwner", AttributeType: "S" },
      ],
      GlobalSecondaryIndexUpdates: [
        {
          Create: {
            IndexName: ownerIndexName,
            KeySchema: [
              { AttributeName: "leaseOwner", KeyType: "HASH" },
              { AttributeName: "leaseKey", KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "KEYS_ONLY" },
            ProvisionedThroughput: provisioned,
          },
        },
      ],
    });
    expect(await old.keysOwnedBy("me")).toMatchObject({ value: ["k"] });
    expect([mocked.commandCalls(ScanCommand).length, mocked.commandCalls(QueryCommand).length]).toEqual([1, 0]);
    now += 31_000;
    expect(await old.keysOwnedBy("me")).toMatchObject({ value: ["k"] });
    expect([mocked.commandCalls(ScanCommand).length, mocked.commandCalls(QueryCommand).length]).toEqual([1, 1]);
    mocked.restore();
  });

  test.each(["AccessDeniedException", "ResourceInUseException", "LimitExceededException"])(
    "is used all the same where it cannot be given one: %s",
    async (name) => {
      const mocked = mockClient(DynamoDBClient);
      mocked.on(DescribeTableCommand).resolves(described());
      mocked.on(UpdateTableCommand).rejects(Object.assign(new Error("told to fail"), { name }));
      const client = new DynamoDBClient({ region: "us-east-1" });
      const old = new DynamoDbLeaseTable({ client, tableName: "old", system: realSystem });
      expect(await old.open()).toEqual({ ok: true, value: "existed" });
      mocked.restore();
    },
  );

  test("with dear scans is scanned less often: 20 ms for each unit", async () => {
    const mocked = mockClient(DynamoDBClient);
    mocked.on(DescribeTableCommand).resolves(described("CREATING"));
    mocked.on(ScanCommand).resolves({ Items: [], ConsumedCapacity: { CapacityUnits: 100 } });
    let now = 0;
    const client = new DynamoDBClient({ region: "us-east-1" });
    const system = { ...realSystem, now: () => now };
    const old = new DynamoDbLeaseTable({ client, tableName: "old", system });
    for (; now < 10_000; now += 500) await old.keysOwnedBy("me");
    expect(mocked.commandCalls(ScanCommand)).toHaveLength(5);
    mocked.restore();
  });
});

describe("a lease's row", () => {
  test("has KCL's attributes and types, and no others", async () => {
    const lease = await createLease();
    const { Item } = await server.client.send(
      new GetItemCommand({ TableName: "clicks-app", Key: { leaseKey: { S: lease.leaseKey } } }),
    );
    expect(Item).toEqual({
      leaseKey: { S: lease.leaseKey },
      entityType: { S: "LEASE" },
      leaseCounter: { N: "0" },
      ownerSwitchesSinceCheckpoint: { N: "0" },
      checkpoint: { S: "TRIM_HORIZON" },
      checkpointSubSequenceNumber: { N: "0" },
      parentShardId: { SS: ["shardId-p", "shardId-q"] },
      startingHashKey: { S: "0" },
      endingHashKey: { S: "340282366920938463463374607431768211455" },
    });
  });

  test("keeps attributes that are unknown here through every write", async () => {
    const lease = await createLease();
    await table.update({ key: lease.leaseKey, conditions: [], set: { somebodyElses: { S: "kept" } } });
    await table.update(writes.assignment(lease, "a"));
    const owned = await read(lease.leaseKey);
    await table.update(writes.renewal(owned, 12.5));
    const renewed = await read(lease.leaseKey);
    await table.update(
      writes.checkpointUpdate(renewed, { checkpoint: { sequenceNumber: "42", subSequenceNumber: 3 } }, undefined),
    );
    const found = await table.get(lease.leaseKey, { consistent: true });
    expect(found).toMatchObject({ value: { somebodyElses: { S: "kept" }, throughputKBps: { N: "12.5" } } });
    expect(await read(lease.leaseKey)).toMatchObject({
      leaseOwner: "a",
      leaseCounter: 3n,
      checkpoint: { sequenceNumber: "42", subSequenceNumber: 3 },
    });
  });

  test("is created once", async () => {
    const lease = await createLease();
    const again = await table.put(newLeaseRow({ ...lease, leaseOwner: "b" }), [
      { attribute: "leaseKey", is: "absent" },
    ]);
    expect(again).toMatchObject({ ok: false, reason: "condition-failed" });
    expect((await read(lease.leaseKey)).leaseOwner).toBeUndefined();
  });
});

describe("writes that come too late [C4]", () => {
  test("a renewal, a checkpoint and a deletion with an old counter are refused", async () => {
    const seen = await createLease();
    await table.update(writes.assignment(seen, "a"));
    const refused = { ok: false, reason: "condition-failed" };
    expect(await table.update(writes.renewal(seen, undefined))).toMatchObject(refused);
    const checkpoint = { checkpoint: { sequenceNumber: "7", subSequenceNumber: 0 } };
    expect(await table.update(writes.checkpointUpdate(seen, checkpoint, undefined))).toMatchObject(refused);
    expect(await table.delete(seen.leaseKey, writes.deletionConditions(seen))).toMatchObject(refused);
    expect((await read(seen.leaseKey)).checkpoint.sequenceNumber).toBe("TRIM_HORIZON");
  });

  test("an assignment is refused when the owner is not the one seen", async () => {
    const seen = await createLease();
    expect(await table.update(writes.assignment(seen, "a"))).toMatchObject({ ok: true });
    expect(await table.update(writes.assignment(seen, "b"))).toMatchObject({ ok: false, reason: "condition-failed" });
    expect((await read(seen.leaseKey)).leaseOwner).toBe("a");
  });

  test("a hand-off goes through its rows step by step", async () => {
    await table.update(writes.assignment(await createLease(), "a"));
    const key = `shardId-${String(leaseCount - 1).padStart(12, "0")}`;
    const owned = await read(key);
    await table.update(writes.handOffRequest(owned, "b"));
    const requested = await read(key);
    expect(requested).toMatchObject({ leaseOwner: "b", checkpointOwner: "a", leaseCounter: owned.leaseCounter });
    // The owner does not know yet: the clause on checkpointOwner tells it.
    expect(await table.update(writes.renewal(owned, undefined))).toMatchObject({ reason: "condition-failed" });
    expect(settleOwnWrite("a", owned, owned, requested)).toEqual({ verdict: "not-done", handOff: true });
    expect(await table.update(writes.renewal(requested, undefined))).toMatchObject({ ok: true });
    const renewed = await read(key);
    expect(await table.update(writes.assignment(renewed, "b"))).toMatchObject({ ok: true });
    expect(await read(key)).toMatchObject({
      leaseOwner: "b",
      checkpointOwner: undefined,
      leaseCounter: renewed.leaseCounter + 1n,
    });
  });
});

describe("reading", () => {
  test("finds leases by owner through the index", async () => {
    const lease = await createLease();
    await table.update(writes.assignment(lease, "indexed-owner"));
    expect(await table.keysOwnedBy("indexed-owner")).toEqual({ ok: true, value: [lease.leaseKey], units: 0.5 });
    expect(await table.keysOwnedBy("nobody")).toMatchObject({ ok: true, value: [] });
  });

  test("scans every row, over all pages, and says what it cost", async () => {
    const wide = new DynamoDbLeaseTable({ client: server.client, tableName: "wide-app", system: realSystem });
    await wide.open();
    for (let index = 0; index < 5; index++) {
      await wide.put({ leaseKey: { S: `k${index}` }, filler: { S: "x".repeat(300_000) } }, []);
    }
    const rows = await wide.scan();
    expect(rows.ok && rows.value).toHaveLength(5);
    expect(rows.ok && rows.units).toBeGreaterThan(0);
  });

  test("a table that does not exist is refused, not waited for", async () => {
    const missing = new DynamoDbLeaseTable({ client: server.client, tableName: "missing", system: realSystem });
    expect(await missing.get("k")).toMatchObject({ ok: false, reason: "refused" });
  });
});

const failing = (name: string, status?: number) =>
  Object.assign(new Error("told to fail"), {
    name,
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
  });

describe("failures", () => {
  test.each([
    [failing("ThrottlingException", 400), "throttled"],
    [failing("ProvisionedThroughputExceededException", 400), "throttled"],
    [failing("InternalServerError", 500), "unknown"],
    [failing("TimeoutError"), "unknown"],
    [failing("AccessDeniedException", 400), "refused"],
  ])("%s is %s, after one try", async (error, reason) => {
    const mocked = mockClient(DynamoDBClient);
    mocked.on(UpdateItemCommand).rejects(error);
    const client = new DynamoDBClient({ region: "us-east-1" });
    const mockedTable = new DynamoDbLeaseTable({ client, tableName: "t-t", system: realSystem });
    expect(await mockedTable.update({ key: "k", conditions: [], set: {} })).toMatchObject({ ok: false, reason });
    mocked.restore();
  });

  test("the SDK does not repeat a lease write on its own", async () => {
    let calls = 0;
    const client = new DynamoDBClient({
      endpoint: "http://127.0.0.1:1",
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 5,
      requestHandler: {
        handle() {
          calls++;
          return Promise.reject(failing("TimeoutError"));
        },
      },
    });
    const dead = new DynamoDbLeaseTable({ client, tableName: "t-t", system: realSystem });
    expect(await dead.update({ key: "k", conditions: [], set: { a: { S: "b" } } })).toMatchObject({
      reason: "unknown",
    });
    expect(calls).toBe(1);
  });

  test("an aborted call counts as unknown", async () => {
    const signal = AbortSignal.abort(new Error("deadline"));
    expect(await table.put({ leaseKey: { S: "late" } }, [], { signal })).toMatchObject({ reason: "unknown" });
    const { Item } = await server.client.send(
      new GetItemCommand({ TableName: "clicks-app", Key: { leaseKey: { S: "late" } } }),
    );
    expect(Item).toBeUndefined();
  });

  test("a row that others wrote whole is read as far as it is a lease", async () => {
    await server.client.send(
      new PutItemCommand({
        TableName: "clicks-app",
        Item: { leaseKey: { S: "old" }, checkpoint: { S: "LATEST" }, leaseCounter: { N: "9" } },
      }),
    );
    expect(await read("old")).toMatchObject({ shardId: "old", leaseCounter: 9n, hashRange: undefined });
  });
});
