/**
 * Driver. The second world: producers put, workers read, and everything goes wrong for both, in rounds; then all is calm,
 * and every acknowledged record must reach a handler.
 */
import type { ConsumerEvent } from "@millrace/consumer";
import { Prng } from "@millrace/simulator";
import { AcknowledgedIsStored } from "./checkers/acknowledged.ts";
import { Deliveries } from "./checkers/deliveries.ts";
import { FinishedPrefix } from "./checkers/finished-prefix.ts";
import { KeyOrder } from "./checkers/key-order.ts";
import { Leases } from "./checkers/leases.ts";
import { EveryPutSettles } from "./checkers/settled.ts";
import { Ledger } from "./components/ledger.ts";
import { planProducing } from "./components/plan-producing.ts";
import { Working, type Habits } from "./components/working.ts";
import { hold, type Checker } from "./world/checker.ts";
import { Coverage } from "./world/coverage.ts";
import { LeaseTableService, textOf } from "./world/lease-table-service.ts";
import { reshard } from "./world/reshard.ts";
import { calm, unleash } from "./world/trouble.ts";
import { World } from "./world/world.ts";

const streamName = "world";
/** In this time everything that was acknowledged is delivered, and the leases are shared out. */
const healMs = 240_000;
const closeMs = 90_000;
/** A round has trouble of its own. */
const roundMs = { min: 60_000, max: 240_000 };

const troubles = { reshardDivisor: 400, everyMs: [4_000, 20_000], pauseMs: [1_000, 8_000] };

/** What must have happened in a set of seeds. */
export const fleetCoverage = [
  "takeovers",
  "handOffs",
  "midAggregateResumes",
  "ambiguousWrites",
  "throttledWrites",
  "staleRows",
  "pauses",
  "crashes",
  "gracefulStops",
  "partitions",
  "clockSteps",
  "splits",
  "merges",
  "parallelCalls",
  "lostLeases",
  "repeated",
] as const;

/** What happened in a fleet's world that held. */
export interface FleetOutcome {
  readonly world: "fleet";
  readonly seed: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly shards: number;
  readonly healedAfterMs: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly coverage: Readonly<Record<string, number>>;
  readonly traceHash: string;
}

/** Builds the fleet of a seed. */
export function createFleetWorld(seed: number) {
  const world = new World(seed);
  const random = new Prng(seed).fork("fleet");
  const failoverTimeMs = random.pick([2_000, 5_000, 10_000]);
  const strategy = random.pick(["count", "utilization"] as const);
  const ledger = new Ledger();
  const coverage = new Coverage();
  const table = new LeaseTableService(world);
  const workers: Working[] = [];
  const batchWorkers = new Set<string>();
  const deliveries = new Deliveries(ledger, table.rows);
  const leases = new Leases(table.rows, strategy);
  const keyOrder = new KeyOrder();
  const finished = new FinishedPrefix(world.stored, (id) => (batchWorkers.has(nameOf(id)) ? "C1" : "C11"));
  const trouble = { broken: undefined as unknown };
  table.onWrite = (write) => {
    leases.onWrite(write);
    finished.onWrite(write);
    // The draining owner gives the lease to its receiver: a hand-off that came to its end.
    const drained = textOf(write.before, "checkpointOwner");
    if (drained === write.writer && textOf(write.after, "checkpointOwner") === undefined) coverage.note("handOffs");
  };
  const brokenWorkers: Checker = {
    invariant: "C8",
    check: () => hold("C8", trouble.broken === undefined, () => `a worker gave up: ${String(trouble.broken)}`),
  };
  const acknowledged = new AcknowledgedIsStored(ledger, world.stored);
  for (const checker of [acknowledged, new EveryPutSettles(ledger), deliveries, leases, finished, keyOrder]) {
    world.addChecker(checker);
  }
  world.addChecker(brokenWorkers);
  world.simulator.createStream({ streamName, shardCount: random.integer(1, 4) });
  addProducers(world, random, ledger);
  const count = random.integer(2, 4);
  for (let index = 1; index <= count; index++) {
    const name = `worker-${index}`;
    const habits = planHabits(random, failoverTimeMs);
    if (habits.concurrency === 0) batchWorkers.add(name);
    const onEvent = (event: ConsumerEvent) => noteEvent(coverage, world, event);
    const onBroken = (error: unknown) => {
      trouble.broken ??= error;
    };
    const common = { streamName, table, failoverTimeMs, strategy, deliveries, finished, keyOrder };
    workers.push(new Working({ ...common, name, habits, onEvent, onBroken }));
  }
  for (const worker of workers) {
    const process = world.addProcess(worker);
    process.host.setClock({ rate: 1 + (random.next() - 0.5) / 500, aheadMs: random.integer(0, 1_000_000) });
    process.host.jumpClock(random.integer(-2_000, 2_000));
    process.start();
  }
  return { world, random, ledger, coverage, table, deliveries, leases, keyOrder, workers };
}

