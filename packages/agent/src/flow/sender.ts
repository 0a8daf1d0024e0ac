/**
 * Driver. Hands records to the destination and settles their spans; never gives one up for a fault that may pass.
 *
 * A put that fails for another reason than the record itself closes the gate: nothing new is put, what is under way
 * settles, and after a backoff everything that failed is put again in file order, for as long as it takes. Without the
 * gate a throttled stream would store lines 5, 9 and 12 and be asked for 6, 7, 8 forever after newer ones.
 */
import { describeError } from "@millrace/core/observe";
import { backoffMs, sleep, type Backoff, type System } from "@millrace/core/runtime";
import type { Destination } from "../destination.ts";
import type { AgentEvent, FlowCounters } from "../events.ts";
import type { PendingSpan } from "./generation.ts";
import { RateLimit, type Rates } from "./rate-limit.ts";
import type { DeadLetters, Shipment } from "./shipment.ts";
import { untilAborted } from "./until-aborted.ts";

export interface SenderOptions {
  readonly flow: string;
  readonly destination: Destination;
  readonly deadLetters: DeadLetters;
  readonly backoff: Backoff;
  readonly rates: Rates;
  readonly system: System;
  readonly counters: FlowCounters;
  readonly publish: (event: AgentEvent) => void;
  readonly onSettled: (span: PendingSpan) => void;
}

/** Records put between two questions for room: the destination's own bound is only asked that often. */
const recordsPerSlice = 500;

