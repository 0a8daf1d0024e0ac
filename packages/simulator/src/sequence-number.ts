/**
 * Pure. Sequence numbers as the service makes them: 56 decimal digits, rising within a shard, comparable as integers.
 *
 * Hexadecimal layout, 47 digits, highest first (reverse-engineered: kinesalite `db/index.js`, ferrokinesis
 * `sequence.rs`; see docs/simulator-rules.md):
 *
 *     2 | shard's creation, seconds (9) | low nibble of the shard's index (1) | counter (16) | 00 (2)
 *       | time, seconds (9) | shard's index (8) | 2
 */

/** A place in a shard; records count from 1, and 0 is before the first. */
export interface SequencePlace {
  readonly counter: number;
  /** The whole number, for comparisons inside one counter. */
  readonly value: bigint;
}

// The service closes a shard with the largest counter that a signed 64-bit number holds.
const lastCounter = 0x7fff_ffff_ffff_ffffn;

/** Makes and reads the sequence numbers of one shard. */
export class SequenceNumbers {
  readonly #prefix: bigint;
  readonly #suffix: bigint;
  #second = -1;
  /** Everything of a number but its counter, for the second at hand. */
  #base = 0n;

  constructor(shardIndex: number, createdSecond: number) {
    this.#prefix = (2n << 40n) | (BigInt(createdSecond) << 4n) | BigInt(shardIndex & 0xf);
    this.#suffix = (BigInt(shardIndex) << 4n) | 2n;
  }

  /** The number of the record with this counter, stored in this second since 1970. */
  format(counter: number, second: number): string {
    return (this.#baseAt(second) + (BigInt(counter) << 80n)).toString();
  }

  /** The number that closes the shard. */
  formatEnd(second: number): string {
    return (this.#baseAt(second) + (lastCounter << 80n)).toString();
  }

  /** Where `text` stands in this shard; undefined when it is not one of this shard's numbers. */
  parse(text: string): SequencePlace | undefined {
    const value = BigInt(text);
    if (value >> 144n !== this.#prefix) return undefined;
    return { counter: Number((value >> 80n) & 0xffff_ffff_ffff_ffffn), value };
  }

  #baseAt(second: number): bigint {
    if (second !== this.#second) {
      this.#second = second;
      this.#base = (this.#prefix << 144n) | (BigInt(second) << 36n) | this.#suffix;
    }
    return this.#base;
  }
}
