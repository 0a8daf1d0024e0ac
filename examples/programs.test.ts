/** Runs the programs of this folder as a reader would, against the simulator and a DynamoDB emulator on this host. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { KinesisSimulator } from "@millrace/simulator";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

/** dynalite comes without types. */
const dynalite = createRequire(import.meta.url)("dynalite") as (options: { createTableMs: number }) => Server;

let simulator: KinesisSimulator;
let dynamodb: Server;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  simulator = await KinesisSimulator.listen();
  simulator.createStream({ streamName: "words", shardCount: 2 });
  dynamodb = dynalite({ createTableMs: 1 });
  await new Promise<void>((resolve) => dynamodb.listen(0, "127.0.0.1", resolve));
  const address = dynamodb.address();
  environment = {
    ...process.env,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "example",
    AWS_SECRET_ACCESS_KEY: "example",
    AWS_ENDPOINT_URL_KINESIS: simulator.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
  };
});

afterAll(async () => {
  await simulator.close();
  dynamodb.close();
});

interface Program {
  /** Its lines so far. */
  readonly lines: string[];
  /** What it wrote to standard error so far. */
  errors(): string;
  /** Resolves once it has printed so many lines. */
  hasPrinted(count: number): Promise<void>;
  /** Ends it as an operator would; resolves with its exit code. */
  stop(): Promise<number | null>;
  readonly exited: Promise<number | null>;
}

function start(name: string, ...args: string[]): Program {
  const child = spawn(process.execPath, [fileURLToPath(new URL(name, import.meta.url)), ...args], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const watch of watchers) watch();
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    lines,
    errors: () => errors,
    exited,
    hasPrinted: (count) =>
      new Promise((resolve, reject) => {
        const watch = () => {
          if (lines.length < count) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        void exited.then(() => reject(new Error(`${name} ended after ${lines.length} lines: ${errors}`)));
        watch();
      }),
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

test("put-records.ts stores its arguments, and read-stream.ts prints them", async () => {
  const words = ["one", "two", "three"];
  const put = start("put-records.ts", "words", ...words);
  expect({ code: await put.exited, errors: put.errors() }).toEqual({ code: 0, errors: "" });
  expect(put.lines).toHaveLength(3);
  for (const line of put.lines) expect(line).toMatch(/^shardId-\d{12} \d{56}$/);

  const reader = start("read-stream.ts", "words", "printer");
  await reader.hasPrinted(3);
  expect(await reader.stop()).toBe(0);
  expect(reader.lines.toSorted()).toEqual(words.toSorted());
});

test("put-file.ts stores every line of a file, and handle-each.ts counts them in spite of its failures", async () => {
  simulator.createStream({ streamName: "lines", shardCount: 2 });
  const folder = await mkdtemp(join(tmpdir(), "millrace-examples-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "words.txt");
  await writeFile(file, "apple\npear\napple\n".repeat(100));

  const put = start("put-file.ts", "lines", file);
  expect({ code: await put.exited, errors: put.errors() }).toEqual({ code: 0, errors: "" });
  expect(put.lines).toEqual(["300 records stored"]);

  const counter = start("handle-each.ts", "lines", "counter");
  await counter.hasPrinted(300);
  expect(await counter.stop()).toBe(0);
  expect(counter.lines).toContain("apple 200");
  expect(counter.lines).toContain("pear 100");
});

test("every program says how it is used", async () => {
  const names = ["put-records.ts", "put-file.ts", "read-stream.ts", "handle-each.ts"];
  const programs = names.map((name) => start(name));
  expect(await Promise.all(programs.map(({ exited }) => exited))).toEqual([64, 64, 64, 64]);
  for (const [index, name] of names.entries()) expect(programs[index]?.errors()).toMatch(`usage: ${name} STREAM`);
});
