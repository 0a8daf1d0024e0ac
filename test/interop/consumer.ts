/**
 * Driver. Fleets with workers of the KCL for Java 3.5.1 and of ours on one lease table, which moto serves: every record
 * is delivered, and none is read again from before a checkpoint, whoever leads, leaves or dies.
 */
import { KinesisSimulator } from "@millrace/simulator";
import { audit } from "./consumer/audit.ts";
import { Fleet, type Peers } from "./consumer/fleet.ts";
import { fetchKcl, fetchKpl, fetchMoto, startMoto } from "./consumer/peers.ts";
import { checkTransactions } from "./consumer/transactions.ts";
import { fleetCases } from "./consumer/cases.ts";
import type { FleetCase } from "./consumer/fleet-case.ts";
import type { Lane } from "./support/lane.ts";

/** A JVM takes a core while it starts. */
const fleetsAtATime = 2;

export async function run(lane: Lane): Promise<void> {
  const [python, kclClassPath] = await Promise.all([fetchMoto(lane.folder), fetchKcl(lane.folder)]);
  // Not at the same time: they write into one local repository.
  const kplClassPath = await fetchKpl(lane.folder);
  await runFleets(lane, { kclClassPath, kplClassPath, python });
}

/** What came from the registries. */
interface Fetched {
  readonly kclClassPath: string;
  readonly kplClassPath: string;
  readonly python: string;
}

/** Everything, with the peers at hand. */
export async function runFleets(lane: Lane, fetched: Fetched, cases = fleetCases): Promise<void> {
  const moto = await startMoto(fetched.python);
  const simulator = await KinesisSimulator.listen();
  try {
    const peers = { ...fetched, simulator, dynamodbEndpoint: moto.endpoint };
    const waiting = [...cases];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await runCase(lane, peers, next);
    };
    await Promise.all([checkTransactions(lane, peers), ...Array.from({ length: fleetsAtATime }, work)]);
  } finally {
    await simulator.close();
    await moto.stop();
  }
}

async function runCase(lane: Lane, peers: Peers, one: FleetCase): Promise<void> {
  const startedAt = performance.now();
  const fleet = new Fleet(peers, one.name, one.shardCount);
  await lane.check(one.title, async () => {
    try {
      await one.run(fleet);
      const parents = await parentsOf(peers, one.name);
      const { wrong, cutOff } = audit({
        journal: fleet.journal,
        put: fleet.put,
        parents,
        exactlyOnce: one.exactlyOnce,
      });
      if (wrong.length > 0) throw new Error(`${wrong.slice(0, 10).join("\n")}\n${await fleet.tell()}`);
      if (one.exactlyOnce && cutOff.size > 0)
        console.log(`       leases expired under their owners: ${cutOff.size} shards`);
    } finally {
      await fleet.close();
    }
  });
  console.log(`       ${fleet.put.size} records, ${Math.round((performance.now() - startedAt) / 1_000)} s`);
}

async function parentsOf(peers: Peers, streamName: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const listed = await peers.simulator.kinesis.listShards({ streamName });
  if (!listed.ok) throw listed.error;
  return new Map(
    listed.value.shards.map(({ shardId, parentShardId, adjacentParentShardId }) => [
      shardId,
      [parentShardId, adjacentParentShardId].filter((parent) => parent !== undefined),
    ]),
  );
}
