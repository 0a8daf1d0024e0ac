/**
 * Driver. Gives each file its turn: looks whether it grew, reads a bounded piece, and cuts it into spans.
 *
 * Every read begins with the bytes before the position and compares them with what was read there: a file that was
 * emptied and filled past the position between two looks has other bytes in that place.
 */
import type { System } from "@millrace/core/runtime";
import type { AgentEvent, FlowCounters } from "../events.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { beginsWith, markerMaxBytes } from "./file-id.ts";
import type { OpenFile } from "./files.ts";
import { frame } from "./framing.ts";
import type { FramedSpan, FramingRules } from "./framing-rules.ts";
import type { Chunk, Generation } from "./generation.ts";
import { isStill } from "./probe.ts";
import type { Tracker } from "./tracker.ts";

export interface ReaderOptions {
  readonly flow: string;
  readonly framing: FramingRules;
  readonly turnBytes: number;
  /** How often a file that grew is looked at, and how often one that does not. */
  readonly minLookMs: number;
  readonly maxLookMs: () => number;
  readonly rotateWaitMs: number;
  /** After how long without growth an unfinished line of a live file is sent; undefined to wait for its end. */
  readonly partialLineFlushMs: number | undefined;
  readonly multiLineTimeoutMs: number;
  readonly tracker: Tracker;
  readonly budget: ByteBudget;
  readonly system: System;
  readonly counters: FlowCounters;
  readonly publish: (event: AgentEvent) => void;
}

/** What a turn read: the chunk, and its spans in file order. */
export interface Reading {
  readonly generation: Generation;
  readonly chunk: Chunk;
  readonly startBytes: number;
  readonly spans: readonly FramedSpan[];
}

/** Spans a turn gives at most, and what each is taken to cost in memory until it is settled. */
const spansPerTurn = 4096;
const spanHeldBytes = 400;

