/**
 * Driver. The public consumer: a shard is an async iterable, a lease is an AbortSignal.
 */
import { createEventPublisher, type EventPublisher } from "@millrace/core/observe";
import { ConfigError, signalOption } from "@millrace/core/options";
import { realSystem, type System } from "@millrace/core/runtime";
import { ConsumerPorts, type ConsumerWiring } from "./consumer-ports.ts";
import { ConsumerClosedError } from "./errors.ts";
import type { ConsumerEvent } from "./events.ts";
import type { ConsumerHealth } from "./health.ts";
import type { ConsumerOptions } from "./options.ts";
import { resolveConsumerOptions, type ResolvedConsumerOptions } from "./resolve-options.ts";
import { BatchChannel } from "./processing/batch-channel.ts";
import {
  resolveBatchOptions,
  resolveEachOptions,
  type BatchOptions,
  type EachOptions,
} from "./processing/each-options.ts";
import { eachBatch, type BatchHandler } from "./processing/per-batch.ts";
import { eachRecord, type RecordHandler } from "./processing/per-record.ts";
import type { RecordBatch, ShardHandler } from "./record.ts";
import { warnWhereUnheard } from "./unheard-warning.ts";
import { untilAborted } from "./until-aborted.ts";
import { Worker } from "./worker.ts";

/** Options of a run. */
export interface RunOptions {
  /** Ends the run as `close` does: handlers finish their batches, leases go to other workers. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a stream together with the other workers of the same application, through leases in a DynamoDB table that is
 * KCL's own. Nothing is read and nothing is written before `run`, `runEach` or `batches`.
 *
 * @example
 * const consumer = new Consumer({ streamName: "clicks", applicationName: "clicks-to-store" });
 * await consumer.run(async (shard) => {
 *   for await (const batch of shard) {
 *     await store.insert(batch.records, { signal: shard.signal });
 *     await batch.checkpoint();
 *   }
 * });
 */
export class Consumer implements AsyncDisposable {
  /** This worker's name in the fleet. */
  readonly workerId: string;
  readonly #options: ResolvedConsumerOptions;
  readonly #system: System;
  readonly #events: EventPublisher<ConsumerEvent>;
  readonly #wiring: ConsumerWiring;
  readonly #closing = new AbortController();
  /** Aborts when `close` is told not to wait for handlers any longer. */
  readonly #forcing = new AbortController();
  #worker: Worker | undefined;
  #run: Promise<void> | undefined;

