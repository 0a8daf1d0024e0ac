/**
 * Driver. One call of the handler: the shard as the handler sees it, batch by batch.
 *
 * A batch counts as done when the handler asks for the next one or returns. Nothing here skips a record: what was
 * delivered and not checkpointed is delivered again by the next call.
 */
import type { ChildShard, ServiceRecord } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import { compareCheckpoints, isSentinel, type Checkpoint } from "../checkpoint/checkpoint.ts";
import { createBatch } from "../checkpoint/batch-checkpoint.ts";
import type { HandlerDoing } from "../health.ts";
import type { HeldLease } from "../leases/held-lease.ts";
import {
  placeOf,
  type ConsumedRecord,
  type EndedBy,
  type LeasedShard,
  type PendingCheckpoint,
  type RecordBatch,
} from "../record.ts";
import { settleAttempts } from "./attempt-log.ts";
import { setShardBehind } from "./shard-behind.ts";
import type { deaggregationFor } from "../retrieval/deaggregation.ts";
import { expandRecords, type ExpandedSlice } from "../retrieval/expand.ts";
import type { ShardReader } from "../retrieval/shard-reader.ts";

export interface ShardLoopOptions {
  readonly held: HeldLease;
  readonly streamName: string;
  readonly reader: ShardReader;
  readonly system: System;
  readonly maxBatchRecords: number;
  readonly onBatch: (batch: {
    readonly streamName: string;
    readonly records: number;
    readonly bytes: number;
    readonly millisBehindLatest: number;
    readonly previousBatchMs: number | undefined;
  }) => void;
  /** Told of each answer of the service, also of empty ones. */
  readonly onRead: () => void;
  readonly onRelease: () => void;
  /** Told when the checkpoint's own record is not there any more; gets the first that is. */
  readonly onGap: (firstAvailable: string) => void;
  readonly deaggregation: ReturnType<typeof deaggregationFor>;
  /** Told why a handler of ours does not go on. */
  readonly onStopped: (why: string) => void;
  /** Told what holds a handler of ours up; undefined when nothing does any more. */
  readonly onTrouble: (why: string | undefined) => void;
}

/** The shard during one call of the handler. */
export class ShardLoop implements LeasedShard {
  readonly startedFrom: Checkpoint;
  readonly pendingCheckpoint: PendingCheckpoint | undefined;
  readonly #options: ShardLoopOptions;
  /** Aborts when the loop is to end although the lease is held. */
  readonly #drain = new AbortController();
  readonly #either: AbortSignal;
  /** Aborts when our own handler has nothing to ask for any more. */
  readonly #leaving = new AbortController();
  readonly #waitEnding: AbortSignal;
  #endedBy: EndedBy | undefined;
  #isIterated = false;
  #delivered: Checkpoint;
  #childShards: readonly ChildShard[] | undefined;
  #slices: Iterator<ExpandedSlice> | undefined;
  #millisBehindLatest = 0;
  #hasHandlerBatch = false;
  #isWaiting = false;
  #batches = 0;
  #batchSince: number | undefined;
  #previousBatchMs: number | undefined;
  #isExpanding = false;
  #isFirstChunk = true;

  constructor(options: ShardLoopOptions) {
    this.#options = options;
    this.startedFrom = options.held.checkpointed;
    this.#delivered = this.startedFrom;
    const { pendingCheckpoint, pendingCheckpointState } = options.held.lease;
    this.pendingCheckpoint =
      pendingCheckpoint === undefined ? undefined : { ...pendingCheckpoint, state: pendingCheckpointState };
    this.#either = AbortSignal.any([this.#drain.signal, options.held.signal]);
    this.#waitEnding = AbortSignal.any([this.#either, this.#leaving.signal]);
    const { held, onStopped, onTrouble } = options;
    setShardBehind(this, {
      attempts: held.lease.attempts,
      rememberAttempts: (attempts) => held.renew(attempts),
      settleAttempts: () => settleAttempts(held),
      stopped: onStopped,
      troubled: onTrouble,
      alive: () => this.#batches++,
      ending: this.#either,
      isEnding: () => held.isOver || this.#drain.signal.aborted,
      leave: () => this.#leaving.abort(),
    });
  }

  get shardId(): string {
    return this.#options.held.shardId;
  }

  get streamName(): string {
    return this.#options.streamName;
  }

  get fencingToken(): bigint {
    return this.#options.held.fencingToken;
  }

  get signal(): AbortSignal {
    return this.#options.held.signal;
  }

  get endedBy(): EndedBy | undefined {
    return this.#endedBy;
  }

