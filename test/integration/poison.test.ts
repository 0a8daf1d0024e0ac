/**
 * A record that kills its process, again and again, on the simulator over HTTP and a lease table on dynalite.
 */
import { KinesisSimulator } from "@millrace/simulator";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";

import { startDynalite } from "../support/dynalite.ts";
import type { PoisonOptions } from "./poison-process.ts";

const streamName = "poisoned";
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** One life: resolves with what it was done with, once it has died or `isEnough` says that it may end. */
async function live(options: PoisonOptions, isEnough: (done: readonly string[]) => boolean) {
  const script = fileURLToPath(new URL("poison-process.ts", import.meta.url));
  const worker = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  closing.push(async () => worker.kill("SIGKILL"));
  const done: string[] = [];
  createInterface({ input: worker.stdout }).on("line", (line) => {
    done.push(line);
    if (isEnough(done)) worker.kill("SIGTERM");
  });
  await once(worker, "close");
  return { done, wasKilled: worker.signalCode === "SIGKILL" };
}

it("[C1] is counted through the deaths, set aside, and takes no other record with it", async () => {
  const simulator = await KinesisSimulator.listen();
  closing.push(() => simulator.close());
  const tables = await startDynalite();
  closing.push(() => tables.close());
  simulator.createStream({ streamName, shardCount: 1 });
  const directory = mkdtempSync(join(tmpdir(), "millrace-poison-"));
  closing.push(async () => rmSync(directory, { recursive: true }));
  const deadLetterPath = join(directory, "failed.jsonl");
  const texts = ["r0", "r1", "r2", "poison", "r4", "r5"];
  const records = texts.map((text) => ({ data: Buffer.from(text), partitionKey: text }));
  const put = await simulator.kinesis.putRecords({ streamName, records });
  expect(put.ok).toBe(true);

  const done: string[] = [];
  let deaths = 0;
  while (!done.includes("r5") && deaths < 6) {
    const options = { streamName, kinesisEndpoint: simulator.endpoint, dynamodbEndpoint: tables.endpoint };
    const workerId = `life-${deaths}`;
    const life = await live({ ...options, workerId, deadLetterPath }, (lines) => lines.includes("r5"));
    done.push(...life.done);
    if (life.wasKilled) deaths += 1;
  }
  // The first death tells nothing; in the second life each call is counted before it is made; the third knows.
  expect(deaths).toBe(2);
  expect(new Set(done)).toEqual(new Set(texts.filter((text) => text !== "poison")));
  expect(existsSync(deadLetterPath)).toBe(true);
  const failed = readFileSync(deadLetterPath, "utf8").trim().split("\n");
  expect(failed.map((line) => JSON.parse(line) as Record<string, unknown>)).toMatchObject([
    { attempts: 1, why: "attempts", data: Buffer.from("poison").toString("base64") },
  ]);
}, 120_000);
