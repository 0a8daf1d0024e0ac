/**
 * Driver. `pnpm sim [--seed N] [--seeds N] [--minutes N] [--keep-going]`: runs worlds, and stops at the first that fails.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { agentCoverage } from "./agents.ts";
import { fleetCoverage } from "./fleet.ts";
import { runAgent, runFleet, runProducers, WorldError } from "./run-seed.ts";
import { runScale } from "./scale.ts";
import { Coverage } from "./world/coverage.ts";

const usage = `pnpm sim [--seed N] [--seeds N] [--minutes N] [--keep-going]

  --seed N     run the worlds of this seed (with --seeds, the first of them)
  --seeds N    run the worlds of as many seeds (default 50)
  --minutes N  minutes of virtual time for which the fleet and the agent are loaded and troubled (default 30)
  --keep-going goes on with the next seed where one has failed
  --scale      instead, 20 workers on 2,000 shards at rest: balanced, only the leader scans, and what a shard costs`;

/** From this many seeds on, something that happened in none of them fails the run. */
const seedsToCover = 5;

async function main(args: readonly string[]): Promise<number> {
  let values;
  try {
    const number = { type: "string" } as const;
    values = parseArgs({
      args: [...args],
      options: {
        seed: number,
        seeds: number,
        minutes: number,
        "keep-going": { type: "boolean" },
        scale: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 64;
  }
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  if (values.scale === true) {
    console.log(JSON.stringify(await runScale(2_000, 20)));
    return 0;
  }
  const first = readCount("--seed", values.seed, 1);
  const count = readCount("--seeds", values.seeds, values.seed === undefined ? 50 : 1);
  const minutes = readCount("--minutes", values.minutes, 30);
  if (first === undefined || count === undefined || minutes === undefined) return 64;
  return runSeeds({ first, count, loadedMs: minutes * 60_000, keepGoing: values["keep-going"] === true });
}

interface SeedsPlan {
  readonly first: number;
  readonly count: number;
  readonly loadedMs: number;
  readonly keepGoing: boolean;
}

async function runSeeds({ first, count, loadedMs, keepGoing }: SeedsPlan): Promise<number> {
  const failed: number[] = [];
  const coverage = new Coverage();
  const startedAt = performance.now();
  let virtualMs = 0;
  for (let seed = first; seed < first + count; seed++) {
    try {
      for (const run of [() => runProducers(seed), () => runFleet(seed, loadedMs), () => runAgent(seed, loadedMs)]) {
        const outcome = await run();
        virtualMs += outcome.virtualMs;
        if ("coverage" in outcome) coverage.add(outcome.coverage);
        console.log(JSON.stringify(outcome));
      }
    } catch (error) {
      if (!(error instanceof WorldError)) throw error;
      console.error(`${error.message}\nCOMMIT=${commit()}`);
      failed.push(seed);
      if (!keepGoing) return 1;
    }
  }
  const wallSeconds = (performance.now() - startedAt) / 1000;
  console.log(JSON.stringify(coverage));
  const minutes = Math.round(virtualMs / 60_000);
  console.log(
    `${minutes} virtual minutes in ${wallSeconds.toFixed(0)} s, ${(minutes / wallSeconds).toFixed(1)} a second.`,
  );
  if (failed.length > 0) {
    console.error(`The worlds of ${failed.length} of ${count} seeds failed: ${failed.join(", ")}`);
    return 1;
  }
  const missing = count >= seedsToCover ? coverage.missing([...fleetCoverage, ...agentCoverage]) : [];
  if (missing.length > 0) {
    console.error(`These worlds have tested too little. In none of them was there any of: ${missing.join(", ")}`);
    return 1;
  }
  console.log(`The worlds of ${count} ${count === 1 ? "seed" : "seeds"} held.`);
  return 0;
}

function readCount(name: string, text: string | undefined, fallback: number): number | undefined {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  console.error(`${name}: expected an integer of 1 or more, got ${JSON.stringify(text)}\n\n${usage}`);
  return undefined;
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

process.exitCode = await main(process.argv.slice(2));
