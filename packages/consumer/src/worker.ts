/**
 * Driver. One run of a consumer: joins the fleet, carries its shards, and leaves without making others wait.
 *
 * The order of leaving is SPEC S4: report withdrawn, handlers drained, leases given to live peers, leadership given up,
 * own leases read once more.
 */
import type { EventPublisher } from "@millrace/core/observe";
import type { KinesisPort } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "./events.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { Departure } from "./leases/departure.ts";
import type { FleetTables } from "./leases/fleet-tables.ts";
import type { HeldLease } from "./leases/held-lease.ts";
import { strangerHealth, type ConsumerHealth } from "./health.ts";
import type { KclMetrics } from "./kcl-metrics.ts";
import type { CpuSource } from "./leases/cpu-usage.ts";
import { LeaderDuties } from "./leases/leader-duties.ts";
import { LeaderLock } from "./leases/leader-lock.ts";
import { LeaseCoordinator } from "./leases/lease-coordinator.ts";
import { MetricsReporter } from "./leases/metrics-reporter.ts";
import type { ResolvedConsumerOptions } from "./resolve-options.ts";
import { handlersEnded } from "./processing/handlers-ended.ts";
import { ShardConsumer } from "./processing/shard-consumer.ts";
import type { ShardHandler } from "./record.ts";
import type { FanOutPort } from "./retrieval/fan-out-port.ts";
import { Readers } from "./retrieval/readers.ts";
import { promptly } from "./start-calls.ts";
import type { ConsumedStream } from "./shards/consumed-stream.ts";

export interface WorkerOptions {
  readonly options: ResolvedConsumerOptions;
  readonly workerId: string;
  readonly kinesis: KinesisPort;
  /** Made only for enhanced fan-out. */
  readonly fanOut: () => FanOutPort;
  readonly tables: FleetTables;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly metrics: KclMetrics | undefined;
  readonly handler: ShardHandler;
  /** Finds what this worker's CPU is measured by; undefined for nothing. */
  readonly findCpuSource: () => Promise<CpuSource | undefined>;
  /** Gets a failure that ends the run. */
  readonly onCrash: (error: unknown) => void;
}

/** A worker of the fleet. */
export class Worker {
  readonly #wiring: WorkerOptions;
  readonly #readers: Readers;
  readonly #reporter: MetricsReporter;
  readonly #lock: LeaderLock;
  readonly #duties: LeaderDuties;
  readonly #coordinator: LeaseCoordinator;
  readonly #shards = new Map<string, ShardConsumer>();
  #isStopping = false;
  readonly #watch: FleetWatch;
  readonly #departure: Departure;

