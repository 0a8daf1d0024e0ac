/**
 * Driver. The first world: producers put into a stream while everything goes wrong; then all is calm, and what was
 * acknowledged must be there.
 */
import { Prng } from "@millrace/simulator";
import { AcknowledgedIsStored } from "./checkers/acknowledged.ts";
import { Bounds } from "./checkers/bounds.ts";
import { EveryPutSettles } from "./checkers/settled.ts";
import { Ledger } from "./components/ledger.ts";
import { planProducing } from "./components/plan-producing.ts";
import { hold } from "./world/checker.ts";
import { readStream } from "./world/read-stream.ts";
import { calm, unleash } from "./world/trouble.ts";
import { World } from "./world/world.ts";

/** What happened in a world that held. */
export interface Outcome {
  readonly world: "producers";
  readonly seed: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly abandoned: number;
  readonly storedRecords: number;
  readonly duplicates: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly traceHash: string;
}

const streamName = "world";
const faultyMs = 20_000;
const calmMs = 14_000;
/** Puts of this long after the faults stopped must succeed: by then what had piled up is gone. */
const healMs = 8_000;

/** Closing takes no longer than a record may live, and a call. */
const closeMs = 60_000;

/** Builds the world of a seed. */
export function createProducersWorld(seed: number) {
  const world = new World(seed);
  const random = new Prng(seed).fork("plan");
  const ledger = new Ledger();
  world.simulator.createStream({ streamName, shardCount: random.integer(1, 4) });
  const count = random.integer(1, 3);
  const producing = Array.from({ length: count }, (_, index) =>
    planProducing(random, { name: `producer-${index + 1}`, streamName, ledger, count }),
  );
  const acknowledged = new AcknowledgedIsStored(ledger, world.stored);
  world.addChecker(acknowledged);
  world.addChecker(new Bounds(producing, world.stored));
  world.addChecker(new EveryPutSettles(ledger));
  for (const component of producing) world.addProcess(component).start();
  return { world, random, ledger, acknowledged };
}

/**
 * Runs the world of a seed to its end.
 * @throws {InvariantError} when an invariant does not hold.
 */
export async function runProducersWorld({
  world,
  random,
  ledger,
  acknowledged,
}: ReturnType<typeof createProducersWorld>) {
  unleash(world, random, faultyMs);
  await world.run(faultyMs);
  calm(world);
  const healedAtMs = world.timeline.nowMs + healMs;
  await world.run(calmMs);
  await world.settle(Promise.all(world.processes.map((process) => process.stop())), closeMs);
  world.checkEnd();
  for (const { id, putAtMs, fate } of ledger.entries()) {
    const isHealed = putAtMs < healedAtMs || fate.kind === "acknowledged" || fate.kind === "refused";
    hold("C1", isHealed, () => `${id} was put after the faults had stopped, and ${fate.kind}`);
  }
  const read = await world.settle(readStream(world, streamName), 3_600_000);
  const ids = new Set(read.map((record) => new TextDecoder().decode(record.data).trimEnd()));
  acknowledged.checkRead(ids);
  const outcome: Outcome = {
    world: "producers",
    seed: world.seed,
    acknowledged: ledger.count("acknowledged"),
    failed: ledger.count("failed"),
    abandoned: ledger.count("abandoned"),
    storedRecords: world.stored.size,
    duplicates: read.length - ids.size,
    events: world.timeline.events,
    virtualMs: Math.round(world.timeline.nowMs),
    traceHash: world.timeline.traceHash(),
  };
  await world.simulator.close();
  return outcome;
}
