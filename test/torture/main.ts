/**
 * Driver. `pnpm torture [NAME...] [--kills N] [--rounds N] [--seed N]`: real processes and files, killed at random moments.
 *
 * A torture is a file here and a line in the list below; each prints one line of JSON, and the exit code is 1 when one
 * of them found a fault.
 */
import { parseArgs } from "node:util";

type Torture = (options: { kills: number; rounds: number; seed: number }) => Promise<{ readonly ok: boolean }>;

const tortures: Readonly<Record<string, () => Promise<Torture>>> = {
  /** `--kills`: how often the agent is killed. */
  agent: async () => (await import("./agent.ts")).tortureAgent,
  /** `--rounds`: how often a worker is killed, stopped or closed. The full one has 60. */
  consumer: async () => (await import("./consumer.ts")).tortureConsumer,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "120" },
    rounds: { type: "string", default: "18" },
    seed: { type: "string", default: "1" },
  },
});
const unknown = positionals.filter((name) => !Object.hasOwn(tortures, name));
if (unknown.length > 0) {
  console.error(`no torture named ${unknown.join(", ")}; there are: ${Object.keys(tortures).join(", ")}`);
  process.exit(64);
}
for (const [name, load] of Object.entries(tortures)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const torture = await load();
  console.error(`${name}: ${values.kills} kills or ${values.rounds} rounds, seed ${values.seed}`);
  const { kills, rounds, seed } = values;
  const result = await torture({ kills: Number(kills), rounds: Number(rounds), seed: Number(seed) });
  console.log(JSON.stringify({ torture: name, ...result }));
  if (!result.ok) process.exitCode = 1;
}