  /** What the handler does, as far as it can be seen from here. */
  get handlerDoing(): HandlerDoing {
    if (this.#isWaiting) return "waiting";
    return this.#hasHandlerBatch ? "has-batch" : "elsewhere";
  }

  /** True while the handler waits for a batch. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Signs of life: how often the handler got a batch, learnt that there is none, or tried a record. */
  get batches(): number {
    return this.#batches;
  }

  /** The children, once everything was delivered. */
  get childShards(): readonly ChildShard[] | undefined {
    return this.#childShards;
  }

  /** True when everything was delivered and everything delivered is checkpointed. */
  get isFinished(): boolean {
    const { held } = this.#options;
    return this.#endedBy === "shard-end" && compareCheckpoints(this.#delivered, held.checkpointed) <= 0;
  }

  release(): Promise<void> {
    this.#options.onRelease();
    return Promise.resolve();
  }

  /** Ends the loop at the next batch, as at a shutdown. */
  drain(): void {
    this.#drain.abort();
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordBatch, undefined> {
    if (this.#isIterated) throw new Error(`${this.shardId}: a leased shard can be iterated over once`);
    this.#isIterated = true;
    return {
      next: async () => {
        this.#hasHandlerBatch = false;
        this.#isWaiting = true;
        if (this.#batchSince !== undefined) this.#previousBatchMs = this.#options.system.now() - this.#batchSince;
        const batch = await this.#nextBatch().finally(() => {
          this.#isWaiting = false;
          this.#batches++;
        });
        this.#hasHandlerBatch = batch !== undefined;
        this.#batchSince = this.#options.system.now();
        return batch === undefined ? { done: true, value: undefined } : { done: false, value: batch };
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  async #nextBatch(): Promise<RecordBatch | undefined> {
    const { held, reader, system, maxBatchRecords } = this.#options;
    while (this.#endedBy === undefined && !this.#leaving.signal.aborted) {
      if (held.isOver) return this.#end("lease-lost");
      if (this.#drain.signal.aborted) return this.#end("shutdown");
      // An aggregate of millions must not keep timers and lease renewals waiting for all of it.
      if (this.#isExpanding) await system.breathe();
      const slice = this.#slices?.next();
      if (slice !== undefined && slice.done !== true) {
        this.#isExpanding = true;
        const { records, bytes } = slice.value;
        if (records.length > 0) return this.#deliver(records, bytes);
        continue;
      }
      this.#slices = undefined;
      this.#isExpanding = false;
      this.#options.deaggregation.tellDefects();
      const chunk = await this.#nextChunk(reader);
      if (chunk === undefined) continue;
      this.#options.onRead();
      if (chunk.type === "shard-end") {
        this.#childShards = chunk.childShards;
        return this.#end("shard-end");
      }
      this.#millisBehindLatest = chunk.millisBehindLatest;
      this.#lookForGap(chunk.records);
      this.#slices = expandRecords(chunk.records, this.#delivered, maxBatchRecords, this.#options.deaggregation);
    }
    return undefined;
  }

  /** Reading begins at the checkpoint's own record: when that is gone, others after it may be gone as well [C1]. */
  #lookForGap(records: readonly ServiceRecord[]): void {
    const [first] = records;
    if (!this.#isFirstChunk || first === undefined) return;
    this.#isFirstChunk = false;
    const { sequenceNumber } = this.startedFrom;
    if (!isSentinel(sequenceNumber) && first.sequenceNumber !== sequenceNumber)
      this.#options.onGap(first.sequenceNumber);
  }

  /** The next chunk; undefined when the loop is to end instead. */
  async #nextChunk(reader: ShardReader): Promise<Awaited<ReturnType<ShardReader["next"]>> | undefined> {
    try {
      return await reader.next(this.#waitEnding);
    } catch (error) {
      if (this.#waitEnding.aborted) return undefined;
      throw error;
    }
  }

  #end(endedBy: EndedBy): undefined {
    this.#endedBy = endedBy;
    return undefined;
  }

  #deliver(records: readonly ConsumedRecord[], bytes: number): RecordBatch {
    const { held, onBatch, streamName } = this.#options;
    const before = this.#delivered;
    const last = records.at(-1);
    if (last !== undefined) this.#delivered = placeOf(last);
    held.countDelivered(bytes);
    const millisBehindLatest = this.#millisBehindLatest;
    const previousBatchMs = this.#previousBatchMs;
    onBatch({ streamName, records: records.length, bytes, millisBehindLatest, previousBatchMs });
    return createBatch(held, records, millisBehindLatest, before);
  }
}
