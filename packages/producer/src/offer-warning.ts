/**
 * Driver. Tells the process about failed records that were given to `offer` while nobody listens to events.
 */

/** A failing stream fails thousands of records a second; one line in this time says it. */
const everyMs = 10_000;

export class OfferWarning {
  readonly #streamName: string;
  #nextAt = -Infinity;
  #failedRecords = 0;

  constructor(streamName: string) {
    this.#streamName = streamName;
  }

  /** Counts failures, and warns unless it did so a moment ago. */
  failed(records: number, reason: string, now: number): void {
    this.#failedRecords += records;
    if (now < this.#nextAt) return;
    this.#nextAt = now + everyMs;
    process.emitWarning(
      `${this.#failedRecords} records offered to stream ${this.#streamName} were not stored; the last because of ${reason}. ` +
        "Set onEvent to handle failures.",
      { code: "MILLRACE_OFFER_FAILED" },
    );
    this.#failedRecords = 0;
  }
}
