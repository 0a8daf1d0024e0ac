/**
 * Driver. What goes wrong in a world, as its seed says: faults of the service and of the network, stalls and crashes.
 */
import type { FaultKind, FaultOptions, Prng } from "@millrace/simulator";
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

/** Lets everything that can go wrong go wrong, as often as the seed says. */
export function unleash(world: World, random: Prng, faultyMs: number): void {
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

/**
 * Ends all trouble: faults stop, the network heals, clocks are set right, and what is down or stalled goes on.
 *
 * Clocks too, because the fleet's own protocol needs them: a worker tells by its wall clock that it lives (KCL's
 * worker metrics), and one whose clock is minutes behind gets no leases.
 */
export function calm(world: World): void {
  world.simulator.clearFaults();
  world.network.heal();
  world.network.change({ loss: 0, duplication: 0, meanExtraDelayMs: 2 });
  for (const process of world.processes) {
    const { host } = process;
    host.jumpClock(world.timeline.startWallMs + world.timeline.nowMs - host.system.wallNow());
    host.resume();
    process.start();
  }
}
