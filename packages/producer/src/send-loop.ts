/**
 * Driver. Carries out what the pipeline plans: sends requests, asks about the stream, keeps the one timer.
 */
import type { Answer, KinesisPort } from "@millrace/core/kinesis";
import type { System, Timer } from "@millrace/core/runtime";
import PQueue from "p-queue";
import type { PutResult } from "./attempt.ts";
import { Compressor, type Compress } from "./compressor.ts";
import { callWithDeadline } from "./deadline.ts";
import type { ProducerEvent } from "./events.ts";
import { KplMetrics } from "./kpl-metrics.ts";
import { listAllShards, streamRef } from "./list-shards.ts";
import type { ResolvedOptions } from "./options.ts";
import type { Effect, PlannedRequest } from "./pipeline/effects.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import { SendWindow } from "./pipeline/send-window.ts";
import { historyOf, type OutgoingRecord, type PendingRecord } from "./pipeline/records.ts";
import { traceRequest } from "./tracing.ts";

export interface SendLoopWiring {
  readonly options: ResolvedOptions;
  readonly port: KinesisPort;
  readonly system: System;
  /** Instead of zlib's threads. */
  readonly compress: Compress | undefined;
  readonly onStored: (pending: PendingRecord, result: PutResult) => void;
  readonly onFailed: (members: readonly PendingRecord[], error: unknown) => void;
  readonly onEvent: (event: ProducerEvent) => void;
  /** Called after a round in which records settled: there may be room again. */
  readonly onSettledSome: () => void;
  /** User records held now. */
  readonly heldRecords: () => number;
  /** True while callers wait for room: lingering for company would only make them wait longer. */
  readonly isCrowded: () => boolean;
}

export class SendLoop {
  readonly #wiring: SendLoopWiring;
  readonly #pipeline: Pipeline;
  readonly #requests: PQueue;
  /** Ends every call under way. */
  readonly #abort = new AbortController();
  readonly #metrics: KplMetrics | undefined;
  readonly #compressor: Compressor | undefined;
  readonly #window: SendWindow;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  /** True when records came since callers' waiting last made everything due. */
  #hasNewRecords = false;
  #isPumping = false;
  #mustPumpAgain = false;

  constructor(wiring: SendLoopWiring) {
    this.#wiring = wiring;
    this.#pipeline = new Pipeline(wiring.options);
    this.#window = new SendWindow(wiring.options);
    const { metrics, stream } = wiring.options;
    this.#metrics = metrics && new KplMetrics(metrics, stream.streamName);
    this.#compressor = wiring.options.compression === "none" ? undefined : new Compressor(wiring.compress);
    this.#requests = new PQueue({ concurrency: wiring.options.maxConnections });
  }

