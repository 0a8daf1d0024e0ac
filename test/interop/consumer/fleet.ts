/**
 * Driver. One application on one stream: its workers of both kinds, the records that are put while they work, and
 * everything that the workers told, in the order in which it came.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { KinesisSimulator } from "@millrace/simulator";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LineProcess } from "../support/line-process.ts";
import { Load } from "./load.ts";
import { createTable, readRow, readRows, type RawRow } from "./tables.ts";
import { writeWithKpl } from "./peers.ts";
import type { Entry, Side, WorkerLine, WorkerSettings } from "./worker-lines.ts";

/** What all fleets of the lane share. */
export interface Peers {
  readonly simulator: KinesisSimulator;
  readonly dynamodbEndpoint: string;
  readonly kclClassPath: string;
  readonly kplClassPath: string;
}

/** What a case may choose for a worker. */
export type WorkerChoice = Partial<
  Pick<WorkerSettings, "retrieval" | "strategy" | "reportsCpu" | "maxLeases" | "stopAfter" | "effectsTable">
>;

/** Three calls must fit into it on a machine that also starts a JVM. */
export const failoverTimeMs = 5_000;

/** Small heaps and a fast start: these processes live for a minute. */
const javaFlags = [
  "-Xmx256m",
  "-XX:TieredStopAtLevel=1",
  "-XX:+UseSerialGC",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];
const workerScript = fileURLToPath(new URL("millrace-worker.ts", import.meta.url));

/** A fleet under test. The name is its stream's and its application's. */
export class Fleet {
  readonly name: string;
  readonly journal: Entry[] = [];
  /** Text of every record that was stored. */
  readonly put = new Set<string>();
  readonly #peers: Peers;
  readonly dynamodb: DynamoDBClient;
  readonly #workers = new Map<string, LineProcess>();
  /** Identifiers of the streams, where there are several. */
  #streams: readonly string[] | undefined;
  #loads: readonly Load[] = [];
  #isLegacy = false;

