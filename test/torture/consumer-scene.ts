/**
 * Driver. The world of the consumer torture: a stream under load, its workers, and the times that they take.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Shard } from "@millrace/core/kinesis";
import { Producer } from "@millrace/producer";
import type { KinesisSimulator } from "@millrace/simulator";
import { WorkerProcess } from "./consumer-fleet.ts";
import { Journal, type Tenure } from "./consumer-journal.ts";
import type { WorkerOptions } from "./consumer-worker.ts";
import { LeaseAudit } from "./lease-audit.ts";

export const streamName = "torture";
/** Short, so that many rounds fit into minutes. */
const failoverTimeMs = 3_000;
/** As with the defaults: twice the failover time. */
const leaderLeaseDurationMs = 6_000;
const modes = ["run", "each", "batches"] as const;
const actions = ["kill", "stand-still", "close"] as const;
/** How far past its budget a time may be before it is a fault. */
const grossly = 3;

/** What each kind of change may take, in milliseconds. Source: SPEC S5. */
const budgetsMs = {
  worker: 1.5 * failoverTimeMs,
  leader: leaderLeaseDurationMs + 2 * failoverTimeMs,
  close: 1_000,
  child: 1_000,
};

type Times = Record<keyof typeof budgetsMs, number[]>;

/** What became of one torture. */
export type Verdict = Record<string, unknown> & { readonly ok: boolean };

/** The world of one torture. */
export class TortureScene {
  readonly journal = new Journal();
  readonly times: Times = { worker: [], leader: [], close: [], child: [] };
  readonly faults: string[] = [];
  readonly #counts = { kill: 0, "stand-still": 0, close: 0, reshard: 0 };
  readonly #simulator: KinesisSimulator;
  readonly #dynamodbEndpoint: string;
  readonly #random: () => number;
  readonly #audit: LeaseAudit;
  #isClosed = false;
  readonly #workers: WorkerProcess[] = [];
  #started = 0;

  constructor(simulator: KinesisSimulator, dynamodbEndpoint: string, random: () => number) {
    this.#simulator = simulator;
    this.#dynamodbEndpoint = dynamodbEndpoint;
    this.#random = random;
    this.#audit = new LeaseAudit(dynamodbEndpoint, "torture");
  }

  async begin(): Promise<void> {
    for (let slot = 0; slot < modes.length; slot++) this.#start(slot);
    void this.#auditUntilClosed();
    await this.#allHaveShards(30_000);
  }

  /** Puts records, about a thousand a second, until it is ended. */
  load(): { end(): Promise<ReadonlySet<string>> } {
    const client = this.#simulator.client();
    const producer = new Producer({ streamName, client, recordMaxBufferedMs: 20 });
    const put = new Set<string>();
    const load = { isOn: true };
    const loading = (async () => {
      while (load.isOn) {
        for (let index = 0; index < 50; index++) {
          const line = `line ${put.size}`;
          put.add(line);
          // One that fails would be missing at the end.
          producer.put({ partitionKey: line, data: line }).catch((error: unknown) => this.faults.push(String(error)));
        }
        await wait(50);
      }
    })();
    return {
      async end() {
        if (!load.isOn) return put;
        load.isOn = false;
        await loading;
        await producer.close();
        client.destroy();
        return put;
      },
    };
  }

