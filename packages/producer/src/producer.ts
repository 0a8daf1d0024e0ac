/**
 * Driver. The producer's public face.
 */
import type { UserRecord } from "@millrace/aggregation";
import { createKinesisClient, kinesisFromClient } from "@millrace/core/aws";
import type { KinesisPort } from "@millrace/core/kinesis";
import { createEventPublisher } from "@millrace/core/observe";
import { signalOption } from "@millrace/core/options";
import { realSystem, type System } from "@millrace/core/runtime";
import type { PutResult } from "./attempt.ts";
import type { Compress } from "./compressor.ts";
import { ProducerClosedError, PutError } from "./errors.ts";
import { Intake } from "./intake.ts";
import { resolveProducerOptions, type ProducerOptions, type ResolvedOptions } from "./options.ts";
import { failThroughCallback, rejectThroughResolve, type OnSettled, type Resolve } from "./pipeline/records.ts";
import { putAll, putEach, type PutOutcome, type RecordSink, type RecordSource } from "./put-many.ts";
import { inWholeMilliseconds } from "./whole-milliseconds.ts";

/** For the simulator and for tests under virtual time. */
export interface ProducerWiring {
  readonly kinesis?: KinesisPort | undefined;
  readonly system?: System | undefined;
  readonly compress?: Compress | undefined;
}

/** A wait that its caller may give up. */
export interface WaitOptions {
  /** Ends the wait; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes user records to a Kinesis stream: packs them into few Kinesis records, sends those in few requests, tries
 * again what failed, and tells for each record what became of it.
 *
 * Kinesis may store a record twice when an answer is lost; it never silently stores it not at all. Records are not
 * kept in the order of their puts. A serial `await producer.put(...)` in a loop waits a full `recordMaxBufferedMs` per
 * record: put first, await later, or use `putAll`.
 *
 *     const producer = new Producer({ streamName: "clicks" });
 *     await producer.put({ partitionKey: user.id, data: JSON.stringify(click) });
 *     await producer.close();
 */
export class Producer implements AsyncDisposable {
  readonly #options: ResolvedOptions;
  readonly #intake: Intake;
  #destroyClient = () => {};
  #closed: Promise<void> | undefined;

  /**
   * Checks the options and does nothing else: no I/O and no timer before the first put.
   * @param wiring @internal stands in for the AWS client and the platform's clock.
   * @throws {ConfigError} when an option is unknown or out of its bounds.
   */
  constructor(options: ProducerOptions, wiring: ProducerWiring = {}) {
    this.#options = resolveProducerOptions(options);
    this.#intake = new Intake({
      options: this.#options,
      system: inWholeMilliseconds(wiring.system ?? realSystem),
      compress: wiring.compress,
      events: createEventPublisher("millrace:producer", this.#options.onEvent),
      openPort: () => wiring.kinesis ?? this.#openPort(),
    });
  }

  /** What is held now: accepted and not yet answered, with the puts that wait for room. Bytes count the overhead. */
  get buffered(): { readonly records: number; readonly bytes: number } {
    return this.#intake.held;
  }

