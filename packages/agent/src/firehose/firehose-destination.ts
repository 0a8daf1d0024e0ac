/**
 * Driver. Puts records into a delivery stream, many in a request, and says of each whether it was taken.
 *
 * It never tries again by itself: what was not taken goes back to the flow, which sends it again in file order. The one
 * exception is a request that is refused for what is in it: its halves are sent by themselves, until the record that is
 * to blame stands alone.
 */
import type { KinesisError } from "@millrace/core/kinesis";
import { sleep, type System, type Timer } from "@millrace/core/runtime";
import PQueue from "p-queue";
import { type Destination, DestinationError, type OutgoingRecord } from "../destination.ts";
import { Batch, type BatchRules, bytesOf, halvesOf, type JoinedRecord } from "./batch.ts";
import { type DeliveryAnswer, deliveryLimits, type DeliveryPort, type DeliveryResult } from "./delivery-port.ts";

export interface FirehoseDestinationOptions {
  readonly deliveryStream: string;
  readonly port: DeliveryPort;
  readonly system: System;
  readonly rules: BatchRules;
  /** How long a record may wait for others to share a request with. */
  readonly maxBufferAgeMs: number;
  /** Bytes that may be held before `ready` waits. */
  readonly maxBufferedBytes: number;
  readonly maxConnections: number;
  readonly requestTimeoutMs: number;
}

interface Pending {
  readonly data: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: DestinationError) => void;
}

type Records = readonly JoinedRecord<Pending>[];

/** Refusals that one bad record in a request can cause. */
const recordFaultCodes = new Set(["InvalidArgumentException", "SerializationException", "ValidationException"]);

/** A delivery stream that takes records of one flow. */
export class FirehoseDestination implements Destination {
  readonly #options: FirehoseDestinationOptions;
  readonly #requests: PQueue;
  readonly #sending = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #filling: Batch<Pending> | undefined;
  #timer: Timer | undefined;
  #heldBytes = 0;
  #waiters: (() => void)[] = [];
  #isClosed = false;
  /** The stream has taken a record since it last refused everything: a lone refusal is then the record's own fault. */
  #takesRecords = false;

  constructor(options: FirehoseDestinationOptions) {
    this.#options = options;
    this.#requests = new PQueue({ concurrency: options.maxConnections });
  }

  put({ data }: OutgoingRecord): Promise<void> {
    if (this.#isClosed) return Promise.reject(failure("lifetime", "ERR_CLOSED", "the destination has been closed"));
    if (data.byteLength > deliveryLimits.recordBytes) {
      const text = `a record of ${data.byteLength} bytes; a delivery stream takes ${deliveryLimits.recordBytes}`;
      return Promise.reject(failure("record", "ERR_RECORD_TOO_LARGE", text));
    }
    return new Promise((resolve, reject) => this.#take({ data, resolve, reject }));
  }

  ready(): Promise<void> {
    if (this.#hasRoom()) return Promise.resolve();
    // Whoever waits for room gets none from records that wait for company.
    this.#dispatch();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async flush(): Promise<void> {
    this.#dispatch();
    await Promise.all(this.#sending);
  }

  async close(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    this.#isClosed = true;
    const end = () => this.#abort.abort(signal?.reason);
    if (signal?.aborted === true) end();
    signal?.addEventListener("abort", end, { once: true });
    await this.flush();
    signal?.removeEventListener("abort", end);
  }

  #take(pending: Pending): void {
    this.#heldBytes += pending.data.byteLength;
    if (this.#filling?.add(pending) === false) this.#dispatch();
    if (this.#filling === undefined) {
      this.#filling = new Batch(this.#options.rules);
      this.#filling.add(pending);
      this.#timer = this.#options.system.schedule(this.#options.maxBufferAgeMs, () => this.#dispatch());
    }
    if (this.#filling.isFull) this.#dispatch();
  }

  /** Sends what is being filled. */
  #dispatch(): void {
    const batch = this.#filling;
    if (batch === undefined) return;
    this.#filling = undefined;
    this.#timer?.cancel();
    const sent = this.#requests.add(() => this.#deliver(batch.records)).finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }

  async #deliver(records: Records): Promise<void> {
    const answer = await this.#call(records);
    if (answer.ok) {
      this.#settle(records, answer.results);
      return;
    }
    const { error } = answer;
    if (!recordFaultCodes.has(error.code) && error.httpStatus !== 413) {
      const scope = error.kind === "permanent" ? "stream" : "lifetime";
      if (scope === "stream") this.#takesRecords = false;
      this.#reject(records, failure(scope, error.code, error.message, error));
      return;
    }
    const halves = halvesOf(records);
    if (halves.length === 0) {
      // Alone, and nothing was ever taken: the fault may as well be the stream's, and dead letters would get everything.
      this.#reject(records, failure(this.#takesRecords ? "record" : "stream", error.code, error.message, error));
    }
    for (const half of halves) await this.#deliver(half);
  }

  async #call(records: Records): Promise<DeliveryAnswer> {
    const { deliveryStream, port, requestTimeoutMs, system } = this.#options;
    if (this.#abort.signal.aborted) return { ok: true, results: records.map(() => notSent) };
    const deadline = new AbortController();
    const signal = AbortSignal.any([deadline.signal, this.#abort.signal]);
    const done = new AbortController();
    const late = sleep(system, requestTimeoutMs, { signal: done.signal }).then(
      () => deadline.abort(new Error(`no answer within ${requestTimeoutMs} ms`)),
      () => undefined,
    );
    const answer = await port.putRecordBatch(deliveryStream, records.map(bytesOf), { signal });
    done.abort();
    await late;
    return answer;
  }

  #settle(records: Records, results: readonly DeliveryResult[]): void {
    if (results.length !== records.length) {
      const text = `${records.length} records were sent, ${results.length} results came back`;
      this.#reject(records, failure("lifetime", "ERR_ANSWER", text));
      return;
    }
    for (const [index, record] of records.entries()) {
      const result = results[index];
      if (result?.ok === true) {
        this.#takesRecords = true;
        for (const member of record.members) member.resolve();
        this.#release(record.bytes);
      } else {
        this.#reject([record], failure("lifetime", result?.errorCode ?? "", result?.errorMessage ?? ""));
      }
    }
  }

  #reject(records: Records, error: DestinationError): void {
    for (const { bytes, members } of records) {
      for (const member of members) member.reject(error);
      this.#release(bytes);
    }
  }

  #release(bytes: number): void {
    this.#heldBytes -= bytes;
    if (!this.#hasRoom()) return;
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #hasRoom(): boolean {
    return this.#heldBytes < this.#options.maxBufferedBytes;
  }
}

const notSent: DeliveryResult = { ok: false, errorCode: "ERR_CLOSED", errorMessage: "the destination has been closed" };

function failure(
  scope: "record" | "stream" | "lifetime",
  code: string,
  message: string,
  cause?: KinesisError,
): DestinationError {
  return new DestinationError({ scope, code, message: `${code}: ${message}`, cause });
}
