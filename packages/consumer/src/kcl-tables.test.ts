import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  ScanCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDynalite, type DynaliteServer } from "./testing-support/dynalite-server.ts";
import { Fleet } from "./testing-support/fleet.ts";

let server: DynaliteServer;

beforeAll(async () => {
  server = await startDynalite();
});

afterAll(() => server.close());

type Item = Record<string, AttributeValue>;

const shards = ["shardId-000000000000", "shardId-000000000001"];
/** Attributes that another version may have written, one of each type. */
const unknownAttributes: Item = {
  futureText: { S: "kept" },
  futureNumber: { N: "12345678901234567890.5" },
  futureBytes: { B: Uint8Array.of(0, 255, 7) },
  futureFlag: { BOOL: true },
  futureNothing: { NULL: true },
  futureNumbers: { NS: ["1", "2"] },
  futureMap: { M: { deep: { L: [{ S: "x" }, { N: "1" }] } } },
};

/** A table as KCL makes it: provisioned by 2.x, without the index. */
async function makeTable(name: string, key: string, items: readonly Item[] = []): Promise<void> {
  await server.client.send(
    new CreateTableCommand({
      TableName: name,
      AttributeDefinitions: [{ AttributeName: key, AttributeType: "S" }],
      KeySchema: [{ AttributeName: key, KeyType: "HASH" }],
      BillingMode: "PROVISIONED",
      ProvisionedThroughput: { ReadCapacityUnits: 10, WriteCapacityUnits: 10 },
    }),
  );
  let status: string | undefined;
  while (status !== "ACTIVE") {
    const { Table } = await server.client.send(new DescribeTableCommand({ TableName: name }));
    status = Table?.TableStatus;
  }
  if (items.length === 0) return;
  const requests = items.map((Item) => ({ PutRequest: { Item } }));
  await server.client.send(new BatchWriteItemCommand({ RequestItems: { [name]: requests } }));
}

async function rowsOf(name: string): Promise<ReadonlyMap<string, Item>> {
  const { Items = [] } = await server.client.send(new ScanCommand({ TableName: name, ConsistentRead: true }));
  return new Map(Items.map((item) => [item["leaseKey"]?.S ?? item["key"]?.S ?? item["wid"]?.S ?? "", item]));
}

/** A lease as KCL 2.x and 3.0 to 3.4 write it: no type, and what this version does not know. */
const oldLease = (leaseKey: string): Item => ({
  leaseKey: { S: leaseKey },
  leaseCounter: { N: "41" },
  checkpoint: { S: "TRIM_HORIZON" },
  checkpointSubSequenceNumber: { N: "0" },
  ownerSwitchesSinceCheckpoint: { N: "0" },
  ...unknownAttributes,
});

const seconds = (): string => String(Math.floor(Date.now() / 1000));
/** The report of a live worker of KCL; from 3.5 on it says what it supports. */
const javaReport = (key: string, name: string, supports?: number): Item => ({
  [key]: { S: name },
  lut: { N: seconds() },
  sts: { M: {} },
  opr: { M: {} },
  ...(supports === undefined ? {} : { sup: { N: String(supports) }, slu: { N: seconds() } }),
  ...unknownAttributes,
});
const versionRow = (key: string): Item => ({
  [key]: { S: "Migration3.0" },
  cv: { S: "CLIENT_VERSION_3X" },
  mb: { S: "java" },
  mts: { N: "1700000000000" },
  h: { L: [] },
});
const migrationRow = (status: string): Item => ({
  key: { S: "TableMigration3.5" },
  tm: { S: `TABLE_MIGRATION_STATUS_${status}` },
  mb: { S: "java" },
  mts: { N: "1700000000000" },
  h: { L: [] },
});

/** The three tables of an application that began with KCL 3.0 to 3.4. */
async function makeLegacy(name: string, state: readonly Item[] = [], workers: readonly Item[] = []): Promise<void> {
  await makeTable(name, "leaseKey", shards.map(oldLease));
  await makeTable(`${name}-CoordinatorState`, "key", [versionRow("key"), ...state]);
  await makeTable(`${name}-WorkerMetricStats`, "wid", workers);
}

const onTables = (applicationName: string) => ({ applicationName, leaseTable: undefined, dynamodb: server.client });

describe("a table of KCL 2.x", () => {
  test("is refused in words, and taken over once its workers are gone, found by scan until it has an index", async () => {
    await makeTable("two", "leaseKey", shards.map(oldLease));
    const fleet = new Fleet();
    const refused = fleet.consumer("early", onTables("two"));
    await expect(refused.run(async () => undefined)).rejects.toThrow(/KCL 2.x.*set takeOverFrom2x/);
    fleet.start("w", undefined, { ...onTables("two"), takeOverFrom2x: true });
    await fleet.put(20);
    await fleet.allDelivered();
    await fleet.close();
    const rows = await rowsOf("two");
    for (const shard of shards) {
      expect(rows.get(shard)).toMatchObject(unknownAttributes);
      expect(rows.get(shard)).not.toHaveProperty("entityType");
    }
  });

  test("of another application, with another key, is refused", async () => {
    await makeTable("other", "id");
    const fleet = new Fleet();
    const run = fleet.consumer("w", onTables("other")).run(async () => undefined);
    await expect(run).rejects.toThrow("its key is id; a lease table has leaseKey");
    await fleet.close();
  });
});

