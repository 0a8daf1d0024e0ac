/**
 * Driver. `pnpm torture agent`: the agent is killed again and again while logs rotate and the stream fails.
 *
 * A writer appends lines to several logs and rotates them by rename and by copy-and-truncate; a simulator throttles,
 * fails in parts and loses answers after it stored them; the agent's process gets SIGKILL at random moments. At the end
 * every line must be in the stream [C9], the positions database must be whole, and no line may have been sent again
 * after a position past it was saved [C10]: what repeats comes from the window that was not acknowledged at a kill.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { GetRecordsResponse } from "@millrace/core/kinesis";
import { KinesisSimulator } from "@millrace/simulator";

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
const streamName = "lines";
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

/** The stream, read on from where it was left. */
class StreamLog {
  readonly lines = new Set<string>();
  delivered = 0;
  readonly #simulator: KinesisSimulator;
  readonly #iterators = new Map<string, string>();

  constructor(simulator: KinesisSimulator) {
    this.#simulator = simulator;
  }

  /** What was stored since the last call. */
  async next(): Promise<string[]> {
    const { kinesis } = this.#simulator;
    const found: string[] = [];
    const position = { type: "TRIM_HORIZON" } as const;
    for (const { shardId } of unwrap(await kinesis.listShards({ streamName })).shards) {
      let shardIterator =
        this.#iterators.get(shardId) ??
        unwrap(await kinesis.getShardIterator({ streamName, shardId, position })).shardIterator;
      for (let behindMs = 1; behindMs > 0;) {
        const page: GetRecordsResponse = unwrap(await kinesis.getRecords({ shardIterator }));
        for (const record of page.records) found.push(Buffer.from(record.data).toString("utf8"));
        behindMs = page.millisBehindLatest;
        shardIterator = page.nextShardIterator ?? shardIterator;
      }
      this.#iterators.set(shardId, shardIterator);
    }
    for (const line of found) this.lines.add(line);
    this.delivered += found.length;
    return found;
  }
}

/** Compares what is sent with what the positions said before. */
class Audit {
  /** Sum over the kills: lines that were written and that no saved position had passed. */
  unacknowledged = 0;
  /** Lines that came although a position past them had been saved by the last kill. */
  repeatedAfterSave = 0;
  /** Lines that a saved position had passed and that were not in the stream. */
  savedBeforeStored = 0;
  readonly #acknowledged = new Set<string>();
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  check(sent: readonly string[]): void {
    for (const line of sent) if (this.#acknowledged.has(line)) this.repeatedAfterSave += 1;
  }

  /** Takes up which lines the positions have passed. The agent must be dead, and its writes checked. */
  takePositions(written: ReadonlySet<string>, stored: ReadonlySet<string>): void {
    const files = new Map<string, Buffer>();
    for (const name of readdirSync(this.#directory)) {
      if (!name.startsWith("app")) continue;
      const path = join(this.#directory, name);
      files.set(String(statSync(path, { bigint: true }).ino), readFileSync(path));
    }
    for (const row of this.#rows()) {
      const bytes = files.get(String(row["inode"]));
      const endBytes = Number(row["position_bytes"]);
      if (bytes === undefined || endBytes > bytes.length) continue;
      const marker = bytes.subarray(endBytes - Number(row["marker_bytes"]), endBytes);
      // A file that was emptied and filled again has other bytes there: the row is not about them.
      if (createHash("sha256").update(marker).digest("hex").slice(0, String(row["marker"]).length) !== row["marker"]) {
        continue;
      }
      for (const line of bytes.toString("utf8", 0, endBytes).split(/(?<=\n)/)) {
        if (line === "" || this.#acknowledged.has(line)) continue;
        this.#acknowledged.add(line);
        if (!stored.has(line)) this.savedBeforeStored += 1;
      }
    }
    this.unacknowledged += written.size - this.#acknowledged.size;
  }

  /** From a copy: opening the database would recover it in the agent's place. */
  #rows(): readonly Record<string, unknown>[] {
    const copy = join(this.#directory, "audit.db");
    for (const suffix of ["", "-wal"]) {
      rmSync(`${copy}${suffix}`, { force: true });
      const from = join(this.#directory, `positions.db${suffix}`);
      if (existsSync(from)) copyFileSync(from, `${copy}${suffix}`);
    }
    const database = new DatabaseSync(copy);
    try {
      const hasTable = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'generation'").get() !== undefined;
      return hasTable ? database.prepare("SELECT * FROM generation").all() : [];
    } finally {
      database.close();
    }
  }
}

function unwrap<T>(answer: { ok: true; value: T } | { ok: false; error: Error }): T {
  if (!answer.ok) throw answer.error;
  return answer.value;
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

/** Mulberry32: the same seed gives the same moments and rotations. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
