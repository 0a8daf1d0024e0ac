/**
 * Driver. The third world: a program writes logs, which are rotated, emptied and removed, and an agent ships them, while
 * everything goes wrong, up to a loss of power; then all is calm, and every line that nobody took must be stored.
 */
import type { AgentEvent, FlowConfigInput } from "@millrace/agent";
import { Prng } from "@millrace/simulator";
import { Lines } from "./checkers/lines.ts";
import { Positions } from "./checkers/positions.ts";
import { Logging } from "./components/logging.ts";
import { Rotating, type RotationPlan } from "./components/rotating.ts";
import { Tailing } from "./components/tailing.ts";
import { Disk } from "./disk/disk.ts";
import type { DiskConditions } from "./disk/file-system-over.ts";
import { SavedPositions } from "./disk/saved-positions.ts";
import { hold } from "./world/checker.ts";
import { Coverage } from "./world/coverage.ts";
import { calm, unleash } from "./world/trouble.ts";
import { World } from "./world/world.ts";

const streamName = "world";
/** A pattern that takes in what was rotated. */
const allGenerations = "/var/log/app-*/app.log*";
const healMs = 240_000;
const closeMs = 90_000;
const roundMs = { min: 60_000, max: 240_000 };
const troubles = { reshardDivisor: 400, everyMs: [8_000, 30_000], pauseMs: [1_000, 8_000, 20_000] };

/** What must have happened in a set of seeds. */
export const agentCoverage = [
  "rotations-rename",
  "rotations-copytruncate",
  "rotations-dated",
  "truncations",
  "removals",
  "powerLosses",
  "forgottenPositions",
  "fullDisks",
  "pauses",
  "crashes",
  "gracefulStops",
  "excusedLines",
  "repeatedLines",
  "event-bytes-possibly-lost",
  "event-file-unreadable",
  "event-positions-not-saved",
] as const;

/** What happened in an agent's world that held. */
export interface AgentOutcome {
  readonly world: "agent";
  readonly seed: number;
  readonly lines: number;
  readonly excused: number;
  readonly repeated: number;
  readonly healedAfterMs: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly coverage: Readonly<Record<string, number>>;
  readonly traceHash: string;
}

/** Builds the agent's world of a seed. */
export function createAgentWorld(seed: number) {
  const world = new World(seed);
  const random = new Prng(seed).fork("agent");
  const coverage = new Coverage();
  const disk = new Disk(random.fork("disk"), () => world.timeline.startWallMs + world.timeline.nowMs);
  const flow = planFlow(random);
  const lines = new Lines(disk, world.stored, { copiesAreFound: flow.filePattern === allGenerations });
  const positionChecker = new Positions(disk, lines);
  const positions = new SavedPositions(() => world.timeline.nowMs);
  positions.onSave = (rows) => positionChecker.onSave(rows);
  disk.onDestroyed = (destroyed) => lines.onDestroyed(destroyed);
  const trouble = { broken: undefined as string | undefined };
  world.addChecker(lines);
  world.addChecker(positionChecker);
  world.addChecker({
    invariant: "C9",
    check: () => hold("C9", trouble.broken === undefined, () => String(trouble.broken)),
  });
  world.simulator.createStream({ streamName, shardCount: random.integer(1, 3) });
  const plans = planRotations(random);
  const logging = new Logging({
    name: "program",
    disk,
    lines,
    logs: plans.map(({ log }) => log),
    meanPauseMs: random.pick([100, 500, 2_000]),
    burstLines: random.pick([1, 10, 30]),
    maxLineBytes: random.pick([60, 400, 2_000]),
  });
  const rotating = new Rotating({ world, disk, logging, coverage, plans });
  const conditions: { current: DiskConditions } = { current: { maxDelayMs: 0.2, noHandles: 0, readErrors: 0 } };
  const onBroken = (what: string) => {
    trouble.broken ??= what;
  };
  const onEvent = (event: AgentEvent) => {
    coverage.note(`event-${event.type}`);
    if ("path" in event) world.timeline.note("agent", JSON.stringify(event));
    if (event.type === "flow-failed" || event.type === "record-undeliverable") onBroken(JSON.stringify(event));
  };
  const tailing = new Tailing({
    name: "agent",
    flows: [flow],
    disk,
    conditions: () => conditions.current,
    positions,
    lines,
    onEvent,
    onBroken,
  });
  const processes = [world.addProcess(logging), world.addProcess(tailing)];
  for (const process of processes) process.start();
  return { world, random, coverage, disk, lines, positions, rotating, tailing, conditions };
}

