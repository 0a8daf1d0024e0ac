import { afterAll, beforeAll, expect, test } from "vitest";
import { realSystem } from "@millrace/core/runtime";
import { DynamoDbLeaseTable } from "./io/dynamodb-lease-table.ts";
import { startDynalite, type DynaliteServer } from "./testing-support/dynalite-server.ts";
import { Fleet } from "./testing-support/fleet.ts";

let server: DynaliteServer;

beforeAll(async () => {
  server = await startDynalite();
});

afterAll(() => server.close());

test("three workers on DynamoDB: one dies, one leaves, the stream is resharded, and everything arrives [C1] [C5]", async () => {
  const leaseTable = new DynamoDbLeaseTable({ client: server.client, tableName: "fleet-app", system: realSystem });
  const fleet = new Fleet({ shardCount: 4, leaseTable });
  const times = { failoverTimeMs: 900, leaderLeaseDurationMs: 900 };
  const leader = fleet.start("leader", undefined, times);
  await fleet.event("leadership-gained");
  fleet.start("staying", undefined, times);
  const leaving = fleet.start("leaving", undefined, times);
  await fleet.until(() => Object.values(fleet.heldCounts).length === 3);
  await fleet.put(100);
  await fleet.allDelivered();
  await leader.abandon();
  await fleet.put(100);
  fleet.simulator.reshard({ streamName: "clicks", targetShardCount: 2 });
  await fleet.put(100);
  await fleet.allDelivered();
  await leaving.close();
  await fleet.put(100);
  await fleet.allDelivered();
  expect(fleet.seen.size).toBe(400);
  const children = fleet.deliveries.findIndex((delivery) => delivery.shardId > "shardId-000000000003");
  const parents = fleet.deliveries.findLastIndex((delivery) => delivery.shardId === "shardId-000000000000");
  expect(children).toBeGreaterThan(0);
  expect(parents).toBeGreaterThan(0);
  await fleet.close();
});
