/**
 * Driver. Carries a leased shard through its phases: parents, handler, restart, end, release.
 *
 * What follows what is decided in `shard-state.ts`; each phase here is one task that ends in one event.
 */
import { describeError } from "@millrace/core/observe";
import type { ChildShard } from "@millrace/core/kinesis";
import { backoffMs, sleep } from "@millrace/core/runtime";
import { formatCheckpoint } from "../checkpoint/checkpoint.ts";
import type { ShardHealth } from "../health.ts";
import { LeaseLostError } from "../errors.ts";
import type { ShardReader } from "../retrieval/shard-reader.ts";
import { parentsDone } from "../shards/parents.ts";
import { finishShard } from "../shards/shard-end.ts";
import { startingPosition } from "../retrieval/starting-position.ts";
import type { ShardConsumerOptions } from "./shard-consumer-options.ts";
import { handleWatched } from "./handler-watch.ts";
import { ShardLoop } from "./shard-loop.ts";
import { deaggregationFor } from "../retrieval/deaggregation.ts";
import { ShardNotes } from "./shard-notes.ts";
import { stepShard, type DrainCause, type HandlerEnding, type ShardEvent, type ShardState } from "./shard-state.ts";

/** Source: kcl.md 6, taskBackoffTimeMillis, for the first restart; later ones wait longer. */
const restartBackoff = { initialMs: 500, maxMs: 30_000 };

/** One shard, from the lease's acquisition to its end. */
export class ShardConsumer {
  readonly #options: ShardConsumerOptions;
  readonly ended: Promise<void>;
  #state: ShardState = { phase: "waiting-for-parents" };
  #loop: ShardLoop | undefined;
  #resolveEnded: (() => void) | undefined;
  #childShards: readonly ChildShard[] = [];
  readonly #notes: ShardNotes;
  /** Ends whatever the current phase waits for. */
  #phaseAbort = new AbortController();

  constructor(options: ShardConsumerOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#notes = new ShardNotes(options);
    const { held } = options;
    held.onHandOff = () => this.drain("hand-off");
    held.signal.addEventListener("abort", () => this.#dispatch({ type: "lease-over" }), { once: true });
    this.#enter();
    // The lease may have learnt of its hand-off, or been lost, before anybody listened.
    if (held.isHandOffRequested) this.drain("hand-off");
    if (held.signal.aborted) this.#dispatch({ type: "lease-over" });
  }

  /** Why the shard moves or does not. */
  get health(): ShardHealth {
    return this.#notes.health(this.#state, this.#loop?.handlerDoing ?? "not-called");
  }

  /** Asks the shard to end: the batch in hand is finished, then the lease is given up. */
  drain(cause: DrainCause): void {
    this.#dispatch({ type: "drain", cause });
  }

  #dispatch(event: ShardEvent): void {
    const before = this.#state;
    this.#state = stepShard(before, event);
    if (this.#state === before) return;
    if (this.#state.phase === "handling" && before.phase === "handling") {
      this.#drainHandler();
      return;
    }
    this.#notes.enteredPhase();
    this.#phaseAbort.abort();
    this.#phaseAbort = new AbortController();
    if (before.phase === "handling") this.#notes.stoppedBecause = undefined;
    this.#enter();
  }

  #enter(): void {
    const { signal } = this.#phaseAbort;
    const state = this.#state;
    switch (state.phase) {
      case "waiting-for-parents":
        this.#perform(this.#waitForParents(signal));
        break;
      case "handling":
        this.#perform(this.#handle());
        break;
      case "backing-off":
        this.#perform(this.#backOff(state.failures, signal));
        break;
      case "finishing":
        this.#perform(this.#finish());
        break;
      case "releasing":
        this.#perform(this.#release(state.cause));
        break;
      case "abandoned":
        break;
      case "over":
        this.#resolveEnded?.();
        break;
    }
  }

