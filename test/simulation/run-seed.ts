/**
 * Driver. Runs a world and, where it fails, says everything that is needed to see it again.
 */
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
  return explain(parts.world, () => runProducersWorld(parts));
}

/**
 * Runs the fleet's world of a seed.
 * @throws {WorldError} with the seed that replays the failure, and the last events.
 */
export function runFleet(seed: number): Promise<FleetOutcome> {
  const parts = createFleetWorld(seed);
  return explain(parts.world, () => runFleetWorld(parts));
}

async function explain<T>(world: World, run: () => Promise<T>): Promise<T> {
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
        `  pnpm sim --seed ${seed}`,
        "The last events:",
        ...lines,
      ].join("\n"),
      { cause: error },
    );
  }
}
