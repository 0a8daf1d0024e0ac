/**
 * Driver. `pnpm torture consumer`: three worker processes on one stream are killed, stopped and closed again and again,
 * under load, while the stream is resharded.
 *
 * The stream is a simulator over HTTP, the lease table is on dynalite. Every record must be delivered [C1]; no checkpoint
 * may go back [C3] or be stored by an owner of before [C4]; and no handler may get a record after a newer owner of its
 * shard has checkpointed. How long shards stood without a reader is measured against SPEC S5, and counts as a fault only
 * far past it, because this machine may be busy with other things.
 */
import { KinesisSimulator } from "@millrace/simulator";
import { startDynalite } from "../support/dynalite.ts";
import { streamName, TortureScene } from "./consumer-scene.ts";
import { randomFrom } from "./random.ts";

export interface ConsumerTortureOptions {
  /** How often a worker is killed, stopped or closed, in turn. */
  readonly rounds: number;
  /** Of the victims, the moments and the resharding. */
  readonly seed: number;
}

/** Runs the torture. Gives what to print; `ok` is false when anything of the above was broken. */
export async function tortureConsumer(
  options: ConsumerTortureOptions,
): Promise<Record<string, unknown> & { ok: boolean }> {
  const { rounds, seed } = options;
  const simulator = await KinesisSimulator.listen();
  const tables = await startDynalite();
  simulator.createStream({ streamName, shardCount: 4 });
  const scene = new TortureScene(simulator, tables.endpoint, randomFrom(seed));
  const startedMs = performance.now();
  const load = scene.load();
  try {
    await scene.begin();
    for (let round = 0; round < rounds; round++) await scene.round(round);
    const put = await load.end();
    const missing = await scene.drain(put);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    return { ...(await scene.verdict(missing)), rounds, seed, seconds, put: put.size, missing };
  } finally {
    await load.end();
    await scene.close();
    await simulator.close();
    await tables.close();
  }
}
