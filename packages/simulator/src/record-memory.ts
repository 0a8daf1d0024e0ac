/**
 * Driver. How much memory the records of all streams take, and what goes when it is too much.
 */
import type { BillingMeter } from "./billing.ts";
import type { Shard } from "./shard.ts";
import type { Stream } from "./stream.ts";

export class RecordMemory {
  readonly #maxBytes: number;
  readonly #streams: ReadonlyMap<string, Stream>;
  readonly #meter: BillingMeter;
  #bytes = 0;
  #warned = false;

  constructor(maxBytes: number, streams: ReadonlyMap<string, Stream>, meter: BillingMeter) {
    this.#maxBytes = maxBytes;
    this.#streams = streams;
    this.#meter = meter;
  }

  /** Counts a record that was stored. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Counts a stream's records as gone. */
  forget(stream: Stream): void {
    this.#bytes -= stream.storedBytes;
  }

  /** Removes what is past its stream's retention from a shard. */
  trimExpired(stream: Stream, shard: Shard, wallMs: number): void {
    const { oldest } = shard.log;
    if (oldest === undefined) return;
    const horizonMs = stream.horizonMs(wallMs);
    if (oldest.arrivalMs < horizonMs) this.#bytes -= shard.log.trimBefore(horizonMs);
  }

  /** Keeps memory under its cap: the oldest records of all streams go first. */
  trimToCap(): void {
    if (this.#bytes <= this.#maxBytes) return;
    // A margin, so that the search is not made again for the next record.
    const target = this.#maxBytes * 0.95;
    while (this.#bytes > target) {
      const shard = this.#shardWithOldestRecord();
      if (shard === undefined) return;
      const until = Math.max(target, this.#bytes - this.#maxBytes / 100);
      while (this.#bytes > until && shard.log.oldest !== undefined) {
        this.#bytes -= shard.log.trimOldest();
        this.#meter.countTrimmedForMemory();
      }
    }
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `@millrace/simulator: more than ${this.#maxBytes} bytes are stored (maxStoredBytes); ` +
        "the oldest records are trimmed before their retention ends",
      { code: "MILLRACE_SIMULATOR_TRIMMED" },
    );
  }

  #shardWithOldestRecord(): Shard | undefined {
    let found: Shard | undefined;
    let oldestMs = Infinity;
    for (const stream of this.#streams.values()) {
      for (const shard of stream.shards) {
        const arrivalMs = shard.log.oldest?.arrivalMs ?? Infinity;
        if (arrivalMs < oldestMs) [found, oldestMs] = [shard, arrivalMs];
      }
    }
    return found;
  }
}
