/**
 * Workers as processes of their own, on the simulator over HTTP and a lease table on dynalite: what happens to the
 * shards of one that is killed.
 */
import { Producer } from "@millrace/producer";
import { KinesisSimulator } from "@millrace/simulator";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";

import { startDynalite } from "../support/dynalite.ts";
import type { WorkerOptions, WorkerReport } from "./worker-process.ts";

const streamName = "fleet";
const closing: (() => Promise<unknown>)[] = [];

/** A worker's report, and whose it is; all workers' reports in the order in which they came. */
type Entry = WorkerReport & { readonly workerId: string };

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function startWorker(options: WorkerOptions, journal: Entry[]): { kill(): Promise<unknown> } {
  const script = fileURLToPath(new URL("worker-process.ts", import.meta.url));
  const worker = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  // Not "exit": what a killed worker wrote last may still be in the pipe then.
  const closed = once(worker, "close");
  createInterface({ input: worker.stdout }).on("line", (line) => {
    // A kill in the middle of a write leaves a part of a line.
    if (!line.endsWith("}")) return;
    journal.push({ ...(JSON.parse(line) as WorkerReport), workerId: options.workerId });
  });
  const kill = () => {
    worker.kill("SIGKILL");
    return closed;
  };
  closing.push(kill);
  return { kill };
}

/** Sequence number and sub-sequence number as `batch.checkpoint` stores them, in an order that can be compared. */
function placeOf(text: string): readonly [bigint, number] {
  const [sequenceNumber = "0", subSequenceNumber = "0"] = text.split("/");
  return [BigInt(sequenceNumber), Number(subSequenceNumber)];
}

function isAfter(a: string, b: string): boolean {
  const [sequenceA, subA] = placeOf(a);
  const [sequenceB, subB] = placeOf(b);
  return sequenceA === sequenceB ? subA > subB : sequenceA > sequenceB;
}

function placesOf(entry: Entry | undefined): readonly string[] {
  if (entry?.type === "records") return entry.places;
  return entry?.type === "checkpointed" ? [entry.place] : [];
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const endBy = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > endBy) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

it("[C1] [C2] goes on from the last checkpoint when a worker process is killed under load", async () => {
  const simulator = await KinesisSimulator.listen();
  closing.push(() => simulator.close());
  const tables = await startDynalite();
  closing.push(() => tables.close());
  simulator.createStream({ streamName, shardCount: 4 });
  const journal: Entry[] = [];
  const workerIds = ["worker-1", "worker-2", "worker-3"];
  const workers = workerIds.map((workerId) =>
    startWorker(
      { workerId, streamName, kinesisEndpoint: simulator.endpoint, dynamodbEndpoint: tables.endpoint },
      journal,
    ),
  );

  // Load without a pause until every shard is read elsewhere, so that the kill falls into the middle of it.
  const client = simulator.client();
  closing.push(async () => client.destroy());
  const producer = new Producer({ streamName, client, recordMaxBufferedMs: 20 });
  const put: string[] = [];
  const puts: Promise<unknown>[] = [];
  const load = { isOn: true };
  const loading = (async () => {
    while (load.isOn) {
      for (let index = 0; index < 50; index++) {
        const line = `line ${put.length}`;
        put.push(line);
        puts.push(producer.put({ partitionKey: line, data: line }));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();

  const readers = (entries: readonly Entry[]) =>
    new Map(entries.filter(({ type }) => type === "checkpointed").map(({ shardId, workerId }) => [shardId, workerId]));
  await until(() => new Set(readers(journal).values()).size === 3, "each worker is the one that reads some shard");
  await workers[0]?.kill();
  const killedAt = journal.length;
  const orphans = [...readers(journal)].filter(([, workerId]) => workerId === "worker-1").map(([shardId]) => shardId);
  expect(orphans.length).toBeGreaterThan(0);
  await until(() => {
    const goneOn = readers(journal.slice(killedAt));
    return orphans.every((shardId) => goneOn.has(shardId));
  }, "the others go on with its shards");
  load.isOn = false;
  await loading;
  await producer.close();
  await Promise.all(puts);
  const delivered = () => new Set(journal.flatMap((entry) => (entry.type === "records" ? entry.lines : [])));
  await until(() => delivered().size >= put.length, "every record has arrived");
  expect(delivered()).toEqual(new Set(put));

  for (const shardId of orphans) {
    const before = journal
      .slice(0, killedAt)
      .findLast((entry) => entry.type === "checkpointed" && entry.shardId === shardId);
    const after = journal.slice(killedAt).find((entry) => entry.type === "records" && entry.shardId === shardId);
    // The killed worker may have stored one more checkpoint than it came to tell; never one fewer.
    const [firstPlace = ""] = placesOf(after);
    const [checkpoint = ""] = placesOf(before);
    expect(isAfter(firstPlace, checkpoint)).toBe(true);
  }
  for (const workerId of workerIds) {
    const tenures = new Map<string, string>();
    for (const entry of journal.filter((candidate) => candidate.workerId === workerId)) {
      if (entry.type === "started") tenures.delete(entry.shardId);
      if (entry.type !== "records") continue;
      for (const place of entry.places) {
        const previous = tenures.get(entry.shardId);
        expect(previous === undefined || isAfter(place, previous)).toBe(true);
        tenures.set(entry.shardId, place);
      }
    }
  }
}, 120_000);
