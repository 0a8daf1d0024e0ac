/**
 * Driver. What every way of reading a shard shares: where it stands, what it has fetched, how it fails, how it ends.
 *
 * Whatever a call to the service comes to, the reading goes on: a failure is an event and a pause, never the end of the
 * shard. Only `stop`, the shard's confirmed end, and a bug end it.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { ChildShard, KinesisError, KinesisPort, ServiceRecord } from "@millrace/core/kinesis";
import type { StartingPosition, StreamRef } from "@millrace/core/kinesis";
import { backoffMs, sleep, type Backoff, type System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import { findShardEnd } from "../shards/shard-end.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { ChunkQueue, recordBytes } from "./chunk-queue.ts";
import type { ShardChunk } from "./shard-reader.ts";

export interface ShardReadingOptions {
  readonly kinesis: KinesisPort;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly stream: StreamRef;
  readonly shardId: string;
  readonly position: StartingPosition;
  /** Fetching pauses while this shard has so much buffered. */
  readonly prefetchMaxBytes: number;
  /** Bound over all shards. */
  readonly budget: ByteBudget;
}

/** The reading of one shard. */
export class ShardReading {
  readonly #options: ShardReadingOptions;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #queue: ChunkQueue;
  #loop: Promise<void> | undefined;
  #position: StartingPosition;
  #failures = 0;
  #isEnded = false;

  constructor(options: ShardReadingOptions, backoff: Backoff) {
    this.#options = options;
    this.#backoff = backoff;
    this.#position = options.position;
    this.#queue = new ChunkQueue(options.prefetchMaxBytes, options.budget);
  }

  get bufferedBytes(): number {
    return this.#queue.bufferedBytes;
  }

  /** Aborts when the reading is stopped. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** True once there is nothing more to fetch. */
  get isOver(): boolean {
    return this.#isEnded || this.#stopping.signal.aborted;
  }

  /** Where the next fetch goes on when nothing else says so; after every record that was fetched. */
  get position(): StartingPosition {
    return this.#position;
  }

  /** Failures since something was fetched. */
  get failures(): number {
    return this.#failures;
  }

  next(signal: AbortSignal): Promise<ShardChunk> {
    return this.#queue.take(signal);
  }

  /** Repeats `fetch` until the reading is over; its result is the pause before the next, in milliseconds. */
  start(fetch: () => Promise<number>): void {
    this.#loop = this.#repeat(fetch);
  }

  async #repeat(fetch: () => Promise<number>): Promise<void> {
    try {
      while (!this.isOver) {
        const pauseMs = await fetch();
        this.#queue.release();
        if (!this.isOver && pauseMs > 0) await this.pause(pauseMs);
      }
    } catch (error) {
      this.#queue.fail(error);
    } finally {
      this.#queue.release();
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.close();
    await this.#loop;
    this.#queue.clear();
  }

  /** Resolves once about so many bytes may be fetched, or the reading is stopped. */
  room(expectedBytes: number): Promise<void> {
    return this.#queue.room(expectedBytes);
  }

  async pause(ms: number): Promise<void> {
    // Only `stop` aborts, and whoever pauses looks at that itself.
    await sleep(this.#options.system, ms, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** Takes in what was fetched; gives its bytes. `continuation` is where to go on, if not after the last record. */
  take(records: readonly ServiceRecord[], millisBehindLatest: number, continuation?: string): number {
    this.#failures = 0;
    const sequenceNumber = continuation ?? records.at(-1)?.sequenceNumber;
    if (sequenceNumber !== undefined) this.#position = { type: "AFTER_SEQUENCE_NUMBER", sequenceNumber };
    const bytes = recordBytes(records);
    this.#queue.give({ type: "records", records, millisBehindLatest }, bytes);
    return bytes;
  }

  /**
   * The service says that there is nothing more. It is believed with all children named, or when ListShards confirms it.
   * @returns the pause before the place is asked for again, when it is not believed.
   */
  async end(childShards: readonly ChildShard[]): Promise<number> {
    const isComplete = childShards.length > 0 && childShards.every((child) => child.parentShardIds.length > 0);
    if (await this.#endWith(isComplete ? childShards : undefined)) return 0;
    return this.#nextBackoffMs();
  }

  /**
   * What a failed call comes to: an event, and the pause before the next, in milliseconds.
   * @param atLeastMs shortest pause.
   */
  async failed(operation: string, error: KinesisError, atLeastMs = 0): Promise<number> {
    const { events, shardId } = this.#options;
    if (this.isOver) return 0;
    const isPlaceRefused = error.code === "InvalidArgumentException" && operation !== "GetRecords";
    if (isPlaceRefused && "sequenceNumber" in this.#position) {
      // A place that the shard does not know any more: what is left is read from its beginning, and what was done is
      // filtered out by its place.
      this.#position = { type: "TRIM_HORIZON" };
    }
    if (error.code === "ResourceNotFoundException" && (await this.#endWith(undefined))) return 0;
    if (this.isOver) return 0;
    const retryInMs = Math.max(atLeastMs, this.#nextBackoffMs());
    const described = describeError(error);
    events.publish({ type: "read-failed", shardId, code: error.code, error: `${operation}: ${described}`, retryInMs });
    return retryInMs;
  }

  /** Counts a failure that is not told and is followed by another try at once. */
  countFailure(): void {
    this.#failures++;
  }

  #nextBackoffMs(): number {
    return backoffMs(this.#backoff, ++this.#failures, this.#options.system.random());
  }

  /** Ends with these children, or those that ListShards tells; false when it does not confirm an end. */
  async #endWith(known: readonly ChildShard[] | undefined): Promise<boolean> {
    const { stream, shardId } = this.#options;
    const childShards = known ?? (await findShardEnd(this.#options, stream, shardId, this.#stopping.signal));
    if (childShards === undefined) return false;
    this.#isEnded = true;
    this.#queue.give({ type: "shard-end", childShards }, 0);
    return true;
  }
}
