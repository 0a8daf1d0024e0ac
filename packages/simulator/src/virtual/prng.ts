/**
 * Pure. Seeded random numbers: the same seed gives the same run on every machine.
 *
 * sfc32, seeded through splitmix32. Source: Chris Doty-Humphrey, PractRand; Guy Steele et al., "Fast Splittable
 * Pseudorandom Number Generators", 2014. Never for secrets.
 */

/** A stream of random numbers. */
export class Prng {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` is an integer; equal seeds give equal streams. */
  constructor(seed: number) {
    this.#seed = seed >>> 0;
    let state = this.#seed;
    const word = () => {
      state = (state + 0x9e37_79b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
      return (mixed ^ (mixed >>> 15)) | 0;
    };
    this.#a = word();
    this.#b = word();
    this.#c = word();
    for (let round = 0; round < 12; round++) this.#word();
  }

  /** A number from 0 (included) to 1 (excluded). */
  next(): number {
    return this.#word() / 4_294_967_296;
  }

  /** An integer from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True in `share` of the cases, 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of `choices`, which must not be empty. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.next() * choices.length)];
    if (choice === undefined) throw new RangeError("pick: expected at least one choice");
    return choice;
  }

  /** Milliseconds that scatter around `meanMs` as waits do (exponentially), at most ten times as long. */
  wait(meanMs: number): number {
    return Math.min(10 * meanMs, -Math.log(1 - this.next()) * meanMs);
  }

  /** A UUID, version 4. */
  uuid(): string {
    const digits = Array.from({ length: 32 }, () => this.integer(0, 15).toString(16));
    digits[12] = "4";
    digits[16] = (8 + this.integer(0, 3)).toString(16);
    const hex = digits.join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  /** Another stream that depends on the seed and `name` alone: what one host draws does not shift the others. */
  fork(name: string): Prng {
    let hash = this.#seed ^ 0x811c_9dc5;
    for (let index = 0; index < name.length; index++) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x0100_0193);
    }
    return new Prng(hash);
  }

  #word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}
