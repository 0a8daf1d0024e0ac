/**
 * Pure. Cuts the bytes of a file into records: lines, or groups of lines, each at most as long as a record may be.
 *
 * Bytes are opaque: nothing is decoded but what a pattern looks at. A line keeps its `\n`. A line without one yet is
 * held, and the position stays before it, so that no state but the position has to survive a restart; the exception
 * is a line longer than a record, and the state says in the middle of what the position stands.
 * Source of the compatible parts: the Kinesis Agent's documentation and observed behaviour.
 */
import type { Framed, FramedSpan, FramingRules, FramingState, MultiLineRules, SkipReason } from "./framing-rules.ts";
import { utf8CutBytes } from "./utf8.ts";

/** A buffer to frame. */
export interface FramingInput {
  readonly bytes: Buffer;
  /** Where in `bytes` the first unframed byte is. */
  readonly firstIndex: number;
  /** Where in the file `bytes[0]` stands. */
  readonly baseBytes: number;
  readonly state: FramingState;
  /** Spans to give at most: it bounds what a turn may hold of a file of empty lines. */
  readonly maxSpans: number;
  /** True to give what is held too: the file will not grow, or has not grown for long enough. */
  readonly flush: boolean;
}

const newline = 10;

/** Longest part of a line that a pattern sees, in bytes: patterns of users must not run over megabytes. */
const patternInputMaxBytes = 4096;

/** The state at the beginning of a file. */
export function initialFraming(headerLines: number): FramingState {
  return { headerLinesLeft: headerLines, inside: "line-start", ended: false };
}

export function frame(input: FramingInput, rules: FramingRules): Framed {
  const cutter = new Cutter(input, rules);
  cutter.run();
  return cutter.result();
}

/** One run over one buffer. */
class Cutter {
  readonly #bytes: Buffer;
  readonly #baseBytes: number;
  readonly #rules: FramingRules;
  readonly #maxSpans: number;
  readonly #flush: boolean;
  readonly #spans: FramedSpan[] = [];
  #index: number;
  #state: FramingState;

  constructor(input: FramingInput, rules: FramingRules) {
    this.#bytes = input.bytes;
    this.#baseBytes = input.baseBytes;
    this.#rules = rules;
    this.#maxSpans = input.maxSpans;
    this.#flush = input.flush;
    this.#index = input.firstIndex;
    this.#state = input.state;
  }