  /** Tasks settle the failures that can be expected; a rejection is a bug and stops the consumer. */
  #perform(task: Promise<ShardEvent | undefined>): void {
    void this.#dispatchEndOf(task).catch(this.#options.onCrash);
  }

  async #dispatchEndOf(task: Promise<ShardEvent | undefined>): Promise<void> {
    const event = await task;
    if (event !== undefined) this.#dispatch(event);
  }

  async #waitForParents(signal: AbortSignal): Promise<ShardEvent | undefined> {
    await parentsDone(this.#options, this.#options.stream, this.#options.held.lease, signal);
    return signal.aborted ? undefined : { type: "parents-done" };
  }

  async #handle(): Promise<ShardEvent> {
    const { held, stream, system, maxBatchRecords, events } = this.#options;
    const startedAt = held.checkpointed;
    let reader: ShardReader | undefined;
    let thrown: { readonly error: unknown } | undefined;
    let loop: ShardLoop | undefined;
    try {
      const position = await startingPosition(this.#options, stream, held);
      reader = this.#options.createReader(position, this.#notes.readingEvents);
      loop = new ShardLoop({
        held,
        streamName: stream.streamName,
        reader,
        system,
        maxBatchRecords,
        onBatch: (batch) => {
          this.#notes.delivered(batch.millisBehindLatest);
          events.publish({ type: "batch-delivered", shardId: held.shardId, ...batch });
        },
        onRead: () => this.#notes.hasRead(),
        onRelease: () => this.drain("release"),
        onGap: (firstAvailable) =>
          events.publish({
            type: "records-trimmed",
            shardId: held.shardId,
            checkpoint: formatCheckpoint(held.checkpointed),
            firstAvailable,
          }),
        deaggregation: deaggregationFor(this.#options.deaggregation, held.lease.hashRange, (counts) =>
          events.publish({ type: "aggregate-defects", shardId: held.shardId, ...counts }),
        ),
        onStopped: (why) => {
          this.#notes.stoppedBecause = why;
        },
        onTrouble: (why) => {
          this.#notes.heldUpBy = why;
        },
      });
      this.#loop = loop;
      this.#drainHandler();
      await handleWatched(this.#options, loop, () => this.#notes.stoppedBecause !== undefined);
    } catch (error) {
      thrown = { error };
    } finally {
      this.#loop = undefined;
      this.#notes.heldUpBy = undefined;
      await reader?.stop();
    }
    const progressed = held.checkpointed !== startedAt;
    const ending = this.#endingOf(loop, thrown);
    if (ending === "finished" && loop?.childShards !== undefined) this.#childShards = loop.childShards;
    this.#notes.thrown = thrown;
    return { type: "handler-ended", ending, progressed };
  }

  #endingOf(loop: ShardLoop | undefined, thrown: { readonly error: unknown } | undefined): HandlerEnding {
    if (thrown !== undefined) return "unfinished";
    if (loop?.isFinished === true) return "finished";
    return loop?.endedBy === "shutdown" ? "drained" : "unfinished";
  }

  /** Asks a running handler to end, when it is to. */
  #drainHandler(): void {
    if (this.#state.phase !== "handling" || this.#state.draining === undefined) return;
    this.#loop?.drain();
    const { system, drainTimeoutMs, held } = this.#options;
    const { signal } = this.#phaseAbort;
    // The lease goes even when the handler does not end: its signal aborts, as if the lease had been lost.
    void sleep(system, drainTimeoutMs, { signal, unref: true }).then(
      () => held.release(this.#options.nextOwner(held)),
      () => undefined,
    );
  }

  async #backOff(failures: number, signal: AbortSignal): Promise<ShardEvent | undefined> {
    const { system, held, events } = this.#options;
    const restartInMs = backoffMs(restartBackoff, failures, system.random());
    const { shardId } = held;
    if (this.#notes.thrown === undefined) events.publish({ type: "handler-left-early", shardId, restartInMs });
    else {
      const error = describeError(this.#notes.thrown.error);
      events.publish({ type: "handler-failed", shardId, error, restartInMs });
    }
    await sleep(system, restartInMs, { signal }).catch(() => undefined);
    return signal.aborted ? undefined : { type: "backoff-over" };
  }

  async #finish(): Promise<ShardEvent | undefined> {
    const { held, stream, workerId, events, canKeepChild } = this.#options;
    try {
      await held.flush();
      const owner = canKeepChild() ? workerId : undefined;
      const children = await finishShard(this.#options, stream, held, this.#childShards, owner);
      events.publish({
        type: "shard-finished",
        shardId: held.shardId,
        childShardIds: this.#childShards.map((child) => child.shardId),
      });
      this.#options.onFinished(held);
      if (owner !== undefined) this.#options.onChildren(children);
      return { type: "finished" };
    } catch (error) {
      // Only the lease's loss ends the sequence; its event comes from the lease itself.
      if (error instanceof LeaseLostError) return undefined;
      throw error;
    }
  }

  async #release(cause: DrainCause): Promise<ShardEvent> {
    const { held, nextOwner } = this.#options;
    await held.release(cause === "shutdown" ? nextOwner(held) : undefined);
    return { type: "released" };
  }
}