  add(pending: PendingRecord, now: number): void {
    this.#hasNewRecords = true;
    this.#metrics?.received(this.#wiring.heldRecords());
    const planBy = this.#pipeline.add(pending, now);
    if (planBy <= now) this.pump();
    else if (planBy < this.#timerAt) this.#setTimer(planBy, now);
  }

  withdrawn(pending: PendingRecord): void {
    this.#pipeline.withdrawn(pending);
  }

  /** Sends what waits for company. */
  expedite(): void {
    this.#pipeline.expedite(this.#wiring.system.now());
    this.pump();
  }

  /** Gives up: ends every call, and gives back what was in none. */
  stop(reason: unknown): readonly PendingRecord[] {
    const drained = this.#pipeline.drain();
    this.#abort.abort(reason);
    this.pump();
    return drained;
  }

  /** Ends what is under way about the stream; nothing is in flight or queued. */
  end(): void {
    this.#abort.abort();
    this.#timer?.cancel();
  }

  /** Does everything there is to do now, and sets the timer for what comes later. */
  pump(): void {
    // Carrying out an effect can run the caller's code, which may put again: one round at a time.
    this.#mustPumpAgain = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#mustPumpAgain) {
        this.#mustPumpAgain = false;
        this.#round();
      }
    } finally {
      this.#isPumping = false;
    }
  }

  #round(): void {
    const { system, isCrowded, onSettledSome } = this.#wiring;
    const now = system.now();
    const plan = this.#pipeline.plan(now, this.#window.freeRequests(now), this.#window.freeBytes);
    let settledSome = false;
    for (const effect of plan.effects) {
      this.#carryOut(effect);
      settledSome ||= effect.type === "stored" || effect.type === "failed";
    }
    // Whatever is held wakes it once the window opens again; nothing held, nothing to wake for.
    const wakeAt = plan.wakeAt < Infinity && now < this.#window.pausedUntil ? this.#window.pausedUntil : Infinity;
    this.#setTimer(Math.min(plan.wakeAt, wakeAt), now);
    if (settledSome) onSettledSome();
    if (!this.#window.isEmpty || this.#mustPumpAgain || !isCrowded()) return;
    // Nothing is under way and callers wait for room: nothing becomes fuller by lingering. What was expedited before and
    // is held back for its shard's sake does not go faster by being asked twice.
    if (!this.#hasNewRecords) return;
    this.#hasNewRecords = false;
    this.#pipeline.expedite(now);
    this.#mustPumpAgain = true;
  }

  #setTimer(at: number, now: number): void {
    if (at === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer =
      at === Infinity
        ? undefined
        : this.#wiring.system.schedule(Math.max(0, Math.ceil(at - now)), () => {
            this.#timerAt = Infinity;
            this.pump();
          });
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case "send":
        this.#window.started(effect.request.bytes);
        void this.#requests.add(() => this.#send(effect.request));
        break;
      case "compress":
        void this.#compress(effect.outgoing, effect.aggregate.data);
        break;
      case "list-shards":
        void this.#listShards();
        break;
      case "describe-stream":
        void this.#describeStream();
        break;
      case "stored":
        this.#stored(effect.outgoing, effect.shardId, effect.sequenceNumber);
        break;
      case "failed":
        this.#metrics?.failed(effect.members.length, (effect.error as { code?: string } | undefined)?.code ?? "");
        this.#wiring.onFailed(effect.members, effect.error);
        break;
      case "event":
        this.#wiring.onEvent(effect.event);
        break;
    }
  }

  #stored(outgoing: OutgoingRecord, shardId: string, sequenceNumber: string): void {
    this.#metrics?.stored(outgoing, shardId);
    const { members } = outgoing;
    const { onStored } = this.#wiring;
    for (let index = 0; index < members.length; index++) {
      const pending = members[index];
      if (pending === undefined) continue;
      const attempts = pending.earlier === undefined ? outgoing.attempts : historyOf(pending, outgoing).attempts;
      const result: PutResult =
        members.length === 1
          ? { shardId, sequenceNumber, attempts }
          : { shardId, sequenceNumber, subSequenceNumber: index, attempts };
      onStored(pending, result);
    }
  }

  async #send(request: PlannedRequest): Promise<void> {
    const { port, system, options } = this.#wiring;
    const startedAt = system.now();
    const stream = streamRef(options.stream);
    const answer = await traceRequest(options.stream.streamName, request, () =>
      this.#call(request.timeoutMs, (signal) => port.putRecords({ ...stream, records: request.entries }, { signal })),
    );
    const times = { startedAt, endedAt: system.now() };
    const wasAnswered = answer.ok || answer.error.kind !== "transient";
    this.#window.ended(request.bytes, wasAnswered, times.endedAt, system.random());
    this.#metrics?.answered(request, answer, times);
    this.#pipeline.answered(request, answer, times, () => system.random());
    this.pump();
  }

  async #compress(outgoing: OutgoingRecord, bytes: Uint8Array): Promise<void> {
    const { options, system } = this.#wiring;
    const { compression } = options;
    const compressed = compression === "none" ? undefined : await this.#compressor?.compress(bytes, compression);
    this.#pipeline.packed(outgoing, compressed, system.now());
    this.pump();
  }

  async #listShards(): Promise<void> {
    const { system, options } = this.#wiring;
    const answer = await listAllShards(this.#wiring.port, options.stream, (call) =>
      this.#call(options.requestTimeoutMs, call),
    );
    if (this.#abort.signal.aborted) return;
    this.#pipeline.shardsListed(answer, system.now(), system.random());
    this.pump();
  }

  async #describeStream(): Promise<void> {
    const { port, system, options } = this.#wiring;
    const answer = await this.#call(options.requestTimeoutMs, (signal) =>
      port.describeStreamSummary(streamRef(options.stream), { signal }),
    );
    if (this.#abort.signal.aborted) return;
    this.#pipeline.streamDescribed(answer, system.now());
    this.pump();
  }

  #call<T>(timeoutMs: number, call: (signal: AbortSignal) => Promise<Answer<T>>): Promise<Answer<T>> {
    return callWithDeadline(this.#wiring.system, timeoutMs, this.#abort.signal, call);
  }
}
