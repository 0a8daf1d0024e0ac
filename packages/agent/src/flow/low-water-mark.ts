/**
 * Pure. How far a generation is done: the end of the longest prefix in which every byte is settled [C10].
 *
 * Records are settled out of order. A span opens when its bytes are handed on, in file order, and the mark moves over
 * it once it and all before it are settled. Saving anything past the mark would lose the record that is still open:
 * record 7 is throttled, record 8 is stored, the process dies; a position after 8 skips 7.
 */

/** A stretch of a file that ends at `endBytes` and is settled as one. */
export interface Span {
  readonly endBytes: number;
  settled: boolean;
}

/** The open spans of one generation. */
export class LowWaterMark<S extends Span> {
  #spans: S[] = [];
  #first = 0;
  #positionBytes: number;
  readonly #onPassed: (span: S) => void;

  /** `onPassed` gets each span, in file order, as the mark moves over it. */
  constructor(positionBytes: number, onPassed: (span: S) => void) {
    this.#positionBytes = positionBytes;
    this.#onPassed = onPassed;
  }

  /** Everything before it is settled. Never decreases. */
  get positionBytes(): number {
    return this.#positionBytes;
  }

  /** Spans that are not settled, and those behind them. */
  get openSpans(): number {
    return this.#spans.length - this.#first;
  }

  /** Takes the next span of the file, settled or not. */
  open(span: S): void {
    const previous = this.#spans[this.#spans.length - 1];
    const least = previous === undefined ? this.#positionBytes : previous.endBytes;
    if (span.endBytes < least) throw new Error(`a span that ends at ${span.endBytes} came after ${least}`);
    this.#spans.push(span);
    if (span.settled && this.openSpans === 1) this.#advance();
  }

  /** Marks the span as settled. True when the mark moved. */
  settle(span: S): boolean {
    span.settled = true;
    return this.#spans[this.#first] === span && this.#advance();
  }

  #advance(): boolean {
    const spans = this.#spans;
    let index = this.#first;
    let span = spans[index];
    while (span?.settled === true) {
      this.#positionBytes = span.endBytes;
      this.#onPassed(span);
      index += 1;
      span = spans[index];
    }
    if (index === this.#first) return false;
    this.#first = index;
    // Settled spans are let go in bulk: shifting one at a time would copy the array for every record.
    if (this.#first === spans.length) {
      this.#spans = [];
      this.#first = 0;
    } else if (this.#first > 1024 && this.#first * 2 > spans.length) {
      this.#spans = spans.slice(this.#first);
      this.#first = 0;
    }
    return true;
  }
}
