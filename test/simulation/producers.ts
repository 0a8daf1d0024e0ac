/**
 * Driver. The first world: producers put into a stream while everything goes wrong; then all is calm, and what was
 * acknowledged must be there.
 */
import { Prng, type FaultKind, type FaultOptions } from "@millrace/simulator";
import { AcknowledgedIsStored } from "./checkers/acknowledged.ts";
import { Bounds } from "./checkers/bounds.ts";
import { EveryPutSettles } from "./checkers/settled.ts";
import { Ledger } from "./components/ledger.ts";
import { Producing } from "./components/producing.ts";
import { hold } from "./world/checker.ts";
import { readStream } from "./world/read-stream.ts";
import { World } from "./world/world.ts";

/** What happened in a world that held. */
export interface Outcome {
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
/** Share of one shard's throughput that all producers together use. */
const maxLoad = 0.2;
/** Records a second of all producers together: more take long, and show nothing new. */
const maxRecordsPerSecond = 400;
const mebibyte = 1_048_576;
/** Closing takes no longer than a record may live, and a call. */
const closeMs = 60_000;

const faultKinds: readonly FaultKind[] = [
  "throttle",
  "partial-failure",
  "internal-failure",
  "service-unavailable",
  "kms-throttle",
  "non-json-body",
  "answer-lost",
  "reset",
  "slow",
  "hang",
  "reshard",
  "clock-jump",
];

/** Builds the world of a seed. */
export function createProducersWorld(seed: number) {
  const world = new World(seed);
  const random = new Prng(seed).fork("plan");
  const ledger = new Ledger();
  world.simulator.createStream({ streamName, shardCount: random.integer(1, 4) });
  const count = random.integer(1, 3);
  const producing = Array.from({ length: count }, (_, index) =>
    planProducing(random, `producer-${index + 1}`, count, ledger),
  );
  const acknowledged = new AcknowledgedIsStored(ledger, world.stored);
  world.addChecker(acknowledged);
  world.addChecker(new Bounds(producing, world.stored));
  world.addChecker(new EveryPutSettles(ledger));
  for (const component of producing) world.addProcess(component).start();
  return { world, random, ledger, acknowledged };
}

/** A program of its own size and habits, which leaves a single shard most of its throughput. */
function planProducing(random: Prng, name: string, count: number, ledger: Ledger): Producing {
  const isLarge = random.chance(0.1);
  const aggregation = random.chance(0.8);
  const minRecordBytes = 40;
  const maxRecordBytes = isLarge ? 200_000 : random.pick([60, 300, 2_000]);
  const burstRecords = isLarge ? 3 : random.pick([1, 10, 40]);
  const burstBytes = (burstRecords * (minRecordBytes + maxRecordBytes)) / 4;
  const meanBurst = (1 + burstRecords) / 2;
  // Records a second count against a shard only where each is a Kinesis record of its own.
  const shareOfSecond = Math.max(burstBytes / mebibyte, aggregation ? 0 : meanBurst / 1_000);
  return new Producing({
    name,
    ledger,
    load: {
      keys: random.pick([1, 3, 50]),
      minRecordBytes,
      maxRecordBytes,
      burstRecords,
      meanPauseMs: Math.max(
        random.pick([10, 50, 200]),
        (1_000 * count * shareOfSecond) / maxLoad,
        (1_000 * count * meanBurst) / maxRecordsPerSecond,
      ),
    },
    producer: {
      streamName,
      aggregation,
      recordMaxBufferedMs: random.pick([0, 20, 100]),
      recordTtlMs: random.pick([2_000, 10_000, 30_000]),
      maxConnections: random.pick([1, 4, 24]),
      maxBufferedRecords: random.pick([50, 1_000, 200_000]),
      maxBufferedBytes: random.pick([mebibyte, 16 * mebibyte]),
      maxWaitingRecords: random.pick([0, 100, 10_000]),
    },
  });
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
  unleash(world, random);
  await world.run(faultyMs);
  world.simulator.clearFaults();
  world.network.heal();
  world.network.change({ loss: 0, duplication: 0, meanExtraDelayMs: 2 });
  for (const process of world.processes) {
    process.host.resume();
    process.start();
  }
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

/** Lets everything that can go wrong go wrong, as often as the seed says. */
function unleash(world: World, random: Prng): void {
  for (const fault of planFaults(random)) world.simulator.fault(fault);
  world.network.change({
    loss: random.chance(0.5) ? random.next() * 0.1 : 0,
    duplication: random.chance(0.5) ? random.next() * 0.1 : 0,
    meanExtraDelayMs: random.pick([1, 5, 50]),
  });
  const stall = () => world.random.pick(world.processes).pause(world.random.wait(2_000));
  const crash = () => {
    const process = world.random.pick(world.processes);
    process.kill();
    world.after(world.random.wait(500), () => process.start());
  };
  const cut = () => {
    const { host } = world.random.pick(world.processes);
    world.network.partition(host, world.kinesisHost);
    world.after(world.random.wait(2_000), () => world.network.heal(host, world.kinesisHost));
  };
  const jump = () => world.random.pick(world.processes).host.jumpClock(world.random.integer(-90_000, 90_000));
  for (const happen of [stall, crash, cut, jump]) {
    if (random.chance(0.5)) world.often(random.pick([2_000, 8_000]), faultyMs, happen);
  }
}

/** One fault turned high, or several low. */
function planFaults(random: Prng): FaultOptions[] {
  const plan = (kind: FaultKind, rate: number): FaultOptions => {
    // A stream is resharded now and then, also at its worst.
    return { kind, rate: kind === "reshard" ? rate / 20 : rate, jumpMs: random.integer(-60_000, 60_000) };
  };
  if (random.chance(0.2)) return [plan(random.pick(faultKinds), 0.3 + random.next() * 0.6)];
  return faultKinds.filter(() => random.chance(0.4)).map((kind) => plan(kind, random.next() * 0.1));
}