  /**
   * Resolves when Kinesis has stored the record. Bytes in `data` are not copied: leave them as they are until then.
   *
   * The signal withdraws the record unless it is in a request; one in a request resolves if that stores it.
   * @throws {RecordError} a field breaks a rule of Kinesis. It is a PutError too, of scope "record".
   * @throws {PutError} the record was not stored; `code`, `scope` and `attempts` say why.
   * @throws {BufferFullError} the buffer is full and `maxWaitingRecords` puts wait already.
   * @throws {ProducerClosedError} after `close()`.
   */
  put(record: UserRecord, options?: WaitOptions): Promise<PutResult> {
    const promise = new Promise<PutResult>(captureResolve);
    const resolve = captured as Resolve;
    try {
      const signal = signalOption("signal", options?.signal);
      if (this.#closed !== undefined) throw new ProducerClosedError();
      if (signal?.aborted === true) throw signal.reason;
      const pending = this.#intake.accept(record, resolve, rejectThroughResolve);
      if (signal !== undefined && pending.state !== "settled") {
        const onAbort = () => this.#intake.withdraw(pending, signal.reason);
        signal.addEventListener("abort", onAbort, { once: true });
        pending.onSettled = () => signal.removeEventListener("abort", onAbort);
      }
    } catch (error) {
      this.#intake.refuse(resolve, rejectThroughResolve, error);
    }
    return promise;
  }

  /**
   * Puts every record of a source, and resolves with their number when all are stored. Pulls only when there is room.
   * When a record fails the others go on.
   *
   * The signal stops the pulling, withdraws what is in no request, and rejects once everything has settled.
   * @throws {PutAllError} once every record pulled has settled, when some were not stored or the source failed.
   */
  putAll(records: RecordSource, options?: WaitOptions): Promise<{ stored: number }> {
    return putAll(this.#sink, records, options?.signal);
  }

  /**
   * Puts every record of a source and gives each one's outcome, in the order of the source. Pulls only when there is
   * room, and not far ahead of its own reader. Leaving the loop early ends the pulling; what was pulled is still sent.
   */
  putEach(records: RecordSource): AsyncIterable<PutOutcome> {
    return putEach(this.#sink, records);
  }

  /**
   * Takes a record without a promise, for request handlers and for those who put millions: false when the buffer is full
   * (await `ready()`).
   *
   * Once a record that was taken has settled, `onSettled` is called with the result, or with undefined and the error;
   * that costs about half as much as a promise. Without `onSettled` failures arrive as "records-failed" events, and
   * without `onEvent` as a process warning, at most one in 10 s. A record that breaks a rule counts as taken and failed.
   * @throws {ProducerClosedError} after `close()`.
   */
  offer(record: UserRecord, onSettled?: OnSettled): boolean {
    if (this.#closed !== undefined) throw new ProducerClosedError();
    if (!this.#intake.hasRoom) {
      this.#intake.becomeShort();
      return false;
    }
    try {
      this.#intake.accept(record, onSettled, onSettled === undefined ? undefined : failThroughCallback);
    } catch (error) {
      if (!(error instanceof PutError)) throw error;
      if (onSettled === undefined) this.#intake.reportFailure(1, 1, error);
      else this.#intake.refuse(onSettled, failThroughCallback, error);
    }
    return true;
  }

  /** Resolves when there is room for at least one record; at once when there is now, or when the producer is closed. */
  ready(options?: WaitOptions): Promise<void> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#intake.hasRoom || this.#closed !== undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      const cancel = this.#intake.whenReady(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /**
   * Resolves when every record accepted so far has settled, whatever its outcome; they are sent without waiting for
   * company. Never rejects. Puts that fail meanwhile reject when the flush ends, so that a caller may await it first.
   */
  flush(): Promise<void> {
    return this.#intake.flush();
  }

  /**
   * Takes no more records, and resolves when all have settled. Idempotent. A client of the producer's own making is
   * closed with it.
   *
   * The signal gives up: what is in no request fails at once (scope "lifetime"), requests under way are ended, and
   * `close` rejects with the signal's reason once everything has settled.
   */
  async close(options?: WaitOptions): Promise<void> {
    const signal = signalOption("signal", options?.signal);
    this.#closed ??= this.#drain();
    const giveUp = () => this.#intake.giveUp(signal?.reason);
    if (signal?.aborted === true) giveUp();
    else signal?.addEventListener("abort", giveUp, { once: true });
    await this.#closed;
    signal?.removeEventListener("abort", giveUp);
    if (signal?.aborted === true) throw signal.reason;
  }

  /** Closes the producer. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    // Waiters of `ready` would never hear of room that nobody may use.
    this.#intake.wakeReadyWaiters();
    await this.#intake.flush();
    this.#intake.end();
    this.#destroyClient();
  }

  /** What `putAll` and `putEach` need of a producer. */
  get #sink(): RecordSink {
    return {
      hasRoom: () => this.#intake.hasRoom || this.#closed !== undefined,
      ready: (signal) => this.ready({ signal }),
      accept: (record, resolve, reject) => {
        if (this.#closed !== undefined) throw new ProducerClosedError();
        return this.#intake.accept(record, resolve, reject);
      },
      withdraw: (pending, reason) => this.#intake.withdraw(pending, reason),
    };
  }

  #openPort(): KinesisPort {
    const { client, region, maxConnections, wireFormat } = this.#options;
    if (client !== undefined) return kinesisFromClient(client, { wireFormat });
    const own = createKinesisClient({ region, maxConnections });
    this.#destroyClient = () => own.destroy();
    return kinesisFromClient(own, { wireFormat });
  }
}

// One executor for all puts: a closure for each would cost as much as its promise.
let captured: Resolve | undefined;
function captureResolve(resolve: Resolve): void {
  captured = resolve;
}