export class Reader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /**
   * One turn of one file. `reading` is undefined when it gave nothing; `again` says that there is more to do at once.
   * With `drains`, what is held at the end of the file is given too.
   */
  async turn(
    generation: Generation,
    signal: AbortSignal,
    drains: boolean,
  ): Promise<{ readonly reading: Reading | undefined; readonly again: boolean }> {
    const { system, tracker } = this.#options;
    const { file } = generation;
    const nowMs = system.now();
    if (file === undefined) return { reading: undefined, again: false };
    if (this.#waitsForPredecessor(generation)) {
      return { reading: undefined, again: (generation.predecessor?.lookAtMs ?? Infinity) <= nowMs };
    }
    const stat = file.stat();
    const hasChanged = stat.sizeBytes !== generation.sizeBytes || stat.modifiedMs !== generation.modifiedMs;
    const hasShrunk = stat.sizeBytes < generation.sizeBytes;
    if (hasChanged) {
      if (!(await isStill(generation, file))) {
        await tracker.truncated(generation);
        return { reading: undefined, again: true };
      }
      if (hasShrunk) tracker.shrunk(generation, stat.sizeBytes);
    }
    if (stat.sizeBytes > generation.sizeBytes) generation.grewAtMs = nowMs;
    if (hasChanged) generation.isDirty = true;
    generation.sizeBytes = stat.sizeBytes;
    generation.modifiedMs = stat.modifiedMs;
    this.#planNextLook(generation, nowMs, hasChanged);
    const flush = this.#mayFlush(generation, nowMs, drains);
    const unreadBytes = stat.sizeBytes - generation.readBytes;
    const isHeld = generation.heldUpToBytes === stat.sizeBytes && !flush;
    if (unreadBytes === 0 || isHeld) {
      if (this.#isDone(generation, nowMs)) await tracker.finish(generation);
      return { reading: undefined, again: false };
    }
    return this.#read(generation, file, { unreadBytes, flush, signal });
  }

  /** Nothing is read before the generation that had the path has been read as far as it goes. */
  #waitsForPredecessor(generation: Generation): boolean {
    const { predecessor } = generation;
    if (predecessor === undefined) return false;
    const isPast =
      predecessor.file === undefined ||
      predecessor.readBytes >= predecessor.sizeBytes ||
      predecessor.heldUpToBytes === predecessor.sizeBytes;
    if (isPast) generation.predecessor = undefined;
    return !isPast;
  }

  async #read(
    generation: Generation,
    file: OpenFile,
    turn: { readonly unreadBytes: number; readonly flush: boolean; readonly signal: AbortSignal },
  ): Promise<{ readonly reading: Reading | undefined; readonly again: boolean }> {
    const { budget, framing, tracker, turnBytes } = this.#options;
    const { unreadBytes } = turn;
    const leadBytes = Math.min(markerMaxBytes, generation.readBytes);
    const baseBytes = generation.readBytes - leadBytes;
    // A line longer than a turn needs a longer turn; one that is longer than a record is cut by the framing rules.
    for (let wantBytes = Math.min(unreadBytes, turnBytes); ; wantBytes = Math.min(unreadBytes, wantBytes * 2)) {
      const heldBytes = leadBytes + wantBytes;
      await budget.take(heldBytes, turn.signal);
      const bytes = Buffer.allocUnsafeSlow(heldBytes);
      let gotBytes: number;
      try {
        gotBytes = await file.read(bytes, baseBytes);
      } catch (error) {
        budget.give(heldBytes);
        throw error;
      }
      const got = bytes.subarray(0, gotBytes);
      if (!beginsWith(got, generation.evidence().marker)) {
        budget.give(heldBytes);
        await tracker.truncated(generation);
        return { reading: undefined, again: true };
      }
      const isAtEnd = wantBytes === unreadBytes;
      const framed = frame(
        {
          bytes: got,
          firstIndex: leadBytes,
          baseBytes,
          state: generation.framing,
          maxSpans: spansPerTurn,
          flush: turn.flush && isAtEnd,
        },
        framing,
      );
      if (framed.spans.length === 0) {
        budget.give(heldBytes);
        if (!isAtEnd) continue;
        generation.heldUpToBytes = generation.readBytes + wantBytes;
        generation.endsInNewline = got.at(-1) === 10;
        return { reading: undefined, again: false };
      }
      const costBytes = heldBytes + framed.spans.length * spanHeldBytes;
      budget.add(costBytes - heldBytes);
      const reading = {
        generation,
        chunk: { bytes: got, baseBytes, heldBytes: costBytes },
        startBytes: generation.readBytes,
        spans: framed.spans,
      };
      generation.advance(got, baseBytes, framed.positionBytes, framed.state);
      generation.heldUpToBytes = -1;
      return { reading, again: generation.readBytes < generation.sizeBytes };
    }
  }

  /** Files that grow are looked at often, those that do not ever more seldom. */
  #planNextLook(generation: Generation, nowMs: number, hasChanged: boolean): void {
    const { minLookMs, maxLookMs } = this.#options;
    generation.lookEveryMs = hasChanged
      ? minLookMs
      : Math.min(maxLookMs(), Math.max(minLookMs, generation.lookEveryMs * 1.5));
    generation.lookAtMs = nowMs + generation.lookEveryMs;
  }

  /** True when what is held at the end of the file will not be completed, or has waited for long enough. */
  #mayFlush(generation: Generation, nowMs: number, drains: boolean): boolean {
    const { framing, multiLineTimeoutMs, partialLineFlushMs, rotateWaitMs } = this.#options;
    if (drains) return true;
    const quietMs = nowMs - generation.grewAtMs;
    if (generation.status === "leaving" || generation.isRetired) return quietMs >= rotateWaitMs;
    if (framing.multiLine !== undefined && quietMs >= multiLineTimeoutMs && generation.endsInNewline) return true;
    return partialLineFlushMs !== undefined && quietMs >= partialLineFlushMs;
  }

  /** True when a file that left has been read and has been quiet for long enough. */
  #isDone(generation: Generation, nowMs: number): boolean {
    return (
      generation.status === "leaving" &&
      generation.readBytes >= generation.sizeBytes &&
      nowMs - generation.grewAtMs >= this.#options.rotateWaitMs
    );
  }
}