function planRotations(random: Prng): RotationPlan[] {
  return Array.from({ length: random.integer(1, 3) }, (_, index) => ({
    log: `/var/log/app-${index}/app.log`,
    style: random.pick(["rename", "copytruncate", "dated"] as const),
    keep: random.integer(1, 4),
  }));
}

function planFlow(random: Prng): FlowConfigInput {
  return {
    filePattern: random.pick([allGenerations, allGenerations, "/var/log/app-*/app.log"]),
    kinesisStream: streamName,
    initialPosition: "START_OF_FILE",
    maxBufferAgeMillis: random.pick([0, 200, 1_000]),
    minTimeBetweenFilePollsMillis: random.pick([100, 400]),
    rotateWaitMillis: random.pick([5_000, 10_000]),
    aggregation: random.chance(0.5),
    ordering: random.pick(["none", "perKey"] as const),
    retryMaxBackoffMillis: 5_000,
  };
}

type Parts = ReturnType<typeof createAgentWorld>;

/** What happens to disks. */
function happenings({ world, coverage, disk, positions, rotating }: Parts): (() => void)[] {
  const { random } = world;
  return [
    () => rotating.rotate(),
    () => rotating.rotate(),
    () => {
      if (random.chance(0.3)) rotating.take();
    },
    function losePower() {
      if (!random.chance(0.2)) return;
      coverage.note("powerLosses");
      for (const process of world.processes) process.kill();
      disk.losePower();
      if (random.chance(0.3)) {
        coverage.note("forgottenPositions");
        positions.forget(random.wait(3_000));
      }
      for (const process of world.processes) world.after(random.wait(500), () => process.start());
    },
    function fillDisk() {
      coverage.note("fullDisks");
      positions.isFull = true;
      world.after(random.wait(5_000), () => {
        positions.isFull = false;
      });
    },
  ];
}

/**
 * Runs the agent's world of a seed to its end.
 * @param loadedMs for how long lines are written and everything goes wrong.
 * @throws {InvariantError} when an invariant does not hold.
 */
export async function runAgentWorld(parts: Parts, loadedMs: number): Promise<AgentOutcome> {
  const { world, random, coverage, disk, lines, positions, rotating, tailing, conditions } = parts;
  const more = happenings(parts);
  world.often(5_000, loadedMs, () => disk.sync());
  while (world.timeline.nowMs < loadedMs) {
    const untilMs = Math.min(loadedMs, world.timeline.nowMs + random.integer(roundMs.min, roundMs.max));
    const [noHandles, readErrors] = [random.pick([0, 0.05]), random.pick([0, 0.01])];
    conditions.current = { maxDelayMs: random.pick([0.2, 2, 30]), noHandles, readErrors };
    unleash(world, random, untilMs, { ...troubles, coverage, more });
    await world.run(untilMs - world.timeline.nowMs);
  }
  calm(world);
  positions.isFull = false;
  conditions.current = { maxDelayMs: 0.2, noHandles: 0, readErrors: 0 };
  const calmAtMs = world.timeline.nowMs;
  const areUp = () => world.processes.every((process) => process.isRunning && !process.isStopping);
  await world.timeline.run({ forMs: closeMs, until: () => areUp() && !rotating.isBusy });
  // A process that was down is started again by a timer of its own: one that stops before that would come back.
  await world.run(10_000);
  const [program, agent] = world.processes;
  await world.settle(program?.stop() ?? Promise.resolve(), closeMs);
  await world.timeline.run({ forMs: healMs, until: () => lines.missing === undefined });
  const healedAfterMs = Math.round(world.timeline.nowMs - calmAtMs);
  // Time for a look at every file: what was lost is counted when it is found.
  await world.run(30_000);
  if (lines.missing !== undefined) world.timeline.note("stall", JSON.stringify([tailing.agent?.status(), disk.paths]));
  lines.checkRest(tailing.agent?.status().reduce((sum, { counters }) => sum + counters.bytesPossiblyLost, 0) ?? 0);
  await world.settle(agent?.stop() ?? Promise.resolve(), closeMs);
  world.checkEnd();
  coverage.add({ excusedLines: lines.excused, repeatedLines: lines.repeated });
  await world.simulator.close();
  return {
    world: "agent",
    seed: world.seed,
    lines: lines.count,
    excused: lines.excused,
    repeated: lines.repeated,
    healedAfterMs,
    events: world.timeline.events,
    virtualMs: Math.round(world.timeline.nowMs),
    coverage: coverage.toJSON(),
    traceHash: world.timeline.traceHash(),
  };
}