  constructor(peers: Peers, name: string, shardCount: number) {
    this.name = name;
    this.#peers = peers;
    peers.simulator.createStream({ streamName: name, shardCount });
    this.dynamodb = new DynamoDBClient({
      endpoint: peers.dynamodbEndpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
  }

  /** Starts a worker. Java's first ones make the table, which takes KCL up to a minute. */
  start(side: Side, workerId: string, choice: WorkerChoice = {}): void {
    const { simulator, dynamodbEndpoint, kclClassPath } = this.#peers;
    const settings: WorkerSettings = {
      streamName: this.name,
      applicationName: this.name,
      workerId,
      kinesisEndpoint: simulator.endpoint,
      dynamodbEndpoint,
      failoverTimeMs,
      retrieval: "polling",
      strategy: "count",
      ...(this.#streams === undefined ? {} : { streams: this.#streams }),
      ...choice,
    };
    const options = Object.entries(settings).map(([option, value]) => `${option}=${String(value)}`);
    const onLine = (line: string): void => this.#take(workerId, line);
    const worker =
      side === "java"
        ? new LineProcess("java", [...javaFlags, "-cp", kclClassPath, "KclWorker", ...options], { onLine })
        : new LineProcess(process.execPath, [workerScript, JSON.stringify(settings)], { onLine });
    this.#workers.set(workerId, worker);
  }

  #take(workerId: string, line: string): void {
    // A kill in the middle of a write leaves a part of a line; other lines are not the worker's.
    if (!line.startsWith('{"type"') || !line.endsWith("}")) return;
    this.journal.push({ ...(JSON.parse(line) as WorkerLine), workerId });
  }

  /** Kills a worker at once. */
  async kill(workerId: string): Promise<void> {
    await this.#workers.get(workerId)?.kill();
    this.#workers.delete(workerId);
  }

  /** Stops a worker in its tracks, or lets it go on: it cannot tell that time has passed. */
  setPaused(workerId: string, isPaused: boolean): void {
    this.#workers.get(workerId)?.setPaused(isPaused);
  }

  /** Shuts a worker down gracefully. */
  async stop(workerId: string): Promise<void> {
    const worker = this.#workers.get(workerId);
    worker?.send("stop");
    await worker?.closed();
    this.#workers.delete(workerId);
  }

  /** Puts records until `stopLoad`. */
  startLoad(): void {
    const names = this.#streams?.map((identifier) => identifier.split(":")[1] ?? "") ?? [this.name];
    this.#loads = names.map((name) => new Load(this.#peers.simulator.kinesis, name, this.put));
  }

  /** Has the KPL store records of these texts. */
  async putWithKpl(texts: readonly string[]): Promise<void> {
    const { simulator, kplClassPath } = this.#peers;
    await writeWithKpl(kplClassPath, new URL(simulator.tlsEndpoint).port, this.name, texts);
    for (const text of texts) this.put.add(text);
  }

  /** Resolves once everything that was put is stored. */
  async stopLoad(): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.stop()));
    this.#loads = [];
  }

  /** Splits each of the shards in the middle. Resolves with the children. */
  split(shardIds: Iterable<string>): readonly string[] {
    const { simulator } = this.#peers;
    return [...shardIds].flatMap((split) => simulator.reshard({ streamName: this.name, split }).opened);
  }

  /** Merges two adjacent shards. */
  merge(merge: readonly [string, string]): readonly string[] {
    return this.#peers.simulator.reshard({ streamName: this.name, merge }).opened;
  }

  /** Waits until something is so; the journal and the table are looked at again and again. */
  async until(what: string, limitMs: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const endBy = performance.now() + limitMs;
    while (!(await isSo())) {
      for (const [workerId, worker] of this.#workers) {
        if (worker.isClosed) throw new Error(`${workerId} ended by itself:\n${worker.errors}`);
      }
      if (performance.now() > endBy)
        throw new Error(`${limitMs} ms were not enough until ${what}\n${await this.tell()}`);
      await pause(100);
    }
  }

  /** All records that were put have been delivered to somebody. */
  async untilAllDelivered(limitMs: number): Promise<void> {
    await this.until("every record is delivered", limitMs, () => {
      const delivered = this.delivered();
      return [...this.put].every((text) => delivered.has(text));
    });
  }

  /** Texts of the records that were delivered from an index of the journal on. */
  delivered(since = 0): ReadonlySet<string> {
    const entries = this.journal.slice(since);
    return new Set(entries.flatMap((entry) => (entry.type === "records" ? entry.records.map(([, text]) => text) : [])));
  }

  /** Shards in which somebody, or the given worker, has checkpointed since an index of the journal. */
  shardsRead(since: number, workerId?: string): ReadonlySet<string> {
    const shardIds = new Set<string>();
    for (const entry of this.journal.slice(since)) {
      if (entry.type !== "checkpointed") continue;
      if (workerId === undefined || entry.workerId === workerId) shardIds.add(entry.shardId);
    }
    return shardIds;
  }

  /** Makes the two tables that KCL 3.0 to 3.4 has beside the lease table: workers of 3.5 then use them too. */
  async useLegacyTables(): Promise<void> {
    await createTable(this.dynamodb, `${this.name}-CoordinatorState`, "key");
    await createTable(this.dynamodb, `${this.name}-WorkerMetricStats`, "wid");
    this.#isLegacy = true;
  }

  /** Gives the fleet a second stream. */
  async useSecondStream(shardCount: number): Promise<void> {
    const { simulator } = this.#peers;
    const names = [this.name, `${this.name}-2`];
    simulator.createStream({ streamName: `${this.name}-2`, shardCount });
    const identifiers = names.map(async (streamName) => {
      const described = await simulator.kinesis.describeStreamSummary({ streamName });
      if (!described.ok) throw described.error;
      const { streamArn, streamCreationTimestamp } = described.value;
      return `${streamArn.split(":")[4]}:${streamName}:${Math.floor(streamCreationTimestamp.getTime() / 1_000)}`;
    });
    this.#streams = await Promise.all(identifiers);
  }

  /** Who holds the leader's row; undefined while there is none. */
  async leader(): Promise<string | undefined> {
    const row = this.#isLegacy
      ? await readRow(this.dynamodb, `${this.name}-CoordinatorState`, ["key", "Leader"])
      : await readRow(this.dynamodb, this.name, ["leaseKey", "Leader"]);
    return row?.["ownerName"]?.S;
  }

  /** Every row of the lease table. */
  rows(): Promise<readonly RawRow[]> {
    return readRows(this.dynamodb, this.name);
  }

  /** Rows of leases, by shard. */
  async leases(): Promise<ReadonlyMap<string, RawRow>> {
    const rows = (await this.rows()).filter((row) => row["checkpoint"] !== undefined);
    return new Map(rows.map((row) => [row["leaseKey"]?.S ?? "", row]));
  }

  /** The end of the story, for the report of a failure. */
  async tell(): Promise<string> {
    const leases = [...(await this.leases())].map(
      ([shardId, row]) =>
        `${shardId}: owner ${row["leaseOwner"]?.S}, asked ${row["checkpointOwner"]?.S}, checkpoint ${row["checkpoint"]?.S}`,
    );
    const story = this.journal
      .filter(({ type }) => type !== "records" && type !== "checkpointed")
      .slice(-20)
      .map((entry) => JSON.stringify(entry));
    const errors = [...this.#workers].map(([workerId, worker]) => `${workerId}: ${worker.errors.slice(-1_500)}`);
    return [`leader: ${await this.leader()}`, ...leases, ...story, ...errors].join("\n");
  }

  /** Ends every worker that is left, and the load. */
  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.kill()));
    // What ended the case is told; that puts failed too is not.
    await this.stopLoad().catch(() => undefined);
    this.dynamodb.destroy();
  }
}
