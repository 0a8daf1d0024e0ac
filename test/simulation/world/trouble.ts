/**
 * Driver. What goes wrong in a world, as its seed says: faults of the service and of the network, stalls, crashes, stops
 * and clocks. It comes in rounds, each with trouble of its own.
 */
import type { FaultKind, FaultOptions, Prng } from "@millrace/simulator";
import type { Coverage } from "./coverage.ts";
import type { LeaseTableService } from "./lease-table-service.ts";
import type { World } from "./world.ts";

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
  "empty-answer",
  "expired-iterator",
];

/** How a world is troubled. */
export interface TroubleOptions {
  readonly coverage?: Coverage | undefined;
  /** A lease table, whose writes are throttled and whose views are old. */
  readonly table?: LeaseTableService | undefined;
  /**
   * How much more seldom than other faults the stream is resharded by itself. A generation of shards takes a worker about
   * a second: a stream that is resharded more often than that for long leaves more of them than can be read soon.
   */
  readonly reshardDivisor: number;
  /** Mean times between two happenings of one kind, one of which is drawn for each kind. */
  readonly everyMs: readonly number[];
  /** Mean times for which a host is stalled, one of which is drawn. */
  readonly pauseMs: readonly number[];
  /** More that may happen, in rounds in which the seed says so. */
  readonly more?: readonly (() => void)[] | undefined;
}

const shortTrouble: TroubleOptions = { reshardDivisor: 20, everyMs: [2_000, 8_000], pauseMs: [2_000] };

/** Lets everything that can go wrong go wrong until then, as often as the seed says. */
export function unleash(world: World, random: Prng, untilMs: number, options: TroubleOptions = shortTrouble): void {
  const { table, everyMs, pauseMs, reshardDivisor, more = [] } = options;
  world.simulator.clearFaults();
  for (const fault of planFaults(random, reshardDivisor)) world.simulator.fault(fault);
  world.network.change({
    loss: random.chance(0.5) ? random.next() * 0.1 : 0,
    duplication: random.chance(0.5) ? random.next() * 0.1 : 0,
    meanExtraDelayMs: random.pick([1, 5, 50]),
  });
  table?.change({
    throttled: random.chance(0.5) ? random.next() * 0.2 : 0,
    staleMs: random.chance(0.7) ? random.next() * 5_000 : 0,
  });
  const meanPauseMs = random.pick(pauseMs);
  for (const happen of [...happenings(world, meanPauseMs, options), ...more]) {
    if (random.chance(0.5)) world.often(random.pick(everyMs), untilMs, happen);
  }
}

/** Stalls, crashes, stops, cut connections and clocks that jump. */
function happenings(world: World, meanPauseMs: number, { coverage, table }: TroubleOptions): (() => void)[] {
  const aProcess = () => world.random.pick(world.processes);
  const startAgain = (process: ReturnType<typeof aProcess>) =>
    world.after(world.random.wait(500), () => process.start());
  return [
    function stall() {
      coverage?.note("pauses");
      aProcess().pause(world.random.wait(meanPauseMs));
    },
    function crash() {
      const process = aProcess();
      if (!process.isRunning) return;
      coverage?.note("crashes");
      process.kill();
      startAgain(process);
    },
    function stop() {
      const process = aProcess();
      if (!process.isRunning) return;
      coverage?.note("gracefulStops");
      void process.stop().then(() => startAgain(process));
    },
    function cut() {
      const { host } = aProcess();
      const service = table === undefined || world.random.chance(0.5) ? world.kinesisHost : table.host;
      coverage?.note("partitions");
      world.network.partition(host, service);
      world.after(world.random.wait(meanPauseMs), () => world.network.heal(host, service));
    },
    function jump() {
      coverage?.note("clockSteps");
      aProcess().host.jumpClock(world.random.integer(-90_000, 90_000));
    },
  ];
}

/** One fault turned high, or several low. */
function planFaults(random: Prng, reshardDivisor: number): FaultOptions[] {
  const plan = (kind: FaultKind, rate: number): FaultOptions => {
    return { kind, rate: kind === "reshard" ? rate / reshardDivisor : rate, jumpMs: random.integer(-60_000, 60_000) };
  };
  if (random.chance(0.2)) return [plan(random.pick(faultKinds), 0.3 + random.next() * 0.6)];
  return faultKinds.filter(() => random.chance(0.4)).map((kind) => plan(kind, random.next() * 0.1));
}

/**
 * Ends all trouble: faults stop, the network heals, clocks are set right, and what is down or stalled goes on.
 *
 * Clocks too, because the fleet's own protocol needs them: a worker tells by its wall clock that it lives (KCL's
 * worker metrics), and one whose clock is minutes behind gets no leases.
 */
export function calm(world: World, table?: LeaseTableService): void {
  world.simulator.clearFaults();
  world.network.heal();
  world.network.change({ loss: 0, duplication: 0, meanExtraDelayMs: 2 });
  table?.change({ throttled: 0, staleMs: 200 });
  for (const process of world.processes) {
    const { host } = process;
    host.jumpClock(world.timeline.startWallMs + world.timeline.nowMs - host.system.wallNow());
    host.resume();
    process.start();
  }
}