  constructor(wiring: WorkerOptions) {
    this.#wiring = wiring;
    const { options, workerId, tables, system, events } = wiring;
    const { failoverTimeMs } = options;
    const table = tables.leases;
    this.#readers = new Readers(wiring);
    this.#departure = new Departure(tables, workerId, system);
    this.#reporter = new MetricsReporter({ ...wiring, table: tables.metrics });
    this.#lock = new LeaderLock({
      table: tables.leader,
      workerId,
      system,
      events,
      leaseDurationMs: options.leaderLeaseDurationMs,
      callLimitMs: Math.floor(failoverTimeMs / 3),
    });
    this.#duties = new LeaderDuties({
      ...options,
      ...wiring,
      lock: this.#lock,
      table,
    });
    this.#coordinator = new LeaseCoordinator({
      ...wiring,
      table,
      failoverTimeMs,
      discoveryIntervalMs: options.leaseDiscoveryIntervalMs,
      onAcquired: (held) => this.#acquired(held),
    });
    const { finished } = this.#coordinator;
    this.#watch = new FleetWatch({
      ...wiring,
      finished,
      isLeader: () => this.#lock.isLeader,
      onMigrated: () => this.#lock.moveTo(table),
    });
  }

  /**
   * Joins the fleet, whose tables are open.
   * @throws {ConsumerError} when fan-out cannot be had.
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.#readers.prepare(signal);
    const { tables, workerId, events } = this.#wiring;
    await promptly(signal, () => this.#reporter.start());
    const { layout, created } = tables;
    events.publish({ type: "started", workerId, leaseTable: tables.leases.name, created, layout });
    this.#duties.start();
    this.#coordinator.start();
    this.#watch.start();
  }

  /**
   * Leaves the fleet: handlers end their batches, leases go to live peers. Once `force` aborts, handlers that still run
   * lose their leases at once.
   */
  async stop(force: AbortSignal | undefined): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const { events, workerId, system, options } = this.#wiring;
    await this.#watch.stop();
    await this.#reporter.withdraw();
    await this.#duties.stop();
    this.#coordinator.stopDiscovery();
    if (this.#coordinator.held.size > 0) await this.#departure.findPeers();
    for (const shard of this.#shards.values()) shard.drain("shutdown");
    await handlersEnded([...this.#shards.values()], system, options.handOffTimeoutMs, force);
    // What a handler has not given back by now, and what none of them had.
    const left = [...this.#coordinator.held.values()];
    await Promise.all(left.map((held) => held.release(this.#departure.nextOwner())));
    for (const { health } of this.#shards.values()) {
      const isRunning = health.phase === "handling" || health.phase === "abandoned";
      if (isRunning) events.publish({ type: "handler-abandoned", shardId: health.shardId });
    }
    await this.#lock.release();
    await this.#coordinator.stop();
    // Under a shared name the leases of the process that goes on would look like late ones of this.
    if (!this.#reporter.isDuplicate) await this.#departure.passOnLateLeases();
    events.publish({ type: "stopped", workerId });
  }

  /** Stops everything at once without a word to anyone, as the death of the process would: for tests of failover. */
  async abandon(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([this.#watch.stop(), this.#reporter.stop(), this.#duties.stop(), this.#coordinator.abandon()]);
  }

  /** This worker as it sees itself. */
  get health(): Omit<ConsumerHealth, "workerId" | "isRunning"> {
    const strangers = [...this.#coordinator.held.values()].filter(({ leaseKey }) => !this.#shards.has(leaseKey));
    const now = this.#wiring.system.now();
    const shards = [
      ...[...this.#shards.values()].map((shard) => shard.health),
      ...strangers.map((held) => strangerHealth(held, now)),
    ];
    const isHealthy = shards.every((shard) => shard.trouble === undefined);
    return { isLeader: this.#lock.isLeader, isHealthy, shards };
  }

  #acquired(held: HeldLease): void {
    const before = this.#shards.get(held.leaseKey);
    if (before === undefined) {
      this.#consume(held);
      return;
    }
    // The lease was lost and has come back; the handler of then must have returned before another may start.
    let hasEnded = false;
    void before.ended.finally(() => {
      hasEnded = true;
      if (!held.signal.aborted) this.#consume(held);
    });
    const { maxHandlerMs } = this.#wiring.options;
    if (maxHandlerMs === undefined) return;
    // One that has timed out may never return: another worker gets the shard again.
    const passOn = (): void => {
      if (!hasEnded && !held.signal.aborted) this.#timedOut(held, maxHandlerMs);
    };
    this.#wiring.system.schedule(maxHandlerMs, passOn, { unref: true });
  }

  /** Gives the shard of a silent handler to another worker; where there is none, to nobody. */
  #timedOut(held: HeldLease, maxHandlerMs: number): void {
    const { events, onCrash } = this.#wiring;
    const { shardId } = held;
    const tell = (receiver: string | undefined): void =>
      events.publish({ type: "handler-timed-out", shardId, maxHandlerMs, receiver });
    this.#departure.giveAway(held, tell).catch(onCrash);
  }

  #consume(held: HeldLease): void {
    const { options, workerId, kinesis, tables, system, events, metrics, handler, onCrash } = this.#wiring;
    const stream = this.#streamOf(held);
    if (stream === undefined) return;
    const shard = new ShardConsumer({
      held,
      stream,
      handler,
      table: tables.leases,
      kinesis,
      system,
      events,
      metrics,
      workerId,
      onCrash,
      maxBatchRecords: options.maxBatchRecords,
      deaggregation: this.#readers.deaggregationOf(stream),
      failoverTimeMs: options.failoverTimeMs,
      drainTimeoutMs: options.handOffTimeoutMs,
      maxHandlerMs: options.maxHandlerMs,
      onHandlerTimedOut: (lease) => this.#timedOut(lease, options.maxHandlerMs ?? 0),
      createReader: (position, reading) => this.#readers.create(stream, held.shardId, position, reading),
      readSilenceMs: Math.max(20_000, 3 * options.pollIntervalMs),
      canKeepChild: () => !this.#isStopping && this.#coordinator.held.size <= options.maxLeasesPerWorker,
      onChildren: (leases) => {
        for (const lease of leases) this.#coordinator.adopt(lease, system.now());
      },
      onFinished: (finished) => this.#coordinator.finish(finished),
      nextOwner: () => this.#departure.nextOwner(),
    });
    this.#shards.set(held.leaseKey, shard);
    void shard.ended.finally(() => {
      if (this.#shards.get(held.leaseKey) === shard) this.#shards.delete(held.leaseKey);
    });
    if (this.#isStopping) shard.drain("shutdown");
  }

  #streamOf(held: HeldLease): ConsumedStream | undefined {
    return this.#wiring.options.streams.find((stream) => stream.streamIdentifier === held.lease.streamIdentifier);
  }
}
