import type { Metrics } from "@millrace/core/observe";
import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { expect, test } from "vitest";
import { Consumer } from "./consumer.ts";
import { CostedTable } from "./testing-support/costed-table.ts";

const shardCount = 120;
const workers = ["w0", "w1", "w2", "w3", "w4", "w5"];
const measuredSeconds = 120;

test("a fleet under load costs at most 0.25 writes a second for each shard, and only its leader scans", async () => {
  const timeline = new Timeline({ seed: 11 });
  const simulator = new KinesisSimulator({ system: timeline.host("service").system });
  simulator.createStream({ streamName: "clicks", shardCount });
  const leaseTable = new CostedTable();
  const units = new Map<string, number>();
  const unitsOf = (name: string): number =>
    workers.reduce((sum, worker) => sum + (units.get(`${name} ${worker}`) ?? 0), 0);
  const metrics: Metrics = {
    record(name, _unit, value, { operation, workerId }) {
      if (operation === "LeaseTable") units.set(`${name} ${workerId}`, (units.get(`${name} ${workerId}`) ?? 0) + value);
    },
  };
  let handled = 0;
  let leader = "";
  const consumers = workers.map((workerId) => {
    const onEvent = ({ type }: { readonly type: string }): void => {
      if (type === "leadership-gained") leader = workerId;
    };
    const options = { streamName: "clicks", applicationName: "app", workerId, leaseTable, metrics, onEvent };
    return new Consumer(options, { kinesis: simulator.kinesis, system: timeline.host(workerId).system });
  });
  const runs = consumers.map((consumer) =>
    consumer.runEach(async () => {
      handled++;
    }),
  );
  await timeline.run({ forMs: 60_000 });
  units.clear();
  leaseTable.scans = 0;
  for (let second = 0; second < measuredSeconds; second++) {
    const records = Array.from({ length: shardCount * 2 }, (_, index) => ({
      data: Buffer.from("x"),
      partitionKey: `${second}-${index}`,
    }));
    const put = simulator.kinesis.putRecords({ streamName: "clicks", records });
    await timeline.run({ forMs: 1_000 });
    expect((await put).ok).toBe(true);
  }
  expect(handled).toBeGreaterThan(measuredSeconds * shardCount);
  // Every batch of every shard was checkpointed on the way.
  const writes = unitsOf("WriteUnits") / measuredSeconds / shardCount;
  expect(writes).toBeLessThanOrEqual(0.25);
  expect(writes).toBeGreaterThan(0.2);
  // A scan every quarter of the failover time, of about 16 leases for each half unit.
  expect(leaseTable.scans).toBeLessThanOrEqual(measuredSeconds / 2.5 + 1);
  const scanned = (units.get(`ReadUnits ${leader}`) ?? 0) / measuredSeconds / shardCount;
  expect(scanned).toBeLessThanOrEqual(0.05);
  // The others look twice a second for leases of their own, at half a unit each, and at the leader's row.
  for (const worker of workers) {
    if (worker === leader) continue;
    expect((units.get(`ReadUnits ${worker}`) ?? 0) / measuredSeconds).toBeLessThanOrEqual(1.5);
  }
  await timeline.settle(Promise.all(consumers.map((consumer) => consumer.close())));
  await timeline.settle(Promise.all(runs));
});
