/**
 * Driver. Splits a shard, merges two neighbours, or lays a stream out anew, as an operator would.
 */
import type { Coverage } from "./coverage.ts";
import type { World } from "./world.ts";

const maxOpenShards = 8;

/** Changes the shards of a stream in one of the three ways. */
export async function reshard(world: World, streamName: string, coverage: Coverage): Promise<void> {
  const { simulator, random } = world;
  if (random.chance(0.2)) {
    simulator.reshard({ streamName, targetShardCount: random.integer(1, maxOpenShards) });
    coverage.note("relayouts");
    return;
  }
  const listed = await simulator.kinesis.listShards({ streamName });
  // Faults strike this call too.
  if (!listed.ok) return;
  const open = listed.value.shards
    .filter((shard) => shard.endingSequenceNumber === undefined)
    .toSorted((a, b) => (a.startingHashKey < b.startingHashKey ? -1 : 1))
    .map((shard) => shard.shardId);
  const index = random.integer(0, open.length - 1);
  const [shard, next] = [open[index], open[index + 1]];
  if (shard === undefined) return;
  if (next !== undefined && (random.chance(0.5) || open.length >= maxOpenShards)) {
    simulator.reshard({ streamName, merge: [shard, next] });
    coverage.note("merges");
  } else if (open.length < maxOpenShards) {
    simulator.reshard({ streamName, split: shard });
    coverage.note("splits");
  }
}
