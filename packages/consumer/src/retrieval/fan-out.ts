/**
 * Driver. Reads a shard by subscriptions of enhanced fan-out, one after another.
 *
 * Source: kcl.md 5.2, kinesis-service.md 1.2. A subscription lives 5 minutes; the next goes on at the continuation of
 * the last event that was taken in. Another one within 5 s of the last is refused, so we wait that long. Pulling only
 * when there is room is the backpressure.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { KinesisError, type KinesisPort, type StartingPosition, type StreamRef } from "@millrace/core/kinesis";
import { backoffMs, sleep, type System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import { findShardEnd } from "../shards/shard-end.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { ChunkQueue, recordBytes } from "./chunk-queue.ts";
import type { FanOutPort, Subscription, SubscriptionEvent } from "./fan-out-port.ts";
import type { ShardChunk, ShardReader } from "./shard-reader.ts";

/** Source: kinesis-service.md 1.2: within 5 s of a successful call the next is refused. */
const resubscribeGuardMs = 5_000;
/** An event comes every few seconds, records or not; silence means a connection that is half open. KCL waits 60 s. */
const watchdogMs = 30_000;
const failureBackoff = { initialMs: 500, maxMs: 10_000 };

export interface FanOutOptions {
  readonly fanOut: FanOutPort;
  readonly kinesis: KinesisPort;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly stream: StreamRef;
  readonly consumerArn: string;
  readonly shardId: string;
  readonly position: StartingPosition;
  readonly prefetchMaxBytes: number;
  readonly budget: ByteBudget;
  /** When this shard was last subscribed to by this process, on the system's clock. */
  readonly lastSubscribedAt: number | undefined;
  readonly onSubscribed: (at: number) => void;
}

/** A reader that subscribes. It begins at once. */
export class FanOutReader implements ShardReader {
  readonly #options: FanOutOptions;
  readonly #stopping = new AbortController();
  readonly #queue: ChunkQueue;
  readonly #loop: Promise<void>;
  #position: StartingPosition;
  #subscribedAt: number;
  #failures = 0;
  #isEnded = false;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#subscribedAt = options.lastSubscribedAt ?? -Infinity;
    this.#queue = new ChunkQueue(options.prefetchMaxBytes, options.budget);
    this.#loop = this.#run();
  }

  get bufferedBytes(): number {
    return this.#queue.bufferedBytes;
  }

  next(signal: AbortSignal): Promise<ShardChunk> {
    return this.#queue.take(signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.close();
    await this.#loop;
    this.#queue.clear();
  }

  async #run(): Promise<void> {
    const { system } = this.#options;
    const { signal } = this.#stopping;
    try {
      while (!signal.aborted && !this.#isEnded) {
        const guardMs = this.#subscribedAt + resubscribeGuardMs - system.now();
        if (guardMs > 0) await sleep(system, guardMs, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        const pauseMs = await this.#subscribeOnce(signal);
        if (pauseMs > 0) await sleep(system, pauseMs, { signal }).catch(() => undefined);
      }
    } catch (error) {
      this.#queue.fail(error);
    }
  }

  /** One subscription, from its start to its end; gives the pause before the next. */
  async #subscribeOnce(signal: AbortSignal): Promise<number> {
    const { fanOut, system, consumerArn, shardId } = this.#options;
    const abort = new AbortController();
    const stop = AbortSignal.any([signal, abort.signal]);
    try {
      const answer = await fanOut.subscribeToShard(
        { consumerArn, shardId, position: this.#position },
        { signal: stop },
      );
      if (!answer.ok) return await this.#failed(answer.error);
      this.#subscribedAt = system.now();
      this.#options.onSubscribed(this.#subscribedAt);
      await this.#pull(answer.value, abort);
      return 0;
    } catch (error) {
      if (signal.aborted) return 0;
      if (error instanceof KinesisError) return await this.#failed(error);
      throw error;
    } finally {
      abort.abort();
    }
  }

  async #pull(subscription: Subscription, abort: AbortController): Promise<void> {
    const { system, shardId, events } = this.#options;
    const iterator = subscription[Symbol.asyncIterator]();
    const { signal } = this.#stopping;
    try {
      while (!signal.aborted && !this.#isEnded) {
        await this.#queue.room();
        if (signal.aborted) return;
        const silence = system.schedule(watchdogMs, () => abort.abort());
        const next = await Promise.race([iterator.next(), this.#interrupted(abort.signal)]);
        silence.cancel();
        if (next === "interrupted") {
          if (signal.aborted) return;
          const error = `no event in ${watchdogMs} ms`;
          events.publish({ type: "read-failed", shardId, code: "SUBSCRIPTION_SILENT", error, retryInMs: 0 });
          return;
        }
        if (next.done === true) return;
        this.#failures = 0;
        await this.#take(next.value);
      }
    } finally {
      // A subscription that hangs is not waited for.
      void Promise.resolve(iterator.return?.()).catch(() => undefined);
    }
  }

  #interrupted(silence: AbortSignal): Promise<"interrupted"> {
    return new Promise((resolve) => {
      const either = AbortSignal.any([silence, this.#stopping.signal]);
      if (either.aborted) resolve("interrupted");
      else either.addEventListener("abort", () => resolve("interrupted"), { once: true });
    });
  }

  async #take(event: SubscriptionEvent): Promise<void> {
    const { records, millisBehindLatest, continuationSequenceNumber } = event;
    this.#queue.give({ type: "records", records, millisBehindLatest }, recordBytes(records));
    if (continuationSequenceNumber !== undefined) {
      this.#position = { type: "AFTER_SEQUENCE_NUMBER", sequenceNumber: continuationSequenceNumber };
      return;
    }
    const named = event.childShards.filter((child) => child.parentShardIds.length > 0);
    const last = records.at(-1);
    if (last !== undefined) this.#position = { type: "AFTER_SEQUENCE_NUMBER", sequenceNumber: last.sequenceNumber };
    const isComplete = named.length > 0 && named.length === event.childShards.length;
    this.#endWith(isComplete ? named : await this.#askForEnd());
  }

  #askForEnd(): ReturnType<typeof findShardEnd> {
    return findShardEnd(this.#options, this.#options.stream, this.#options.shardId, this.#stopping.signal);
  }

  #endWith(childShards: Awaited<ReturnType<typeof findShardEnd>>): void {
    if (childShards === undefined) return;
    this.#isEnded = true;
    this.#queue.give({ type: "shard-end", childShards }, 0);
  }

  async #failed(error: KinesisError): Promise<number> {
    const { system, shardId, events } = this.#options;
    if (this.#stopping.signal.aborted) return 0;
    if (error.code === "ResourceNotFoundException") this.#endWith(await this.#askForEnd());
    if (this.#isEnded) return 0;
    const backoff = backoffMs(failureBackoff, ++this.#failures, system.random());
    // Another subscription of the same consumer stands, or stood less than 5 s ago.
    const retryInMs = error.code === "ResourceInUseException" ? Math.max(resubscribeGuardMs, backoff) : backoff;
    events.publish({
      type: "read-failed",
      shardId,
      code: error.code,
      error: `SubscribeToShard: ${describeError(error)}`,
      retryInMs,
    });
    return retryInMs;
  }
}
