/**
 * Driver. A large fleet at rest: how it shares out its leases, who scans, and what an idle shard costs in DynamoDB.
 */
import { Consumer } from "@millrace/consumer";
import { Leases } from "./checkers/leases.ts";
import { hold } from "./world/checker.ts";
import { LeaseTableService } from "./world/lease-table-service.ts";
import { World } from "./world/world.ts";

const settleMs = 60_000;
const measuredMs = 60_000;

/** What a fleet that held costs. */
export interface ScaleOutcome {
  readonly world: "scale";
  readonly shards: number;
  readonly workers: number;
  readonly scanners: number;
  readonly scansPerMinute: number;
  readonly writesPerShardPerSecond: number;
  /** Reads of single rows and of the index, without scans. */
  readonly readsPerShardPerSecond: number;
}

/**
 * Runs a fleet of so many workers on so many shards, by count.
 * @throws {InvariantError} [C8] when the leases are not shared out evenly, or more workers than the leader scan.
 */
export async function runScale(shards: number, workerCount: number): Promise<ScaleOutcome> {
  const world = new World(1);
  const table = new LeaseTableService(world);
  table.change({ throttled: 0, staleMs: 200 });
  const scanners = new Set<string>();
  world.simulator.createStream({ streamName: "world", shardCount: shards });
  const workerIds = Array.from({ length: workerCount }, (_, index) => `worker-${index + 1}`);
  const consumers = workerIds.map((workerId) => {
    const host = world.timeline.host(workerId);
    const leaseTable = table.over(host, workerId);
    const scan = leaseTable.scan.bind(leaseTable);
    leaseTable.scan = (options) => {
      scanners.add(workerId);
      return scan(options);
    };
    const consumer = new Consumer(
      { streamName: "world", applicationName: "world", workerId, leaseTable, leaseAssignmentStrategy: "count" },
      { kinesis: world.kinesisFor(host), system: host.system },
    );
    const run = consumer.run(async (shard) => {
      for await (const batch of shard) await batch.checkpoint();
    });
    return { consumer, run };
  });
  await world.run(settleMs);
  new Leases(table.rows, "count").checkRest(workerIds);
  scanners.clear();
  const before = { ...table.tally };
  await world.run(measuredMs);
  new Leases(table.rows, "count").checkRest(workerIds);
  hold("C8", scanners.size === 1, () => `${[...scanners].join(", ")} scan the table`);
  const { reads, writes, scans } = table.tally;
  const perShardPerSecond = (count: number) => Number(((count * 1_000) / measuredMs / shards).toFixed(4));
  const outcome: ScaleOutcome = {
    world: "scale",
    shards,
    workers: workerCount,
    scanners: scanners.size,
    scansPerMinute: Math.round(((scans - before.scans) * 60_000) / measuredMs),
    writesPerShardPerSecond: perShardPerSecond(writes - before.writes),
    readsPerShardPerSecond: perShardPerSecond(reads - before.reads - (scans - before.scans)),
  };
  await world.settle(Promise.all(consumers.map(({ consumer }) => consumer.close())), 600_000);
  await Promise.all(consumers.map(({ run }) => run));
  await world.simulator.close();
  return outcome;
}
