/**
 * Driver. Runs a world and, where it fails, says everything that is needed to see it again.
 */
import { createProducersWorld, runProducersWorld, type Outcome } from "./producers.ts";

/** A world that failed. */
export class WorldError extends Error {
  override readonly name = "WorldError";
}

/**
 * Runs the world of a seed.
 * @throws {WorldError} with the seed that replays the failure, and the last events.
 */
export async function runSeed(seed: number): Promise<Outcome> {
  const parts = createProducersWorld(seed);
  try {
    return await runProducersWorld(parts);
  } catch (error) {
    const { timeline } = parts.world;
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