  /**
   * @param wiring @internal
   * @throws {ConfigError} for a bad option.
   */
  constructor(options: ConsumerOptions, wiring: ConsumerWiring = {}) {
    this.#options = resolveConsumerOptions(options);
    this.#wiring = wiring;
    this.#system = wiring.system ?? realSystem;
    this.workerId = this.#options.workerId ?? this.#system.uuid();
    const events = createEventPublisher<ConsumerEvent>("millrace:consumer", this.#options.onEvent);
    this.#events = warnWhereUnheard(events, this.#system, this.#options.applicationName);
  }

  /**
   * Calls `handler` for each shard that this worker leases, many at a time, until `close` or the signal.
   *
   * When the shard's loop has ended with the last batch checkpointed, the shard is finished and its children begin. A
   * handler that throws or leaves its loop early is called again from the checkpoint after a backoff; no batch is skipped.
   * @returns resolves when everything has ended.
   * Throttles, time-outs and other failures that pass do not end it, not even before the first shard: they are events,
   * and it tries again.
   * @throws {ConsumerError} when it cannot go on: no stream, no access, a lease table of another shape.
   * @throws {ConsumerClosedError} when it was closed, or is running already.
   */
  async run(handler: ShardHandler, options: RunOptions = {}): Promise<void> {
    checkHandler(handler, "an async function of a leased shard");
    const signal = signalOption("signal", options.signal);
    if (this.#closing.signal.aborted) throw new ConsumerClosedError("the consumer is closed");
    if (this.#run !== undefined) throw new ConsumerClosedError("the consumer is running already");
    const run = this.#runWorker(handler, signal);
    this.#run = run.catch(() => undefined);
    await run;
  }

  /**
   * Calls `handler` for each user record, in order within a shard, and checkpoints what is done with the lease's
   * renewals. A record that fails is tried again; by default for ever, so that none is skipped.
   * @throws as `run` does.
   */
  async runEach(handler: RecordHandler, options: EachOptions = {}): Promise<void> {
    checkHandler(handler, "an async function of a user record");
    const resolved = resolveEachOptions(options);
    await this.run(eachRecord(handler, resolved, { system: this.#system, events: this.#events }), options);
  }

  /**
   * Calls `handler` for batches of user records, and checkpoints what is done with the lease's renewals. A batch may
   * gather for a while, and when it fails it is tried again in halves, down to the record that fails alone.
   *
   * A handler that knows which record failed returns `{ failedAt: record }`: those before it are done.
   * @throws as `run` does.
   *
   * @example
   * await consumer.runBatches(async (records) => store.insert(records.map((record) => record.json())), {
   *   maxBatchRecords: 500,
   *   batchWindowMs: 1_000,
   * });
   */
  async runBatches(handler: BatchHandler, options: BatchOptions = {}): Promise<void> {
    checkHandler(handler, "an async function of an array of user records");
    const resolved = resolveBatchOptions(options);
    await this.run(eachBatch(handler, resolved, { system: this.#system, events: this.#events }), options);
  }

  /**
   * All shards in one loop, one batch at a time. A batch counts as done when the next is asked for; leaving the loop
   * closes the consumer.
   */
  async *batches(options: RunOptions = {}): AsyncGenerator<RecordBatch, void, undefined> {
    const channel = new BatchChannel();
    const run = this.run((shard) => channel.feed(shard), options).finally(() => channel.end());
    // Its failure is thrown below, once the channel has run dry.
    run.catch(() => undefined);
    try {
      for (let batch = await channel.next(); batch !== undefined; batch = await channel.next()) yield batch;
    } finally {
      channel.end();
      await this.close();
    }
    await run;
  }

  /** Why each shard of this worker moves or does not, as plain data: for a health endpoint. */
  health(): ConsumerHealth {
    const idle = { isLeader: false, isHealthy: true, shards: [] };
    return { workerId: this.workerId, isRunning: this.#worker !== undefined, ...(this.#worker?.health ?? idle) };
  }

  /**
   * Ends the run: handlers finish the batch in hand, leases go to other workers. Idempotent.
   * @param options.signal once it aborts, handlers that still run lose their leases at once.
   */
  async close(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const signal = signalOption("signal", options.signal);
    const force = (): void => this.#forcing.abort();
    if (signal?.aborted === true) force();
    else signal?.addEventListener("abort", force, { once: true });
    this.#closing.abort();
    await this.#run;
    signal?.removeEventListener("abort", force);
  }

  /** As `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Stops without a word to anyone, as the death of the process would: for tests of failover. */
  async abandon(): Promise<void> {
    await this.#worker?.abandon();
    this.#worker = undefined;
    this.#closing.abort();
    await this.#run;
  }

  async #runWorker(handler: ShardHandler, signal: AbortSignal | undefined): Promise<void> {
    let crash: { readonly error: unknown } | undefined;
    const crashed = new AbortController();
    const signals = [this.#closing.signal, crashed.signal];
    const stop = AbortSignal.any(signal === undefined ? signals : [...signals, signal]);
    const ports = new ConsumerPorts(this.#options, this.#wiring, this.#system, this.#events, this.workerId);
    try {
      stop.throwIfAborted();
      const tables = await ports.joinFleet(stop);
      const { kinesis, events, metrics } = ports;
      this.#worker = new Worker({
        options: { ...this.#options, streams: await ports.identifyStreams(stop) },
        workerId: this.workerId,
        kinesis,
        fanOut: () => ports.fanOut(),
        tables,
        system: this.#system,
        events,
        metrics,
        handler,
        findCpuSource: () => ports.findCpuSource(),
        onCrash: (error) => {
          crash ??= { error };
          crashed.abort();
        },
      });
      await this.#worker.start(stop);
      metrics?.initialized(true);
      await untilAborted(stop);
    } catch (error) {
      if (!stop.aborted) {
        ports.metrics?.initialized(false);
        crash = { error };
      }
    }
    await this.#worker?.stop(this.#forcing.signal);
    this.#worker = undefined;
    this.#closing.abort();
    if (crash !== undefined) throw crash.error;
  }
}

function checkHandler(handler: unknown, expected: string): void {
  if (typeof handler !== "function") throw new ConfigError({ path: "handler", got: handler, expected });
}