/** The name of a worker, of whose lives `workerId` is one. */
function nameOf(workerId: string): string {
  return workerId.slice(0, workerId.lastIndexOf("."));
}

function addProducers(world: World, random: Prng, ledger: Ledger): void {
  const count = random.integer(1, 2);
  for (let index = 1; index <= count; index++) {
    const load = { maxRecordsPerSecond: 40, maxLoad: 0.02 };
    const producing = planProducing(random, { name: `producer-${index}`, streamName, ledger, count, ...load });
    world.addProcess(producing).start();
  }
}

function planHabits(random: Prng, failoverTimeMs: number): Habits {
  const concurrency = random.pick([0, 0, 1, 4, 16]);
  return {
    concurrency,
    // A single record that is slow, or is tried again, holds up those behind it: with more of them a shard would never be
    // read to its end.
    failures: random.pick([0, 0.02, concurrency === 0 ? 0.1 : 0.005]),
    slow: random.pick([0, concurrency === 0 ? 0.01 : 0.000_5]),
    slowMs: random.pick([200, 2 * failoverTimeMs]),
  };
}

function noteEvent(coverage: Coverage, world: World, event: ConsumerEvent): void {
  if (event.type === "lease-assigned" && event.cause === "expired") coverage.note("takeovers");
  if (event.type === "lease-lost") coverage.note("lostLeases");
  if (event.type === "lease-acquired") {
    const [sequenceNumber = "", sub = "0"] = event.checkpoint.split(":");
    const members = world.stored.membersAt(event.shardId, sequenceNumber)?.length ?? 0;
    if (Number(sub) < members - 1) coverage.note("midAggregateResumes");
  }
}

/** Notes in the trace where a record is that no handler gets. */
function tellStall({ world, ledger, deliveries, table, workers }: ReturnType<typeof createFleetWorld>): void {
  const fate = ledger.entries().find(({ id }) => id === deliveries.missing)?.fate;
  if (fate?.kind !== "acknowledged") return;
  const { shardId, sequenceNumber } = fate;
  world.timeline.note(
    "stall",
    `the record is at ${shardId} ${sequenceNumber}: ${JSON.stringify(table.rows.get(shardId))}`,
  );
  for (const { name, health } of workers) world.timeline.note("stall", `${name}: ${JSON.stringify(health)}`);
}

/**
 * Runs the fleet of a seed to its end.
 * @param loadedMs for how long producers put and everything goes wrong.
 * @throws {InvariantError} when an invariant does not hold.
 */
export async function runFleetWorld(
  parts: ReturnType<typeof createFleetWorld>,
  loadedMs: number,
): Promise<FleetOutcome> {
  const { world, random, ledger, coverage, table, deliveries, leases, keyOrder, workers } = parts;
  const more = [() => void (world.random.chance(0.3) && reshard(world, streamName, coverage))];
  while (world.timeline.nowMs < loadedMs) {
    const untilMs = Math.min(loadedMs, world.timeline.nowMs + random.integer(roundMs.min, roundMs.max));
    unleash(world, random, untilMs, { ...troubles, coverage, table, more });
    await world.run(untilMs - world.timeline.nowMs);
  }
  calm(world, table);
  const calmAtMs = world.timeline.nowMs;
  const areUp = () => world.processes.every((process) => process.isRunning && !process.isStopping);
  await world.timeline.run({ forMs: closeMs, until: areUp });
  // A process that was down is started again by a timer of its own: one that stops before that would come back.
  await world.run(10_000);
  const producers = world.processes.filter((process) => process.component.name.startsWith("producer"));
  await world.settle(Promise.all(producers.map((process) => process.stop())), closeMs);
  const workerIds = () => workers.map((worker) => worker.workerId ?? "stopped");
  const isHealed = () => deliveries.hasAll() && leases.unrest(workerIds()) === undefined;
  await world.timeline.run({ forMs: healMs, until: isHealed });
  const healedAfterMs = Math.round(world.timeline.nowMs - calmAtMs);
  tellStall(parts);
  deliveries.checkEnd();
  leases.checkRest(workerIds());
  await world.settle(Promise.all(world.processes.map((process) => process.stop())), closeMs);
  world.checkEnd();
  const { ambiguousWrites, throttledWrites, staleRows } = table.tally;
  const repeated = deliveries.count - deliveries.distinct;
  coverage.add({ ambiguousWrites, throttledWrites, staleRows, repeated, parallelCalls: keyOrder.overlaps });
  await world.simulator.close();
  return {
    world: "fleet",
    seed: world.seed,
    acknowledged: ledger.count("acknowledged"),
    delivered: deliveries.distinct,
    shards: [...table.rows.values()].filter((row) => row["checkpoint"] !== undefined).length,
    healedAfterMs,
    events: world.timeline.events,
    virtualMs: Math.round(world.timeline.nowMs),
    coverage: coverage.toJSON(),
    traceHash: world.timeline.traceHash(),
  };
}
