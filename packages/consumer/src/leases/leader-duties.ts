/**
 * Driver. What the leader does for the fleet: sees who is alive, creates missing leases, gives leases to workers.
 *
 * Source: kcl.md 2.4 and 3. Only the leader scans the table. A round is a quarter of the failover time, so that a dead
 * worker's leases move within 1.5 failover times (SPEC S5).
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { KinesisPort } from "@millrace/core/kinesis";
import { SerialLoop } from "@millrace/core/runtime";
import { ConsumerError } from "../errors.ts";
import type { ConsumerEvent } from "../events.ts";
import type { ConsumedStream } from "../shards/consumed-stream.ts";
import { hasOtherMode, observeFormer, splitByStream, type FormerStreams } from "../shards/former-streams.ts";
import { auditStream, deleteFinished, deleteFormer } from "../shards/shard-audit.ts";
import { callWithin } from "./call-within.ts";
import { scanFleet, type FleetTables } from "./fleet-tables.ts";
import { firstSuspects, standsAside, suspectsAfter, type FleetRows, type Suspects } from "./fleet.ts";
import { countExpired, countFleet, countRound, countSync } from "./leader-metrics.ts";
import { LeaseAssigner, type LeaseAssignerOptions } from "./lease-assigner.ts";
import { observeCounters, type CounterObservations } from "./lease-expiry.ts";
import type { Lease } from "./lease.ts";
import { numberAttribute } from "./table-row.ts";
import { staleMetricsSeconds } from "./worker-metrics.ts";

/** A worker of KCL looks for the leadership every 30 s. Source: kcl.md 1.6. */
const asideMs = 120_000;

export interface LeaderDutiesOptions extends LeaseAssignerOptions {
  readonly workerId: string;
  readonly tables: FleetTables;
  readonly kinesis: KinesisPort;
  readonly streams: readonly ConsumedStream[];
  readonly isMultiStream: boolean;
  /** Undefined for ever. */
  readonly formerStreamsKeptMs: number | undefined;
  readonly shardSyncIntervalMs: number;
  readonly leaseCleanupIntervalMs: number;
  readonly onCrash: (error: unknown) => void;
}

/** One worker's part in leading, whether it leads or not. */
export class LeaderDuties {
  readonly #options: LeaderDutiesOptions;
  readonly #assigner: LeaseAssigner;
  #loop: SerialLoop | undefined;
  #observations: CounterObservations = new Map();
  #suspects: Suspects | undefined;
  /** When each stream's shards were last compared with its leases. */
  #syncedAt = new Map<string, number>();
  #cleanedAt = -Infinity;
  #former: FormerStreams = new Map();
  #asideUntil = -Infinity;
  #lastScanUnits = 0;

  constructor(options: LeaderDutiesOptions) {
    this.#options = options;
    this.#assigner = new LeaseAssigner(options);
  }

  /** What the last scan of the table cost, in DynamoDB's read units; 0 while this worker does not lead. */
  get lastScanUnits(): number {
    return this.#options.lock.isLeader ? this.#lastScanUnits : 0;
  }

