/**
 * Driver. `pnpm torture agent`: the agent is killed again and again while logs rotate and the stream fails.
 *
 * A writer appends lines to several logs and rotates them by rename and by copy-and-truncate; a simulator throttles,
 * fails in parts and loses answers after it stored them; the agent's process gets SIGKILL at random moments. At the end
 * every line must be in the stream [C9], the positions database must be whole, and no line may have been sent again
 * after a position past it was saved [C10]: what repeats comes from the window that was not acknowledged at a kill.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, copyFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { KinesisSimulator } from "@millrace/simulator";
import { Audit, StreamLog, streamName } from "./audit.ts";
import { randomFrom } from "./random.ts";

export interface TortureOptions {
  /** How often the agent is killed. */
  readonly kills: number;
  /** Of the random moments and rotations. */
  readonly seed: number;
}

const agentCli = fileURLToPath(import.meta.resolve("@millrace/agent/package.json")).replace(
  "package.json",
  "src/cli.ts",
);
const logCount = 3;

/** Runs the torture. Gives what to print; `ok` is false when a line was lost or the database was damaged. */
export async function tortureAgent(options: TortureOptions): Promise<Record<string, unknown> & { ok: boolean }> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-torture-agent-"));
  const simulator = await KinesisSimulator.listen({
    limits: { shardReadCallsPerSecond: false, shardReadBytesPerSecond: false },
  });
  simulator.createStream({ streamName, shardCount: 2 });
  for (const kind of ["partial-failure", "throttle", "answer-lost"] as const) {
    simulator.fault({ kind, action: "PutRecords", rate: 0.05 });
  }
  const random = randomFrom(options.seed);
  const writer = new Writer(directory, random);
  const config = writeConfig(directory, simulator.endpoint);
  const startedMs = performance.now();
  let livedToSend = 0;
  const stream = new StreamLog(simulator);
  const audit = new Audit(directory);
  for (let kill = 0; kill < options.kills; kill++) {
    const before = simulator.meter.counts().recordsIn;
    const agent = startAgent(config, directory);
    const lifeMs = random() * 800;
    // A life begins when the agent reads: starting the process takes longer than many a life.
    for (let endMs = Infinity; performance.now() < endMs && agent.process.exitCode === null;) {
      if (endMs === Infinity && agent.hasStarted()) endMs = performance.now() + lifeMs;
      writer.step();
      await wait(5 + random() * 20);
    }
    await end(agent.process, "SIGKILL");
    audit.check(await stream.next());
    audit.takePositions(writer.lines, stream.lines);
    if (simulator.meter.counts().recordsIn > before) livedToSend += 1;
  }
  writer.complete();
  const missing = await finish(stream, audit, config, directory, writer);
  const { delivered } = stream;
  const duplicates = delivered - stream.lines.size;
  const integrity = checkDatabase(join(directory, "positions.db"));
  await simulator.close();
  const isOk = missing === 0 && integrity === "ok" && audit.repeatedAfterSave + audit.savedBeforeStored === 0;
  if (isOk) rmSync(directory, { recursive: true, force: true });
  return {
    ok: isOk,
    kills: options.kills,
    livesThatSent: livedToSend,
    seed: options.seed,
    lines: writer.lines.size,
    rotations: writer.rotations,
    delivered,
    missing,
    duplicates,
    unacknowledgedAtKills: audit.unacknowledged,
    repeatedAfterSave: audit.repeatedAfterSave,
    savedBeforeStored: audit.savedBeforeStored,
    integrity,
    seconds: Math.round((performance.now() - startedMs) / 1000),
    ...(isOk ? {} : { directory }),
  };
}

/** Lets a last agent live until every line has arrived, or nothing new has for long. Gives the lines that are missing. */
async function finish(
  stream: StreamLog,
  audit: Audit,
  config: string,
  directory: string,
  writer: Writer,
): Promise<number> {
  const agent = startAgent(config, directory);
  let missing = Number.POSITIVE_INFINITY;
  let quietSince = performance.now();
  while (performance.now() - quietSince < 20_000) {
    await wait(500);
    audit.check(await stream.next());
    const now = [...writer.lines].filter((line) => !stream.lines.has(line)).length;
    if (now < missing) quietSince = performance.now();
    missing = now;
    if (missing === 0) break;
  }
  const code = await end(agent.process, "SIGTERM");
  audit.check(await stream.next());
  if (code !== 0) throw new Error(`the last agent ended with ${String(code)}`);
  return missing;
}

/** Writes lines and rotates as logrotate does. Files are kept: none is removed before it was read. */
class Writer {
  readonly lines = new Set<string>();
  rotations = 0;
  readonly #directory: string;
  readonly #random: () => number;

  constructor(directory: string, random: () => number) {
    this.#directory = directory;
    this.#random = random;
  }

  step(): void {
    const path = join(this.#directory, `app${Math.floor(this.#random() * logCount)}.log`);
    let text = "";
    const count = 1 + Math.floor(this.#random() * 12);
    for (let index = 0; index < count; index++) {
      const line = `${String(this.lines.size).padStart(9, "0")} ${"p".repeat(Math.floor(this.#random() * 150))}\n`;
      this.lines.add(line);
      text += line;
    }
    appendFileSync(path, text);
    if (this.#random() < 0.03) this.#rotate(path);
  }

  complete(): void {
    for (let index = 0; index < 50; index++) this.step();
  }

  #rotate(path: string): void {
    this.rotations += 1;
    const target = `${path}.${String(this.rotations).padStart(6, "0")}`;
    if (this.#random() < 0.5) renameSync(path, target);
    else {
      copyFileSync(path, target);
      truncateSync(path);
    }
  }
}

function writeConfig(directory: string, endpoint: string): string {
  const path = join(directory, "agent.json");
  const config = {
    "kinesis.endpoint": endpoint,
    "kinesis.region": "us-east-1",
    awsAccessKeyId: "torture",
    awsSecretAccessKey: "torture",
    "log.level": "info",
    positionsFile: join(directory, "positions.db"),
    flows: [
      {
        filePattern: join(directory, "app*.log*"),
        kinesisStream: streamName,
        initialPosition: "START_OF_FILE",
        maxBufferAgeMillis: 50,
        rotateWaitMillis: 2_000,
      },
    ],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function startAgent(config: string, directory: string): { process: ChildProcess; hasStarted: () => boolean } {
  const agent = spawn(process.execPath, [agentCli, "run", "--config", config], { stdio: ["ignore", "ignore", "pipe"] });
  let hasStarted = false;
  agent.stderr.on("data", (text: Buffer) => {
    hasStarted ||= text.includes("file-found") || text.includes('"started"');
    appendFileSync(join(directory, "agent.out"), text);
  });
  return { process: agent, hasStarted: () => hasStarted };
}

async function end(agent: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
  if (agent.exitCode !== null) throw new Error(`the agent ended by itself with ${agent.exitCode}`);
  const exited = new Promise<number | null>((resolve) => agent.once("exit", (code) => resolve(code)));
  agent.kill(signal);
  return exited;
}

function checkDatabase(path: string): string {
  const database = new DatabaseSync(path);
  const result = database.prepare("PRAGMA integrity_check").get();
  database.close();
  return String(result?.["integrity_check"]);
}
