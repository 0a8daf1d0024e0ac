/**
 * Driver. `pnpm interop [LANE...]`: what Millrace writes and reads, against what others wrote.
 *
 * A lane is a file here that exports `run(lane)`, and a line in the list below. Its peers come from their package
 * registries at pinned versions; a registry that cannot be reached fails the lane.
 */
import { Lane } from "./support/lane.ts";

type LaneModule = () => Promise<{ run(lane: Lane): Promise<void> }>;

const lanes: Readonly<Record<string, LaneModule>> = {
  aggregation: () => import("./aggregation.ts"),
  producer: () => import("./producer.ts"),
  consumer: () => import("./consumer.ts"),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(lanes, name));
if (unknown.length > 0) {
  console.error(`no lane named ${unknown.join(", ")}; there are: ${Object.keys(lanes).join(", ")}`);
  process.exit(64);
}

let passed = 0;
let failed = 0;
for (const [name, load] of Object.entries(lanes)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const lane = new Lane(name);
  console.log(`\n== ${name} ==`);
  try {
    const module = await load();
    await module.run(lane);
  } catch (error) {
    lane.fail("the lane itself", error);
  } finally {
    lane.cleanUp();
  }
  passed += lane.passed;
  failed += lane.failed;
}
console.log(`\ninterop: ${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