export class Sender {
  readonly #options: SenderOptions;
  readonly #rates: RateLimit;
  readonly #held: Shipment[] = [];
  #inFlight = 0;
  #isPaused = false;
  #failures = 0;
  #lastError: unknown;
  /** When the first failure came after which nothing has been stored. */
  #stuckSinceMs: number | undefined;
  #isAbandoned = false;
  /** Callers that wait for everything to be settled: until then nothing waits for others to share a request with. */
  #settling = 0;
  /** Ends the wait before sending again when the flow is given up. */
  readonly #abandon = new AbortController();
  #waiters: (() => void)[] = [];

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#rates = new RateLimit(options.rates, options.system);
  }

  /** Records that are not settled. */
  get unsettledRecords(): number {
    return this.#inFlight + this.#held.length;
  }

  /** The last failure while the flow waits to send again; undefined while records pass. */
  get trouble(): string | undefined {
    return this.#isPaused ? describeError(this.#lastError) : undefined;
  }

  /** For how long records have failed and none has been stored, in milliseconds; 0 while they pass. */
  get stuckMs(): number {
    return this.#stuckSinceMs === undefined ? 0 : this.#options.system.now() - this.#stuckSinceMs;
  }

  /** Resolves once all were handed over; rejects with the signal's reason when it aborts first. */
  async send(shipments: readonly Shipment[], signal: AbortSignal): Promise<void> {
    for (let first = 0; first < shipments.length;) {
      const admitted = await this.#rates.admit(shipments.slice(first, first + recordsPerSlice), signal);
      await this.#whenOpen(signal);
      try {
        await untilAborted(this.#options.destination.ready(), signal);
      } catch (error) {
        signal.throwIfAborted();
        // No room will come of this destination now: everything waits, in order, like a failed put.
        for (const shipment of shipments.slice(first)) this.#hold(shipment, error);
        this.#afterSettling();
        return;
      }
      if (this.#isPaused) await this.#whenOpen(signal);
      for (const shipment of shipments.slice(first, first + admitted)) this.#put(shipment);
      first += admitted;
    }
  }

  /** Resolves once every record is settled. Rejects with the signal's reason when it aborts first. */
  async settled(signal: AbortSignal): Promise<void> {
    this.#settling += 1;
    try {
      this.#flush();
      while (this.unsettledRecords > 0) await this.#nextChange(signal);
    } finally {
      this.#settling -= 1;
    }
  }

  /** Gives up on what is not settled: its positions stay unsaved, and the next start sends it again. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#abandon.abort(new Error("the flow has been stopped"));
    this.#changed();
  }

  #flush(): void {
    if (this.#settling > 0) void this.#options.destination.flush();
  }

  #put(shipment: Shipment): void {
    this.#inFlight += 1;
    if (shipment.unfit !== undefined) {
      void this.#bury(shipment, shipment.unfit);
      return;
    }
    const { destination } = this.#options;
    // A promise for each line is a quarter of what shipping costs: without it an agent ships a third more.
    const onSettled = (_: unknown, error?: unknown) =>
      error === undefined ? this.#stored(shipment) : this.#refused(shipment, error);
    if (destination.offer?.(shipment.record, onSettled) === true) return;
    destination.put(shipment.record).then(
      () => this.#stored(shipment),
      (error: unknown) => this.#refused(shipment, error),
    );
  }

  #stored(shipment: Shipment): void {
    const { counters, onSettled } = this.#options;
    this.#inFlight -= 1;
    this.#failures = 0;
    this.#stuckSinceMs = undefined;
    counters.recordsSent += 1;
    counters.bytesSent += shipment.record.data.byteLength;
    onSettled(shipment.span);
    this.#afterSettling();
  }

  #refused(shipment: Shipment, error: unknown): void {
    if (this.#isAbandoned) {
      this.#inFlight -= 1;
      this.#changed();
    } else if (scopeOf(error) === "record") {
      void this.#bury(shipment, error);
    } else {
      this.#inFlight -= 1;
      this.#hold(shipment, error);
      this.#afterSettling();
    }
  }

  async #bury(shipment: Shipment, error: unknown): Promise<void> {
    const { counters, deadLetters, flow, publish, onSettled } = this.#options;
    const { span } = shipment;
    try {
      await deadLetters.write(shipment, error);
      counters.recordsUndeliverable += 1;
      publish({
        type: "record-undeliverable",
        flow,
        path: span.generation.path,
        startBytes: span.startBytes,
        endBytes: span.endBytes,
        error: describeError(error),
      });
      this.#inFlight -= 1;
      onSettled(span);
    } catch (writeError) {
      // A full disk may pass: the record is put again, refused again, and written then.
      this.#inFlight -= 1;
      this.#hold(shipment, writeError);
    }
    this.#afterSettling();
  }

  #hold(shipment: Shipment, error: unknown): void {
    this.#options.counters.recordsRetried += 1;
    this.#held.push(shipment);
    this.#lastError = error;
    this.#stuckSinceMs ??= this.#options.system.now();
    this.#isPaused = true;
  }

  #afterSettling(): void {
    if (this.#inFlight > 0) return;
    if (this.#held.length > 0 && !this.#isAbandoned) void this.#sendAgain();
    else if (this.#isPaused) {
      this.#isPaused = false;
      this.#options.publish({ type: "flow-resumed", flow: this.#options.flow });
    }
    this.#changed();
  }

  /** Runs when nothing is in flight: puts everything that failed again, oldest first, behind the closed gate. */
  async #sendAgain(): Promise<void> {
    const { backoff, destination, flow, publish, system } = this.#options;
    this.#failures += 1;
    const retryInMs = backoffMs(backoff, this.#failures, system.random());
    const shipments = this.#held.splice(0).toSorted((a, b) => a.order - b.order);
    // Counted as in flight through the wait, so that nobody takes the flow for settled.
    this.#inFlight += shipments.length;
    publish({
      type: "flow-paused",
      flow,
      records: shipments.length,
      error: describeError(this.#lastError),
      retryInMs,
    });
    let put = 0;
    try {
      await sleep(system, retryInMs, { signal: this.#abandon.signal });
      while (put < shipments.length) {
        await untilAborted(destination.ready(), this.#abandon.signal);
        const end = Math.min(put + recordsPerSlice, shipments.length);
        for (; put < end; put++) {
          const shipment = shipments[put];
          this.#inFlight -= 1;
          if (shipment !== undefined) this.#put(shipment);
        }
      }
      this.#flush();
    } catch (error) {
      this.#inFlight -= shipments.length - put;
      if (!this.#isAbandoned) for (const shipment of shipments.slice(put)) this.#hold(shipment, error);
      this.#afterSettling();
    }
  }

  async #whenOpen(signal: AbortSignal): Promise<void> {
    while (this.#isPaused) await this.#nextChange(signal);
    signal.throwIfAborted();
  }

  async #nextChange(signal: AbortSignal): Promise<void> {
    await untilAborted(new Promise<void>((resolve) => this.#waiters.push(resolve)), signal);
  }

  #changed(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/** Whose fault a rejection is. Anything unknown counts as the destination's: waiting loses nothing. */
function scopeOf(error: unknown): "record" | "other" {
  return (error as { scope?: unknown } | null)?.scope === "record" ? "record" : "other";
}