describe("the three tables of KCL 3.0 to 3.4", () => {
  test("are joined: each row where those versions look for it, what is unknown kept byte for byte", async () => {
    const java = javaReport("wid", "java");
    await makeLegacy("three", [], [java]);
    const fleet = new Fleet();
    fleet.start("w", undefined, onTables("three"));
    await fleet.event("started", ({ layout }) => layout === "legacy");
    await fleet.put(20);
    // A row of a live worker beside it: half of the leases are its own.
    await fleet.event("lease-assigned", ({ receiver }) => receiver === "java");
    const reports = await rowsOf("three-WorkerMetricStats");
    expect(reports.get("w")).toMatchObject({ wid: { S: "w" }, sts: { M: {} }, opr: { M: {} } });
    expect(reports.get("java")).toEqual(java);
    const state = await rowsOf("three-CoordinatorState");
    expect(state.get("Leader")).toMatchObject({ ownerName: { S: "w" }, leaseDuration: { S: "600" } });
    expect(state.get("Migration3.0")).toEqual(versionRow("key"));
    await fleet.close();
    const leases = await rowsOf("three");
    // Nothing but leases: older readers of this table know nothing else.
    expect([...leases.keys()].toSorted()).toEqual(shards);
    for (const row of leases.values()) expect(row).toMatchObject(unknownAttributes);
    // What a worker that leaves takes back.
    expect([...(await rowsOf("three-WorkerMetricStats")).keys()]).toEqual(["java"]);
    expect((await rowsOf("three-CoordinatorState")).has("Leader")).toBe(false);
  });

  test("may have names of their own", async () => {
    await makeTable("named", "leaseKey", shards.map(oldLease));
    await makeTable("named-state", "key", [versionRow("key")]);
    await makeTable("named-workers", "wid");
    const fleet = new Fleet();
    fleet.start("w", undefined, {
      ...onTables("named"),
      coordinatorTableName: "named-state",
      workerMetricsTableName: "named-workers",
    });
    await fleet.event("leadership-gained");
    expect((await rowsOf("named-workers")).has("w")).toBe(true);
    expect((await rowsOf("named-state")).has("Leader")).toBe(true);
    await fleet.close();
  });

  test("beside a fleet that uses one table are a second fleet with a second leader: refused [C8] (kcl.md 9.2, 12)", async () => {
    await makeLegacy("mixed");
    const single = { ...versionRow("leaseKey"), entityType: { S: "CLIENT_VERSION_MIGRATION" } };
    await server.client.send(
      new BatchWriteItemCommand({ RequestItems: { mixed: [{ PutRequest: { Item: single } }] } }),
    );
    const fleet = new Fleet();
    const run = fleet.consumer("w", onTables("mixed")).run(async () => undefined);
    await expect(run).rejects.toThrow(/two leaders. Stop the older workers/);
    await fleet.close();
  });
});

describe("the migration from three tables to one", () => {
  test.each([
    ["DEPLOYED", false, "legacy"],
    ["PENDING", false, "legacy"],
    ["DEPLOYED", true, "lease table"],
    ["PENDING", true, "lease table"],
  ] as const)("%s, with migrateTables %s: reports go to the %s", async (status, migrateTables, place) => {
    const name = `moving-${status}-${migrateTables}`;
    await makeLegacy(name, [migrationRow(status)], [javaReport("wid", "old-java", 1)]);
    const fleet = new Fleet();
    fleet.start("w", undefined, { ...onTables(name), migrateTables });
    await fleet.event("started", ({ layout }) => layout === "migrating");
    const isLegacy = place === "legacy";
    expect((await rowsOf(`${name}-WorkerMetricStats`)).has("w")).toBe(isLegacy);
    expect((await rowsOf(name)).get("w")?.["entityType"]).toEqual(isLegacy ? undefined : { S: "WORKER_METRIC_STATS" });
    await fleet.event("leadership-gained");
    // Its duties in a migration are KCL's own: it leads one round and makes way.
    await fleet.event("leadership-lost", ({ reason }) => reason.includes("KCL leads the table migration"));
    // Its row is deleted right after that is told.
    while ((await rowsOf(`${name}-CoordinatorState`)).has("Leader"));
    expect((await rowsOf(`${name}-CoordinatorState`)).get("TableMigration3.5")).toEqual(migrationRow(status));
    await fleet.close();
  });

  test("without a worker of KCL has a leader all the same, by the older table [C8]", async () => {
    await makeLegacy("alone", [migrationRow("DEPLOYED")]);
    const fleet = new Fleet();
    fleet.start("w", undefined, onTables("alone"));
    await fleet.put(20);
    await fleet.allDelivered();
    expect((await rowsOf("alone-CoordinatorState")).has("Leader")).toBe(true);
    expect(fleet.events.some(({ type }) => type === "leadership-lost")).toBe(false);
    await fleet.close();
  });

  test.each([
    ["has not begun", []],
    ["has not gone far enough", [migrationRow("INIT")]],
  ])("is not run ahead of while it %s", async (_name, state) => {
    const name = `early-${state.length}`;
    await makeLegacy(name, state);
    const fleet = new Fleet();
    const run = fleet.consumer("w", { ...onTables(name), migrateTables: true }).run(async () => undefined);
    await expect(run).rejects.toThrow(/migrateTables is set/);
    await fleet.close();
  });

  test("over, one table is used and the older ones are left as they are", async () => {
    await makeLegacy("done", [migrationRow("COMPLETE")]);
    const before = await rowsOf("done-CoordinatorState");
    const fleet = new Fleet();
    fleet.start("w", undefined, onTables("done"));
    await fleet.put(20);
    await fleet.allDelivered();
    const rows = await rowsOf("done");
    expect(rows.get("Leader")).toMatchObject({ entityType: { S: "LEADER" }, ownerName: { S: "w" } });
    expect(rows.get("w")).toMatchObject({ entityType: { S: "WORKER_METRIC_STATS" } });
    expect(await rowsOf("done-CoordinatorState")).toEqual(before);
    expect((await rowsOf("done-WorkerMetricStats")).size).toBe(0);
    await fleet.close();
  });
});
