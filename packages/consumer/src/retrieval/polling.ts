/**
 * Driver. Reads a shard with GetRecords, ahead of its handler as far as the bytes allow.
 *
 * Source: kcl.md 5.1 and 5.3, kinesis-service.md 1.2. Iterators that expire are renewed from the last record seen, and
 * LATEST is a time that stays (SPEC S2), so a renewal skips nothing. An end of shard is believed only with its children.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type {
  ChildShard,
  GetRecordsResponse,
  KinesisError,
  KinesisPort,
  StartingPosition,
  StreamRef,
} from "@millrace/core/kinesis";
import { backoffMs, sleep, type System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import { findShardEnd } from "../shards/shard-end.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { ChunkQueue, recordBytes } from "./chunk-queue.ts";
import { nextPoll, type Pace } from "./pace.ts";
import type { ShardChunk, ShardReader } from "./shard-reader.ts";

const failureBackoff = { initialMs: 200, maxMs: 10_000 };
/** An iterator lives 5 minutes; one that was kept while the handler was busy is better renewed before. */
const iteratorLifeMs = 280_000;

export interface PollingOptions {
  readonly kinesis: KinesisPort;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly stream: StreamRef;
  readonly shardId: string;
  readonly position: StartingPosition;
  readonly pollIntervalMs: number;
  readonly maxRecordsPerCall: number;
  /** Fetching pauses while this shard has so much buffered. */
  readonly prefetchMaxBytes: number;
  /** Bound over all shards. */
  readonly budget: ByteBudget;
}

/** A reader that polls. It begins to fetch at once. */
export class PollingReader implements ShardReader {
  readonly #options: PollingOptions;
  readonly #stopping = new AbortController();
  readonly #queue: ChunkQueue;
  readonly #loop: Promise<void>;
  #position: StartingPosition;
  #iterator: { readonly text: string; readonly since: number } | undefined;
  #pace: Pace;
  #failures = 0;
  #ended = false;

  constructor(options: PollingOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#pace = { tipIntervalMs: options.pollIntervalMs, throttles: 0 };
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

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const { system } = this.#options;
    try {
      while (!this.#isStopped && !this.#ended) {
        await this.#queue.room();
        if (this.#isStopped) return;
        const startedAt = system.now();
        const intervalMs = await this.#poll();
        const pauseMs = startedAt + intervalMs - system.now();
        if (!this.#ended && pauseMs > 0) await this.#pause(pauseMs);
      }
    } catch (error) {
      this.#queue.fail(error);
    }
  }

  async #pause(ms: number): Promise<void> {
    // Only `stop` aborts, and the loop looks at that itself.
    await sleep(this.#options.system, ms, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** One call; gives the time until the next. */
  async #poll(): Promise<number> {
    const { kinesis, system, stream, maxRecordsPerCall } = this.#options;
    const { signal } = this.#stopping;
    const iterator = await this.#currentIterator();
    if (iterator === undefined) return 0;
    const answer = await kinesis.getRecords(
      { shardIterator: iterator, limit: maxRecordsPerCall, streamArn: stream.streamArn },
      { signal },
    );
    if (this.#isStopped) return 0;
    if (!answer.ok) return this.#failed("GetRecords", answer.error);
    this.#failures = 0;
    const response = answer.value;
    const bytes = recordBytes(response.records);
    const last = response.records.at(-1);
    if (last !== undefined) this.#position = { type: "AFTER_SEQUENCE_NUMBER", sequenceNumber: last.sequenceNumber };
    this.#queue.give(
      { type: "records", records: response.records, millisBehindLatest: response.millisBehindLatest },
      bytes,
    );
    if (response.nextShardIterator === undefined) return this.#atEnd(response);
    this.#iterator = { text: response.nextShardIterator, since: system.now() };
    const { pace, intervalMs } = nextPoll(
      this.#pace,
      { type: "records", bytes, millisBehindLatest: response.millisBehindLatest },
      system.random(),
    );
    this.#pace = pace;
    return intervalMs;
  }

  /** An iterator to go on with; undefined when none could be had yet. */
  async #currentIterator(): Promise<string | undefined> {
    const { kinesis, system, stream, shardId } = this.#options;
    const known = this.#iterator;
    if (known !== undefined && system.now() - known.since < iteratorLifeMs) return known.text;
    const answer = await kinesis.getShardIterator(
      { ...stream, shardId, position: this.#position },
      { signal: this.#stopping.signal },
    );
    if (this.#isStopped) return undefined;
    if (!answer.ok) {
      await this.#pause(await this.#failed("GetShardIterator", answer.error));
      return undefined;
    }
    this.#iterator = { text: answer.value.shardIterator, since: system.now() };
    return this.#iterator.text;
  }

  async #atEnd(response: GetRecordsResponse): Promise<number> {
    const named = response.childShards.filter((child) => child.parentShardIds.length > 0);
    const isComplete = named.length > 0 && named.length === response.childShards.length;
    return this.#endWith(isComplete ? named : await this.#askForEnd());
  }

  /** What ListShards says about this shard's end; undefined when it does not confirm one. */
  #askForEnd(): Promise<readonly ChildShard[] | undefined> {
    return findShardEnd(this.#options, this.#options.stream, this.#options.shardId, this.#stopping.signal);
  }

  #endWith(childShards: readonly ChildShard[] | undefined): number {
    if (childShards !== undefined) {
      this.#ended = true;
      this.#queue.give({ type: "shard-end", childShards }, 0);
      return 0;
    }
    // An answer without iterator and without children is not believed: the place is asked for again.
    this.#iterator = undefined;
    return backoffMs(failureBackoff, ++this.#failures, this.#options.system.random());
  }

  async #failed(operation: string, error: KinesisError): Promise<number> {
    const { system, shardId, events } = this.#options;
    if (error.kind === "throttle") {
      const { pace, intervalMs } = nextPoll(
        this.#pace,
        { type: "throttled", bytes: 0, millisBehindLatest: 0 },
        system.random(),
      );
      this.#pace = pace;
      return intervalMs;
    }
    this.#iterator = undefined;
    // One that expired is replaced at once; a service that gives no other kind is not asked in a spin.
    if (error.code === "ExpiredIteratorException" && this.#failures++ === 0) return 0;
    if (
      error.code === "InvalidArgumentException" &&
      operation === "GetShardIterator" &&
      "sequenceNumber" in this.#position
    ) {
      // A place that the shard does not know any more: what is left is read from its beginning, and what was done is
      // filtered out by its place.
      this.#position = { type: "TRIM_HORIZON" };
    }
    if (error.code === "ResourceNotFoundException") {
      const childShards = await this.#askForEnd();
      if (childShards !== undefined) return this.#endWith(childShards);
    }
    if (error.code !== "ExpiredIteratorException") this.#failures++;
    const retryInMs = backoffMs(failureBackoff, this.#failures, system.random());
    const described = describeError(error);
    events.publish({ type: "read-failed", shardId, code: error.code, error: `${operation}: ${described}`, retryInMs });
    return retryInMs;
  }
}
