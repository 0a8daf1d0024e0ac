/**
 * Pure. Which lines were shipped, which arrived, and whether each shard kept its order.
 *
 * A line is remembered by 64 bits of the MD5 of its bytes, without its newline: 16 bytes of memory for a line on both
 * sides together, and equal lines are told apart by their count. Nothing here is shared with the code under test.
 */
import { hash } from "node:crypto";

/** The part of a delivered record that the ledger looks at. */
export interface DeliveredRecord {
  readonly data: Uint8Array;
  readonly sequenceNumber: string;
  readonly subSequenceNumber?: number | undefined;
}

/** What came of all lines. */
export interface Verdict {
  readonly linesShipped: number;
  /** Lines that arrived, each counted once. */
  readonly linesDelivered: number;
  /** Shipped and never delivered with the same bytes. */
  readonly lost: number;
  /** Delivered without having been shipped: a line whose bytes were changed on its way is in here and in `lost`. */
  readonly unexpected: number;
  /** Delivered again, after a worker took over from a checkpoint. */
  readonly duplicates: number;
  /** Records that did not follow the one before them in their shard. */
  readonly outOfOrder: number;
}

interface Place {
  readonly sequenceNumber: bigint;
  readonly subSequenceNumber: number;
}

/** Counts lines on their way out and in. */
export class LineLedger {
  readonly #shipped = new Fingerprints();
  readonly #delivered = new Fingerprints();
  /** The furthest place reached in each shard, by whichever worker. */
  readonly #furthest = new Map<string, Place>();
  #duplicates = 0;
  #outOfOrder = 0;
  #deliveredBytes = 0;

  /** Notes one line that was written for the agent; a newline at its end does not count. */
  ship(line: Uint8Array): void {
    this.#shipped.add(fingerprint(line));
  }

  /** Notes what one worker got from one shard, in the order in which it came. */
  deliver(shardId: string, records: readonly DeliveredRecord[]): void {
    let previous: Place | undefined;
    for (const record of records) {
      const place = {
        sequenceNumber: BigInt(record.sequenceNumber),
        subSequenceNumber: record.subSequenceNumber ?? 0,
      };
      if (previous !== undefined && !isAfter(place, previous)) this.#outOfOrder++;
      previous = place;
      const furthest = this.#furthest.get(shardId);
      if (furthest !== undefined && !isAfter(place, furthest)) {
        this.#duplicates++;
        continue;
      }
      this.#furthest.set(shardId, place);
      this.#delivered.add(fingerprint(record.data));
      this.#deliveredBytes += record.data.length;
    }
  }

  get linesShipped(): number {
    return this.#shipped.count;
  }

  get linesDelivered(): number {
    return this.#delivered.count;
  }

  get deliveredBytes(): number {
    return this.#deliveredBytes;
  }

  /** Holds the two sides against each other, line by line. */
  verdict(): Verdict {
    const shipped = this.#shipped.sorted();
    const delivered = this.#delivered.sorted();
    let matched = 0;
    for (let i = 0, j = 0; i < shipped.length && j < delivered.length;) {
      const a = shipped[i] ?? 0n;
      const b = delivered[j] ?? 0n;
      if (a === b) matched++;
      if (a <= b) i++;
      if (b <= a) j++;
    }
    return {
      linesShipped: shipped.length,
      linesDelivered: delivered.length,
      lost: shipped.length - matched,
      unexpected: delivered.length - matched,
      duplicates: this.#duplicates,
      outOfOrder: this.#outOfOrder,
    };
  }
}

function isAfter(a: Place, b: Place): boolean {
  if (a.sequenceNumber !== b.sequenceNumber) return a.sequenceNumber > b.sequenceNumber;
  return a.subSequenceNumber > b.subSequenceNumber;
}

const newline = 0x0a;

function fingerprint(line: Uint8Array): bigint {
  const bytes = line.at(-1) === newline ? line.subarray(0, -1) : line;
  return hash("md5", bytes, "buffer").readBigUInt64LE(0);
}

/** A growing list of 64-bit numbers. */
class Fingerprints {
  #values = new BigUint64Array(1024);
  count = 0;

  add(value: bigint): void {
    if (this.count === this.#values.length) {
      const larger = new BigUint64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.count++] = value;
  }

  sorted(): BigUint64Array {
    return this.#values.subarray(0, this.count).toSorted();
  }
}
