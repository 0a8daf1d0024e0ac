/**
 * Driver. Takes records in within the buffer's bounds, and hands each its answer.
 */
import type { UserRecord } from "@millrace/aggregation";
import type { KinesisPort } from "@millrace/core/kinesis";
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import type { PutResult } from "./attempt.ts";
import { RecordBuffer } from "./buffer.ts";
import type { Compress } from "./compressor.ts";
import { BufferFullError, PutError } from "./errors.ts";
import type { ProducerEvent } from "./events.ts";
import { FlushBarrier, rejectWith } from "./flush-barrier.ts";
import { OfferWarning } from "./offer-warning.ts";
import type { ResolvedOptions } from "./options.ts";
import { pendingOf } from "./pending.ts";
import { callBack, type OnSettled, type PendingRecord, type Reject, type Resolve } from "./pipeline/records.ts";
import { SendLoop } from "./send-loop.ts";
import { arePutsTraced, putFailed, putStored, tracePut, type PutTrace } from "./tracing.ts";

export interface IntakeWiring {
  readonly options: ResolvedOptions;
  readonly system: System;
  readonly compress: Compress | undefined;
  readonly events: EventPublisher<ProducerEvent>;
  /** Called at the first record. */
  readonly openPort: () => KinesisPort;
}

export class Intake {
  readonly #wiring: IntakeWiring;
  readonly #buffer: RecordBuffer;
  readonly #barrier = new FlushBarrier();
  readonly #offerWarning: OfferWarning;
  #loop: SendLoop | undefined;
  #readyWaiters: (() => void)[] = [];
  #isShort = false;

  constructor(wiring: IntakeWiring) {
    this.#wiring = wiring;
    this.#buffer = new RecordBuffer(wiring.options);
    this.#offerWarning = new OfferWarning(wiring.options.stream.streamName);
  }

