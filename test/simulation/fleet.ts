/**
 * Driver. The second world: producers put, workers read, and everything goes wrong for both; then all is calm, and
 * every acknowledged record must reach a handler.
 */
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { Prng } from "@millrace/simulator";
import { AcknowledgedIsStored } from "./checkers/acknowledged.ts";
import { Deliveries } from "./checkers/deliveries.ts";
import { Leases } from "./checkers/leases.ts";
import { EveryPutSettles } from "./checkers/settled.ts";
import { Ledger } from "./components/ledger.ts";
import { planProducing } from "./components/plan-producing.ts";
import { Working } from "./components/working.ts";
import { hold } from "./world/checker.ts";
import { calm, unleash } from "./world/trouble.ts";
import { World } from "./world/world.ts";

const streamName = "world";
const faultyMs = 40_000;
const failoverTimeMs = 5_000;
/** In this time everything that was acknowledged is delivered, and the leases are shared out. */
const healMs = 180_000;
const closeMs = 60_000;

/** What happened in a fleet's world that held. */
export interface FleetOutcome {
  readonly world: "fleet";
  readonly seed: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly repeated: number;
  readonly shards: number;
  readonly healedAfterMs: number;
  readonly events: number;
  readonly traceHash: string;
}

/** Builds the fleet of a seed. */
export function createFleetWorld(seed: number) {
  const world = new World(seed);
  const random = new Prng(seed).fork("fleet");
  const ledger = new Ledger();
  const table = new MemoryLeaseTable();
  const deliveries = new Deliveries(ledger, table);
  const leases = new Leases(table);
  const trouble = { broken: undefined as unknown };
  world.simulator.createStream({ streamName, shardCount: random.integer(1, 4) });
  for (const checker of [
    new AcknowledgedIsStored(ledger, world.stored),
    new EveryPutSettles(ledger),
    deliveries,
    leases,
  ]) {
    world.addChecker(checker);
  }
  world.addChecker({
    invariant: "C8",
    check: () => hold("C8", trouble.broken === undefined, () => `a worker gave up: ${String(trouble.broken)}`),
  });
  const count = random.integer(1, 2);
  for (let index = 1; index <= count; index++) {
    world.addProcess(planProducing(random, { name: `producer-${index}`, streamName, ledger, count })).start();
  }
  const handlerFailures = random.pick([0, 0.02]);
  const workers = Array.from({ length: random.integer(2, 3) }, (_, index) => {
    return new Working({
      name: `worker-${index + 1}`,
      streamName,
      table,
      failoverTimeMs,
      handlerFailures,
      onWrite: leases.onWrite,
      onHandler: deliveries.onHandler,
      onBroken: (error) => {
        trouble.broken ??= error;
      },
    });
  });
  for (const worker of workers) world.addProcess(worker).start();
  return { world, random, ledger, table, deliveries, leases, workers };
}

/**
 * Runs the fleet of a seed to its end.
 * @throws {InvariantError} when an invariant does not hold.
 */
export async function runFleetWorld(parts: ReturnType<typeof createFleetWorld>): Promise<FleetOutcome> {
  const { world, random, ledger, table, deliveries, leases, workers } = parts;
  unleash(world, random, faultyMs);
  await world.run(faultyMs);
  calm(world);
  // A process that is down is started again by its own timer: one that stops before that would come back.
  await world.run(10_000);
  const calmAtMs = world.timeline.nowMs;
  const producers = world.processes.filter((process) => process.component.name.startsWith("producer"));
  await world.settle(Promise.all(producers.map((process) => process.stop())), closeMs);
  const workerIds = () => workers.map((worker) => worker.workerId ?? "stopped");
  const isHealed = () => leases.unrest(workerIds()) === undefined && deliveries.hasAll();
  await world.timeline.run({ forMs: healMs, until: isHealed });
  const healedAfterMs = Math.round(world.timeline.nowMs - calmAtMs);
  deliveries.checkEnd();
  leases.checkRest(workerIds());
  await world.settle(Promise.all(world.processes.map((process) => process.stop())), closeMs);
  world.checkEnd();
  await world.simulator.close();
  return {
    world: "fleet",
    seed: world.seed,
    acknowledged: ledger.count("acknowledged"),
    delivered: deliveries.distinct,
    repeated: deliveries.count - deliveries.distinct,
    shards: [...table.rows.values()].filter((row) => row["checkpoint"] !== undefined).length,
    healedAfterMs,
    events: world.timeline.events,
    traceHash: world.timeline.traceHash(),
  };
}
