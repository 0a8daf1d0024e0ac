/**
 * Driver. Runs a world and, where it fails, says everything that is needed to see it again.
 */
import { createAgentWorld, runAgentWorld, type AgentOutcome } from "./agents.ts";
import { createFleetWorld, runFleetWorld, type FleetOutcome } from "./fleet.ts";
import { createProducersWorld, runProducersWorld, type Outcome } from "./producers.ts";
import type { World } from "./world/world.ts";

/** A world that failed. */
export class WorldError extends Error {
  override readonly name = "WorldError";
}

/**
 * Runs the producers' world of a seed.
 * @throws {WorldError} with the seed that replays the failure, and the last events.
 */
export function runProducers(seed: number): Promise<Outcome> {
  const parts = createProducersWorld(seed);
  return explain(parts.world, `pnpm sim --seed ${seed}`, () => runProducersWorld(parts));
}

/**
 * Runs the fleet's world of a seed, under load for `loadedMs`.
 * @throws {WorldError} with the seed that replays the failure, and the last events.
 */
export function runFleet(seed: number, loadedMs: number): Promise<FleetOutcome> {
  const parts = createFleetWorld(seed);
  const replay = `pnpm sim --seed ${seed} --minutes ${loadedMs / 60_000}`;
  return explain(parts.world, replay, () => runFleetWorld(parts, loadedMs));
}

/**
 * Runs the agent's world of a seed, under load for `loadedMs`.
 * @throws {WorldError} with the seed that replays the failure, and the last events.
 */
export function runAgent(seed: number, loadedMs: number): Promise<AgentOutcome> {
  const parts = createAgentWorld(seed);
  const replay = `pnpm sim --seed ${seed} --minutes ${loadedMs / 60_000}`;
  return explain(parts.world, replay, () => runAgentWorld(parts, loadedMs));
}

async function explain<T>(world: World, replay: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { timeline, seed } = world;
    const lines = timeline
      .trace()
      .map(({ atMs, host, what }) => `  ${atMs.toFixed(1).padStart(10)} ms  ${host}: ${what}`);
    throw new WorldError(
      [
        error instanceof Error ? (error.stack ?? error.message) : String(error),
        `SEED=${seed} fails at ${timeline.nowMs.toFixed(1)} ms, event ${timeline.events}; replay it with`,
        `  ${replay}`,
        "The last events:",
        ...lines,
      ].join("\n"),
      { cause: error },
    );
  }
}