  /** What is held, with the puts that wait for room. */
  get held(): { readonly records: number; readonly bytes: number } {
    return { records: this.#buffer.records, bytes: this.#buffer.bytes };
  }

  get hasRoom(): boolean {
    return this.#buffer.hasRoom;
  }

  /**
   * Takes a record in, or lets it wait for room. Without `reject` its failure is an event.
   * @throws {RecordError} when the record breaks a rule.
   * @throws {BufferFullError} when it may not even wait.
   */
  accept(record: UserRecord, resolve: PendingRecord["resolve"], reject: PendingRecord["reject"]): PendingRecord {
    if (!arePutsTraced()) return this.#accept(record, resolve, reject, undefined);
    return tracePut(this.#wiring.options.stream.streamName, record, (tagged, trace) =>
      this.#accept(tagged, resolve, reject, trace),
    );
  }

  #accept(
    record: UserRecord,
    resolve: PendingRecord["resolve"],
    reject: PendingRecord["reject"],
    trace: PutTrace | undefined,
  ): PendingRecord {
    const { options, system } = this.#wiring;
    const pending = pendingOf(record, options, system.now(), this.#barrier.cohort, resolve, reject);
    pending.trace = trace;
    if (this.#buffer.hasRoom) {
      this.#barrier.accepted(pending.cohort);
      this.#enter(pending, pending.acceptedAt);
      return pending;
    }
    this.becomeShort();
    if (!this.#buffer.mayWait(pending)) throw new BufferFullError(this.#buffer.waitingRecords);
    this.#barrier.accepted(pending.cohort);
    this.#buffer.wait(pending);
    this.#theLoop().pump();
    return pending;
  }

  /**
   * Fails a put that never came in. Not at once: the caller may call `flush` in this very turn, and listen to the
   * put only after that.
   */
  refuse(resolve: Resolve, reject: Reject, error: unknown): void {
    const { cohort } = this.#barrier;
    this.#barrier.accepted(cohort);
    queueMicrotask(() => {
      rejectWith(cohort, reject, resolve, error);
      this.#barrier.settled(cohort);
    });
  }

  /** Takes a record back that is in no request; one in a request learns that its caller has lost patience. */
  withdraw(pending: PendingRecord, reason: unknown): void {
    switch (pending.state) {
      case "waiting":
        this.#buffer.leaveWaiting(pending);
        this.#settleFailed(pending, reason);
        break;
      case "buffered":
        this.#loop?.withdrawn(pending);
        this.#buffer.leave(pending);
        this.#settleFailed(pending, reason);
        this.#roomCameBack();
        break;
      case "in-request":
        pending.isAborted = true;
        pending.abortReason = reason;
        break;
      case "settled":
        break;
    }
  }

  /** Calls `onReady` once there is room; gives what takes the wish back. */
  whenReady(onReady: () => void): () => void {
    this.#readyWaiters.push(onReady);
    this.#loop?.pump();
    return () => {
      this.#readyWaiters = this.#readyWaiters.filter((waiter) => waiter !== onReady);
    };
  }

  wakeReadyWaiters(): void {
    const waiters = this.#readyWaiters;
    this.#readyWaiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves when everything accepted so far has settled. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#barrier.flush(resolve);
      if (this.#barrier.isFlushing) this.#loop?.expedite();
    });
  }

  /** Ends what is under way about the stream. Nothing may be held any more. */
  end(): void {
    this.#loop?.end();
  }

  /** Fails what is in no request, and ends the requests under way. */
  giveUp(reason: unknown): void {
    const error = new PutError({
      code: "ERR_PRODUCER_CLOSED",
      message: "The producer was closed without waiting for this record.",
      scope: "lifetime",
      attempts: [],
      retryable: true,
      cause: reason,
    });
    const waiting = this.#buffer.drainWaiting();
    for (const pending of waiting) this.#settleFailed(pending, error);
    const drained = (this.#loop?.stop(reason) ?? []).filter((pending) => pending.state !== "settled");
    this.#onFailed(drained, error);
  }

  /** Publishes that records failed, and warns the process where nobody would hear of offered ones. */
  reportFailure(userRecords: number, offeredRecords: number, error: PutError): void {
    const { options, system, events } = this.#wiring;
    const { code, message, scope } = error;
    events.publish({ type: "records-failed", code, message, scope, userRecords, offeredRecords });
    if (offeredRecords > 0 && options.onEvent === undefined) {
      this.#offerWarning.failed(offeredRecords, describeError(error), system.now());
    }
  }

  /** Publishes that the buffer is full, once until there is room again. */
  becomeShort(): void {
    if (this.#isShort) return;
    this.#isShort = true;
    const { records, bytes } = this.held;
    this.#wiring.events.publish({ type: "buffer-full", bufferedRecords: records, bufferedBytes: bytes });
  }

  #enter(pending: PendingRecord, now: number): void {
    this.#buffer.enter(pending);
    // A flush waits for it already, so it must not wait for company.
    if (pending.cohort.sealed) pending.deadline = now;
    this.#theLoop().add(pending, now);
  }

  #onStored(pending: PendingRecord, result: PutResult): void {
    pending.state = "settled";
    pending.onSettled?.();
    this.#buffer.leave(pending);
    if (pending.resolve !== undefined) callBack(pending.resolve as OnSettled, result);
    if (pending.trace !== undefined) putStored(pending.trace, result);
    this.#barrier.settled(pending.cohort);
  }

  #onFailed(members: readonly PendingRecord[], error: unknown): void {
    let offeredRecords = 0;
    for (const pending of members) {
      if (pending.reject === undefined) offeredRecords += 1;
      this.#buffer.leave(pending);
      this.#settleFailed(pending, error);
    }
    if (error instanceof PutError && members.length > 0) this.reportFailure(members.length, offeredRecords, error);
  }

  #settleFailed(pending: PendingRecord, error: unknown): void {
    pending.state = "settled";
    pending.onSettled?.();
    const { resolve, reject } = pending;
    if (resolve !== undefined && reject !== undefined) rejectWith(pending.cohort, reject, resolve, error);
    if (pending.trace !== undefined) putFailed(pending.trace, error);
    this.#barrier.settled(pending.cohort);
  }

  #roomCameBack(): void {
    const now = this.#wiring.system.now();
    for (let next = this.#buffer.takeWaiting(); next !== undefined; next = this.#buffer.takeWaiting()) {
      this.#enter(next, now);
    }
    if (this.#readyWaiters.length > 0 && this.#buffer.hasRoom) this.wakeReadyWaiters();
    if (this.#isShort && this.#buffer.isRelieved) {
      this.#isShort = false;
      this.#wiring.events.publish({ type: "buffer-ready" });
    }
  }

  #theLoop(): SendLoop {
    return (this.#loop ??= new SendLoop({
      options: this.#wiring.options,
      port: this.#wiring.openPort(),
      system: this.#wiring.system,
      compress: this.#wiring.compress,
      onStored: (pending, result) => this.#onStored(pending, result),
      onFailed: (members, error) => this.#onFailed(members, error),
      onEvent: (event) => this.#wiring.events.publish(event),
      onSettledSome: () => this.#roomCameBack(),
      heldRecords: () => this.#buffer.records,
      isCrowded: () => this.#buffer.waitingRecords > 0 || this.#readyWaiters.length > 0,
    }));
  }
}
