/**
 * Pure. [C6] Nothing is unbounded: what a producer holds, what it has in flight, and every request that it makes.
 */
import type { Producing } from "../components/producing.ts";
import { hold, type Checker } from "../world/checker.ts";
import type { StoredLog } from "../world/stored-log.ts";

/** Limits of the service. Source: type docs of PutRecords in `@aws-sdk/client-kinesis` 3.1143.0. */
const requestRecords = 500;
const requestBytes = 10 * 1_048_576;
const recordBytes = 1_048_576;
/** What a producer counts for a record besides its data and key. Source: ProducerOptions.maxBufferedBytes. */
const recordOverheadBytes = 512;

export class Bounds implements Checker {
  readonly invariant = "C6";
  readonly #producing: readonly Producing[];
  readonly #stored: StoredLog;

  constructor(producing: readonly Producing[], stored: StoredLog) {
    this.#producing = producing;
    this.#stored = stored;
  }

  check(): void {
    for (const { name, current, options, inFlight } of this.#producing) {
      if (current === undefined) continue;
      const { maxBufferedRecords = 200_000, maxBufferedBytes = 134_217_728, maxConnections = 24 } = options.producer;
      const { maxWaitingRecords = 10_000 } = options.producer;
      const { records, bytes } = current.buffered;
      // What is held counts the puts that wait for room, which have the same bound in bytes once more; a record is let
      // in as long as there is any room, so that each of the two may pass its bound by one.
      const mostRecords = maxBufferedRecords + maxWaitingRecords;
      const mostBytes = 2 * (maxBufferedBytes + recordBytes + recordOverheadBytes);
      hold(this.invariant, records <= mostRecords, () => `${name} holds ${records} of ${mostRecords} records`);
      hold(this.invariant, bytes <= mostBytes, () => `${name} holds ${bytes} of ${mostBytes} bytes`);
      hold(this.invariant, inFlight <= maxConnections, () => `${name} has ${inFlight} of ${maxConnections} calls`);
    }
    for (const { recordBytes: sizes } of this.#stored.takeRequests()) {
      let sum = 0;
      for (const bytes of sizes) {
        hold(this.invariant, bytes <= recordBytes, () => `a record of ${bytes} bytes was sent`);
        sum += bytes;
      }
      hold(this.invariant, sizes.length <= requestRecords, () => `${sizes.length} records were sent at once`);
      hold(this.invariant, sum <= requestBytes, () => `${sum} bytes were sent at once`);
    }
  }
}
