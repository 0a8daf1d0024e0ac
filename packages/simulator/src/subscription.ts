/**
 * Driver. One subscription of enhanced fan-out: an event stream that its reader pulls.
 *
 * The reader's pace is the only buffer: an event is made when it is asked for, once there are records, throughput for
 * them, or a reason to show that the stream lives.
 * Source: type docs of SubscribeToShard in `@aws-sdk/client-kinesis` 3.1143.0; heartbeats as KCL 3.5.1 expects them.
 */
import type { Timer } from "@millrace/core/runtime";
import { describeChildren, describeRecord, millisBehindLatest, readSlice } from "./actions/read.ts";
import { RateBucket } from "./rate-bucket.ts";
import { ServiceError, WireFault } from "./service-error.ts";
import type { ServiceOutput, SubscriptionFrame } from "./service-port.ts";
import type { ServiceState } from "./service-state.ts";
import type { Shard } from "./shard.ts";
import type { Stream } from "./stream.ts";
import type { StreamConsumer } from "./stream-consumer.ts";

/** An event without records is sent after so long without any. */
const heartbeatMs = 5_000;
/** Largest event: the answer of a GetRecords call is bounded by 10 MiB, an event by a second's worth. */
const maxEventBytes = 2 * 1_048_576;
const maxEventRecords = 10_000;

export interface SubscriptionFields {
  readonly state: ServiceState;
  readonly stream: Stream;
  readonly shard: Shard;
  readonly consumer: StreamConsumer;
  /** Counter of the first record to deliver. */
  readonly counter: number;
  readonly signal: AbortSignal | undefined;
}

export class Subscription implements AsyncIterableIterator<SubscriptionFrame> {
  readonly startedMs: number;
  readonly consumerArn: string;
  /** Called once, when the subscription has ended for whatever reason. */
  onEnd: () => void = () => {};
  readonly #fields: SubscriptionFields;
  readonly #bytes: RateBucket;
  #counter: number;
  #lastEventMs = -Infinity;
  #ended = false;
  #failure: ServiceError | WireFault | undefined;
  #failAfter: { events: number; readonly failure: ServiceError | WireFault } | undefined;
  #wake: (() => void) | undefined;
  readonly #onChange = () => this.wake();

  constructor(fields: SubscriptionFields) {
    this.#fields = fields;
    this.startedMs = fields.state.clock.steadyMs();
    this.consumerArn = fields.consumer.consumerArn;
    this.#counter = fields.counter;
    const perSecond = fields.state.limits.subscriptionBytesPerSecond;
    this.#bytes = new RateBucket(perSecond, perSecond, this.startedMs);
    fields.shard.watchers.add(this.#onChange);
    fields.signal?.addEventListener("abort", this.#onChange, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event, once there is one. */
  async next(): Promise<IteratorResult<SubscriptionFrame, undefined>> {
    for (;;) {
      const frame = this.#nextFrame();
      if (frame !== undefined) return frame;
      await this.#change();
    }
  }

  /** Ends the subscription: its reader has gone. */
  return(): Promise<IteratorResult<SubscriptionFrame, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the subscription with an exception in its stream, or with a fault on its wire. */
  fail(failure: ServiceError | WireFault): void {
    if (this.#ended) return;
    this.#failure = failure;
    this.wake();
  }

  /** Ends the subscription so, once that many more events have been delivered. */
  failAfter(events: number, failure: ServiceError | WireFault): void {
    if (events === 0) this.fail(failure);
    else this.#failAfter = { events, failure };
  }

  /** Looks again whether there is something to deliver. */
  wake(): void {
    this.#wake?.();
  }

  #nextFrame(): IteratorResult<SubscriptionFrame, undefined> | undefined {
    const { state, stream, shard, signal } = this.#fields;
    if (this.#ended) return { done: true, value: undefined };
    const { nowMs, wallMs } = state.moment();
    if (signal?.aborted === true || nowMs - this.startedMs >= state.limits.subscriptionMs) {
      this.#end();
      return { done: true, value: undefined };
    }
    const failure = this.#failure ?? this.#missingResource();
    if (failure !== undefined) {
      this.#end();
      if (failure instanceof WireFault) throw failure;
      return { done: false, value: { exception: failure } };
    }
    state.memory.trimExpired(stream, shard, wallMs);
    const hasRecords = this.#counter < shard.log.tip;
    if (hasRecords && this.#bytes.isPositive(nowMs)) return this.#event(nowMs);
    if (!hasRecords && (!shard.isOpen || nowMs - this.#lastEventMs >= heartbeatMs)) return this.#event(nowMs);
    return undefined;
  }

  #event(nowMs: number): IteratorResult<SubscriptionFrame, undefined> {
    const { state, stream, shard } = this.#fields;
    const slice = readSlice(shard, this.#counter, maxEventRecords, maxEventBytes);
    this.#counter = slice.next;
    this.#bytes.take(slice.bytes, nowMs);
    this.#lastEventMs = nowMs;
    const { length } = slice.records;
    state.meter.countRead(length, slice.bytes, { onDemand: stream.mode === "ON_DEMAND", fanOut: true });
    const wallMs = state.clock.wallMs();
    const isLast = !shard.isOpen && slice.next >= shard.log.tip;
    const event: ServiceOutput = {
      Records: slice.records.map(describeRecord),
      MillisBehindLatest: millisBehindLatest(shard, slice.next, wallMs),
      ...(isLast
        ? { ChildShards: describeChildren(stream, shard) }
        : { ContinuationSequenceNumber: shard.continuationAt(slice.next, wallMs) }),
    };
    if (isLast) this.#end();
    if (this.#failAfter !== undefined && --this.#failAfter.events === 0) this.#failure = this.#failAfter.failure;
    return { done: false, value: { SubscribeToShardEvent: event } };
  }

  #missingResource(): ServiceError | undefined {
    const { state, stream, consumer } = this.#fields;
    const isThere =
      state.streams.get(stream.streamName) === stream && stream.consumers.get(consumer.consumerName) === consumer;
    if (isThere) return undefined;
    return new ServiceError("ResourceNotFoundException", `Consumer ${consumer.consumerArn} is gone.`);
  }

  /** Resolves when something may have changed: a record, the shard's end, the time of a heartbeat or of throughput. */
  #change(): Promise<void> {
    const { state } = this.#fields;
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      this.#wake = () => {
        this.#wake = undefined;
        timer?.cancel();
        resolve();
      };
      timer = state.clock.schedule(this.#waitMs(), this.#wake);
    });
  }

  #waitMs(): number {
    const { state, shard } = this.#fields;
    const nowMs = state.clock.steadyMs();
    const endsInMs = this.startedMs + state.limits.subscriptionMs - nowMs;
    const nextMs = this.#counter < shard.log.tip ? this.#bytes.waitMs(nowMs) : this.#lastEventMs + heartbeatMs - nowMs;
    return Math.max(1, Math.ceil(Math.min(endsInMs, nextMs)));
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { shard, signal } = this.#fields;
    shard.watchers.delete(this.#onChange);
    signal?.removeEventListener("abort", this.#onChange);
    this.onEnd();
    this.wake();
  }
}
