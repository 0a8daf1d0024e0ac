/**
 * Driver. `pnpm sim [--seed N] [--seeds N]`: runs worlds, and stops at the first that fails.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { runFleet, runProducers, WorldError } from "./run-seed.ts";

const usage = `pnpm sim [--seed N] [--seeds N]

  --seed N    run the worlds of this seed (with --seeds, the first of them)
  --seeds N   run the worlds of as many seeds (default 50)`;

async function main(args: readonly string[]): Promise<number> {
  let values;
  try {
    values = parseArgs({
      args: [...args],
      options: { seed: { type: "string" }, seeds: { type: "string" }, help: { type: "boolean" } },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 64;
  }
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  const first = readCount("--seed", values.seed, 1);
  const count = readCount("--seeds", values.seeds, values.seed === undefined ? 50 : 1);
  if (first === undefined || count === undefined) return 64;
  for (let seed = first; seed < first + count; seed++) {
    try {
      console.log(JSON.stringify(await runProducers(seed)));
      console.log(JSON.stringify(await runFleet(seed)));
    } catch (error) {
      if (!(error instanceof WorldError)) throw error;
      console.error(`${error.message}\nCOMMIT=${commit()}`);
      return 1;
    }
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