  result(): Framed {
    return { spans: this.#spans, positionBytes: this.#baseBytes + this.#index, state: this.#state };
  }

  run(): void {
    while (this.#index < this.#bytes.length && this.#spans.length < this.#maxSpans) {
      if (this.#state.ended) this.#skipTo(this.#bytes.length, "footer");
      else if (this.#state.inside === "discard") this.#discard();
      else if (this.#state.headerLinesLeft > 0) {
        if (!this.#header()) return;
      } else if (!this.#record()) return;
    }
  }

  /** Leaves out the rest of a line whose beginning is settled. */
  #discard(): void {
    const at = this.#bytes.indexOf(newline, this.#index);
    if (at >= 0) this.#state = { ...this.#state, inside: "line-start" };
    this.#skipTo(at < 0 ? this.#bytes.length : at + 1, "long-line");
  }

  #header(): boolean {
    const at = this.#bytes.indexOf(newline, this.#index);
    const rest = this.#bytes.length - this.#index;
    if (at < 0 && rest <= this.#rules.maxRecordBytes && !this.#flush) return false;
    this.#state = {
      ...this.#state,
      headerLinesLeft: this.#state.headerLinesLeft - 1,
      inside: at < 0 ? "discard" : "line-start",
    };
    this.#skipTo(at < 0 ? this.#bytes.length : at + 1, "header");
    return true;
  }

  /** Gives the next record. False when it has to wait for more bytes. */
  #record(): boolean {
    const from = this.#index;
    const at = this.#bytes.indexOf(newline, from);
    const lineEnd = at < 0 ? this.#bytes.length : at + 1;
    if (lineEnd - from > this.#rules.maxRecordBytes) {
      this.#longLine(from, lineEnd, at >= 0);
      return true;
    }
    if (this.#state.inside === "line-start" && this.#isFooter(from, lineEnd, at >= 0)) {
      this.#state = { ...this.#state, ended: true };
      this.#skipTo(lineEnd, "footer");
      return true;
    }
    if (this.#rules.multiLine !== undefined && this.#state.inside === "line-start") {
      return this.#multiLine(this.#rules.multiLine, from, lineEnd, at >= 0);
    }
    if (at < 0 && !this.#flush) return false;
    this.#emit(lineEnd, this.#bytes.subarray(from, at >= 0 && this.#rules.stripNewline ? at : lineEnd));
    return true;
  }

  #multiLine(rules: MultiLineRules, from: number, firstLineEnd: number, hasNewline: boolean): boolean {
    let end = firstLineEnd;
    let isComplete = hasNewline;
    let lines = 1;
    while (isComplete && end < this.#bytes.length) {
      const at = this.#bytes.indexOf(newline, end);
      const nextEnd = at < 0 ? this.#bytes.length : at + 1;
      // Past either bound the record ends here, and the lines that follow make up the next one.
      if (nextEnd - from > this.#rules.maxRecordBytes || lines >= rules.maxLines) return this.#emitLines(from, end);
      // The rest of a line may still decide whether it matches, unless no more of it would be looked at.
      if (at < 0 && !this.#flush && nextEnd - end < patternInputMaxBytes) return false;
      if (this.#beginsRecord(rules, end, nextEnd)) return this.#emitLines(from, end);
      if (this.#isFooter(end, nextEnd, at >= 0)) return this.#emitLines(from, end);
      end = nextEnd;
      isComplete = at >= 0;
      lines += 1;
    }
    return this.#flush ? this.#emitLines(from, end) : false;
  }

  #emitLines(from: number, end: number): boolean {
    this.#emit(end, this.#bytes.subarray(from, end));
    return true;
  }

  #beginsRecord(rules: MultiLineRules, from: number, end: number): boolean {
    const line = this.#text(from, end);
    if (rules.start !== undefined) return rules.start.test(line);
    return rules.continuation !== undefined && !rules.continuation.test(line);
  }

  #isFooter(from: number, end: number, hasNewline: boolean): boolean {
    if (this.#rules.footer === undefined || (!hasNewline && !this.#flush)) return false;
    return this.#rules.footer.test(this.#text(from, end).trim());
  }

  #text(from: number, end: number): string {
    let last = end;
    if (last > from && this.#bytes[last - 1] === newline) last -= 1;
    return this.#bytes.toString("utf8", from, Math.min(last, from + patternInputMaxBytes));
  }

  #longLine(from: number, lineEnd: number, hasNewline: boolean): void {
    const { maxRecordBytes, onLongLine, terminator } = this.#rules;
    const after: FramingState = { ...this.#state, inside: hasNewline ? "line-start" : "discard" };
    if (onLongLine === "skip" && this.#state.inside !== "split") {
      this.#state = after;
      this.#skipTo(lineEnd, "long-line");
      return;
    }
    if (onLongLine === "truncate" && this.#state.inside !== "split") {
      const keptBytes = utf8CutBytes(this.#bytes.subarray(from, lineEnd), maxRecordBytes - terminator.byteLength);
      const data = new Uint8Array(keptBytes + terminator.byteLength);
      data.set(this.#bytes.subarray(from, from + keptBytes));
      data.set(terminator, keptBytes);
      this.#state = after;
      this.#emit(lineEnd, data, true);
      return;
    }
    const pieceBytes = utf8CutBytes(this.#bytes.subarray(from, lineEnd), maxRecordBytes);
    this.#state = { ...this.#state, inside: "split" };
    this.#index = from + pieceBytes;
    this.#push(this.#bytes.subarray(from, from + pieceBytes), undefined, false);
  }

  #emit(end: number, data: Uint8Array, truncated = false): void {
    // The last piece of a split line ends it.
    if (this.#state.inside === "split") this.#state = { ...this.#state, inside: "line-start" };
    this.#index = end;
    this.#push(data, undefined, truncated);
  }

  #skipTo(end: number, reason: SkipReason): void {
    this.#index = end;
    this.#push(undefined, reason, false);
  }

  #push(data: Uint8Array | undefined, skipped: SkipReason | undefined, truncated: boolean): void {
    const endBytes = this.#baseBytes + this.#index;
    this.#spans.push({ endBytes, data, skipped, truncated, state: this.#state });
  }
}
