/**
 * Driver. `pnpm bench [NAME...] [--json FILE]`: ratios against peers, measured side by side in one run.
 *
 * A bench is a file here that exports `run(report)`, and a line in the list below.
 */
import { parseArgs } from "node:util";
import { Report } from "./support/report.ts";

type Bench = () => Promise<{ run(report: Report): Promise<void> }>;

const benches: Readonly<Record<string, Bench>> = {
  agent: () => import("./agent.ts"),
  aggregation: () => import("./aggregation.ts"),
  consumer: () => import("./consumer.ts"),
  producer: () => import("./producer.ts"),
  simulator: () => import("./simulator.ts"),
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "string" } } });
const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(", ")}; there are: ${Object.keys(benches).join(", ")}`);
  process.exit(64);
}

const report = new Report();
for (const [name, load] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const bench = await load();
  await bench.run(report);
}
if (values.json !== undefined) report.write(values.json);