  /** One worker is killed, stopped for a while or closed; every third time the stream is resharded beside it. */
  async round(round: number): Promise<void> {
    const slot = Math.floor(this.#random() * modes.length);
    const action = actions[round % actions.length] ?? "kill";
    if (round % 3 === 1) await this.#reshard();
    await wait(this.#random() * 500);
    this.#counts[action] += 1;
    await this.#act(slot, action);
    await this.#allHaveShards(15_000);
  }

  /** Waits until everything has arrived, or nothing new has for a minute. Gives how much has not. */
  async drain(put: ReadonlySet<string>): Promise<number> {
    // Nothing is delivered that was not put.
    const missing = (): number => put.size - this.journal.delivered.size;
    for (let before = Infinity, now = missing(); now > 0 && now < before; before = now, now = missing()) {
      await until(() => missing() === 0, 60_000);
    }
    return missing();
  }

  async verdict(missing: number): Promise<Verdict> {
    const parents = new Map((await this.#shards()).map((shard) => [shard.shardId, parentsOf(shard)]));
    this.times.child.push(...this.journal.childStartsMs((shardId) => parents.get(shardId) ?? []));
    const timesMs = Object.entries(this.times).map(([kind, times]) => {
      const budget = budgetsMs[kind as keyof Times];
      const worst = Math.round(Math.max(0, ...times));
      if (worst > grossly * budget) this.faults.push(`${kind}: ${worst} ms of ${budget}`);
      const median = Math.round(times.toSorted((x, y) => x - y)[Math.floor(times.length / 2)] ?? 0);
      const over = times.filter((ms) => ms > budget).length;
      return [kind, { budget, count: times.length, median, worst, over }] as const;
    });
    const { staleCheckpoints, lateDeliveries, deliveries, delivered } = this.journal;
    const faults = [...this.faults, ...this.#audit.faults, ...staleCheckpoints, ...lateDeliveries];
    const isOk = missing === 0 && faults.length === 0;
    return {
      ok: isOk,
      actions: this.#counts,
      shards: parents.size,
      deliveries,
      duplicates: deliveries - delivered.size,
      checkpoints: this.journal.of("stored").length,
      tableLooks: this.#audit.looks,
      timesMs: Object.fromEntries(timesMs),
      ...(isOk ? {} : { faultCount: faults.length, faults: faults.slice(0, 20), journal: this.journal.save() }),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#workers.map((worker) => worker.kill()));
    this.#audit.close();
  }

  #start(slot: number): void {
    this.#started += 1;
    const options: WorkerOptions = {
      workerId: `w${slot}-${this.#started}`,
      streamName,
      kinesisEndpoint: this.#simulator.endpoint,
      dynamodbEndpoint: this.#dynamodbEndpoint,
      failoverTimeMs,
      leaderLeaseDurationMs,
      mode: modes[slot] ?? "run",
    };
    this.#workers[slot] = new WorkerProcess(options, this.journal);
  }

  async #act(slot: number, action: (typeof actions)[number]): Promise<void> {
    const victim = this.#workers[slot];
    if (victim === undefined) return;
    if (victim.hasEnded) this.faults.push(`${victim.workerId} has ended by itself`);
    const owned = [...this.journal.tenures.values()].filter(({ workerId }) => workerId === victim.workerId);
    const isLeader = this.journal.leader === victim.workerId;
    const kind = action === "close" ? "close" : isLeader ? "leader" : "worker";
    const sinceUs = Number(process.hrtime.bigint() / 1000n);
    this.journal.add({ type: "act", action, workerId: victim.workerId, atUs: sinceUs });
    if (action === "stand-still") {
      // From a pause that costs no lease to one in which everything has moved.
      const forMs = budgetsMs[kind] * (0.2 + this.#random() * 1.3);
      victim.standStill();
      await wait(forMs);
      victim.goOn();
      // It learns what it has lost.
      await wait(500);
      this.#noteFollowers(owned, sinceUs, kind);
      return;
    }
    if (action === "kill") await victim.kill();
    else if ((await victim.close()) !== 0) this.faults.push(`${victim.workerId} closed with an exit code`);
    const open = (): readonly Tenure[] =>
      owned.filter(({ shardId, token }) => {
        return this.journal.followed(shardId, token) === undefined && !this.journal.isFinished(shardId);
      });
    await until(() => open().length === 0, grossly * budgetsMs.leader);
    for (const { shardId } of open())
      this.faults.push(`${shardId} has no reader after ${action} of ${victim.workerId}`);
    this.#noteFollowers(owned, sinceUs, kind);
    this.#start(slot);
  }

  #noteFollowers(owned: readonly Tenure[], sinceUs: number, kind: keyof Times): void {
    for (const { shardId, token } of owned) {
      const followedUs = this.journal.followed(shardId, token);
      if (followedUs !== undefined) this.times[kind].push((followedUs - sinceUs) / 1000);
    }
  }

  /** Splits a shard while there are few, else merges two neighbours. */
  async #reshard(): Promise<void> {
    const open = (await this.#shards())
      .filter((shard) => shard.endingSequenceNumber === undefined)
      .toSorted((a, b) => (a.startingHashKey < b.startingHashKey ? -1 : 1));
    const index = Math.floor(this.#random() * (open.length - 1));
    const [first, second] = open.slice(index, index + 2);
    if (first === undefined || second === undefined) return;
    if (open.length < 6) this.#simulator.reshard({ streamName, split: first.shardId });
    else this.#simulator.reshard({ streamName, merge: [first.shardId, second.shardId] });
    this.#counts.reshard += 1;
  }

  async #shards(): Promise<readonly Shard[]> {
    const answer = await this.#simulator.kinesis.listShards({ streamName });
    if (!answer.ok) throw answer.error;
    return answer.value.shards;
  }

  async #auditUntilClosed(): Promise<void> {
    while (!this.#isClosed) {
      await this.#audit.look();
      await wait(100);
    }
  }

  /** A victim is to have something to lose. */
  #allHaveShards(forMs: number): Promise<boolean> {
    return until(() => {
      const owners = new Set([...this.journal.tenures.values()].map(({ workerId }) => workerId));
      return this.#workers.every(({ workerId }) => owners.has(workerId));
    }, forMs);
  }
}

function parentsOf({ parentShardId, adjacentParentShardId }: Shard): readonly string[] {
  return [parentShardId, adjacentParentShardId].filter((parent) => parent !== undefined);
}

/** Waits for the condition. False when the time is over first. */
async function until(condition: () => boolean, forMs: number): Promise<boolean> {
  const endMs = performance.now() + forMs;
  while (!condition()) {
    if (performance.now() > endMs) return false;
    await wait(20);
  }
  return true;
}