  start(): void {
    const { system, onCrash } = this.#options;
    this.#loop = new SerialLoop({ system, onCrash, step: (signal) => this.#step(signal) });
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  async #step(signal: AbortSignal): Promise<number> {
    const { lock, failoverTimeMs, system } = this.#options;
    // Whoever stands aside does not take the row back before another worker can have it.
    if (system.now() < this.#asideUntil) return failoverTimeMs / 4;
    await lock.step();
    this.#options.metrics?.detailed("LeaderDecider", "LeaderDecider:IsLeader", "Count", Number(lock.isLeader));
    if (lock.isLeader && !signal.aborted) {
      if (await this.#lead(signal)) return 0;
    } else if (!lock.isLeader) {
      this.#forget();
    }
    return failoverTimeMs / 4;
  }

  #forget(): void {
    this.#observations = new Map();
    this.#suspects = undefined;
    this.#assigner.forget();
    this.#syncedAt = new Map();
    this.#former = new Map();
  }

  /** One round; true when another should follow at once. */
  async #lead(signal: AbortSignal): Promise<boolean> {
    const { system, tables, failoverTimeMs, lock } = this.#options;
    const startedAt = system.now();
    const rows = await callWithin(system, failoverTimeMs, () => scanFleet(tables, { signal }));
    const { metrics } = this.#options;
    if (!rows.ok) {
      if (metrics !== undefined) countRound(metrics, false, system.now() - startedAt);
      this.#events.publish({ type: "lease-table-failed", operation: "scan", error: describeError(rows.error) });
      return false;
    }
    this.#lastScanUnits = rows.units ?? 0;
    const { current, former } = splitByStream(rows.value.leases, this.#options.streams);
    this.#refuseOtherMode(rows.value.leases);
    // Nobody is given what nobody of this configuration would read.
    const fleet: FleetRows = { ...rows.value, leases: current };
    this.#observations = observeCounters(this.#observations, fleet.leases, system.now());
    const scanMs = system.now() - startedAt;
    if (metrics !== undefined) countFleet(metrics, fleet, scanMs, system.wallNow());
    this.#suspects ??= firstSuspects(fleet, this.#options.workerId, system.wallNow(), failoverTimeMs);
    this.#suspects = suspectsAfter(this.#suspects, fleet, this.#observations, startedAt, failoverTimeMs);
    const created = await this.#syncShards(fleet.leases, signal);
    if (!lock.isLeader || signal.aborted) return false;
    if (metrics !== undefined) countExpired(metrics, fleet.leases, this.#observations, startedAt, failoverTimeMs);
    await this.#assigner.assign(fleet, this.#observations, this.#suspects, startedAt);
    if (metrics !== undefined) countRound(metrics, true, system.now() - startedAt);
    if (system.now() - this.#cleanedAt >= this.#options.leaseCleanupIntervalMs) {
      this.#cleanedAt = system.now();
      await deleteFinished(this.#options, fleet.leases);
      await this.#deleteStaleWorkers(fleet);
    }
    await this.#deleteFormer(former);
    if (standsAside(tables.layout, fleet.workers, system.wallNow())) {
      this.#asideUntil = system.now() + asideMs;
      await lock.release("a worker of KCL leads the table migration");
      return false;
    }
    return created > 0;
  }

  get #events(): EventPublisher<ConsumerEvent> {
    return this.#options.events;
  }

  /** Creates missing leases: at once for a stream without any, else when the last comparison is old. */
  async #syncShards(leases: readonly Lease[], signal: AbortSignal): Promise<number> {
    const { system, streams, shardSyncIntervalMs, failoverTimeMs, metrics } = this.#options;
    let created = 0;
    const startedAt = system.now();
    const synced = { streams: 0, failed: 0 };
    const leasesByStream: (readonly Lease[])[] = [];
    for (const stream of streams) {
      const own = leases.filter((lease) => lease.streamIdentifier === stream.streamIdentifier);
      leasesByStream.push(own);
      const syncedAt = this.#syncedAt.get(stream.leaseKeyPrefix) ?? -Infinity;
      if (own.length > 0 && system.now() - syncedAt < shardSyncIntervalMs) continue;
      const outcome = await auditStream(this.#options, stream, own, signal);
      synced.streams++;
      if (!outcome.ok) synced.failed++;
      if (outcome.ok) {
        this.#syncedAt.set(stream.leaseKeyPrefix, system.now());
        created += outcome.created;
      } else if (outcome.error.kind === "permanent" && own.length === 0) {
        throw new ConsumerError(
          "ERR_STREAM_UNUSABLE",
          `cannot list the shards of ${stream.streamName}: ${describeError(outcome.error)}`,
          outcome.error,
        );
      } else if (outcome.error.kind !== "aborted") {
        const { code } = outcome.error;
        const at = { operation: "list shards", streamName: stream.streamName, retryInMs: failoverTimeMs / 4 };
        this.#events.publish({ type: "stream-call-failed", ...at, code, error: describeError(outcome.error) });
      }
    }
    const tookMs = system.now() - startedAt;
    if (metrics !== undefined && synced.streams > 0) countSync(metrics, leasesByStream, { ...synced, tookMs });
    return created;
  }

  #refuseOtherMode(leases: readonly Lease[]): void {
    const { isMultiStream, table } = this.#options;
    if (!hasOtherMode(leases, isMultiStream)) return;
    const why = isMultiStream
      ? "it has leases of a single stream, under its shards' own ids, and streams was given"
      : "it has leases of several streams, under their names, and one stream was given";
    throw new ConsumerError("ERR_STREAM_MODE", `cannot use the lease table ${table.name}: ${why}`);
  }

  /** Leases of streams that are named no more, once that was so for long enough. */
  async #deleteFormer(former: ReadonlyMap<string, readonly Lease[]>): Promise<void> {
    const { system, formerStreamsKeptMs, metrics, streams } = this.#options;
    const now = system.now();
    this.#former = observeFormer(this.#former, former.keys(), now);
    let deleted = 0;
    for (const [identifier, leases] of former) {
      const since = this.#former.get(identifier) ?? now;
      if (formerStreamsKeptMs !== undefined && now - since >= formerStreamsKeptMs) {
        if ((await deleteFormer(this.#options, leases)) > 0) deleted++;
      }
    }
    if (!this.#options.isMultiStream || metrics === undefined) return;
    metrics.summary("MultiStreamTracker", "ActiveStreams.Count", "Count", streams.length);
    metrics.summary("MultiStreamTracker", "StreamsPendingDeletion.Count", "Count", former.size - deleted);
    metrics.summary("MultiStreamTracker", "DeletedStreams.Count", "Count", deleted);
  }

  /** Reports of workers that are long gone. The condition keeps one that has just come back. */
  async #deleteStaleWorkers(fleet: FleetRows): Promise<void> {
    const { system, tables } = this.#options;
    for (const worker of fleet.workers) {
      if (system.wallNow() / 1000 - worker.lastUpdateSeconds <= staleMetricsSeconds) continue;
      const lut = { attribute: "lut", is: "equal", value: numberAttribute(worker.lastUpdateSeconds) } as const;
      await tables.metrics.delete(worker.workerId, [lut]);
    }
  }
}
