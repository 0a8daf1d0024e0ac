/**
 * Driver. The rounds of a flow: when to scan, whose turn it is, and when everything has been read.
 */
import { sleep, type System } from "@millrace/core/runtime";
import type { AgentEvent, FlowCounters } from "../events.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { ChangeHints } from "./change-hints.ts";
import type { FlowSettings } from "./flow-settings.ts";
import type { Generation } from "./generation.ts";
import type { Loader } from "./loader.ts";
import { type Reading, Reader } from "./reader.ts";
import { isSystemError } from "./system-error.ts";
import type { Sender } from "./sender.ts";
import type { Tracker } from "./tracker.ts";

export interface ReadLoopOptions {
  readonly flow: string;
  readonly settings: FlowSettings;
  readonly tracker: Tracker;
  readonly loader: Loader;
  readonly sender: Sender;
  readonly budget: ByteBudget;
  readonly system: System;
  readonly counters: FlowCounters;
  readonly publish: (event: AgentEvent) => void;
  /** What the file system says by itself, where it is asked. */
  readonly hints: ChangeHints | undefined;
}

/** Shortest time between two scans: with this many files or fewer. It grows with their number. */
const minScanMs = 1_000;
const filesPerMinScan = 1_000;

/** Shortest time between a scan and one that a hint asks for, and how much of the time such scans may take at most. */
const minHintedScanMs = 200;
const hintedScanShare = 0.05;

/** Shortest time between two looks whether a scan is due, while the destination is waited for. */
const minWaitScanMs = 100;

/** Reads of a file that fail in a row before a drain goes on without it. */
const failuresToPassOver = 5;

/** The steps of a flow's loop. */
export class ReadLoop {
  /** True to give what is held at the ends of files too. */
  drains = false;
  readonly #options: ReadLoopOptions;
  readonly #reader: Reader;
  readonly #failures = new WeakMap<Generation, number>();
  #nextScanMs = 0;
  #nextHintedScanMs = 0;
  /** Asked for before it is due. */
  #isScanWanted = true;
  /** Who waits until everything is read; `hasScanned` once a scan has begun since. */
  readonly #waiters: { hasScanned: boolean; resolve: () => void }[] = [];

  constructor(options: ReadLoopOptions) {
    this.#options = options;
    this.#reader = new Reader({ ...options, ...options.settings, maxLookMs: () => this.#scanEveryMs() });
  }

  /** Looks at every path and file with the next step. */
  hint(): void {
    this.#isScanWanted = true;
    for (const generation of this.#options.tracker.open) generation.lookAtMs = 0;
  }

  /** Resolves once what the files hold now has been read, or nothing more will be. */
  untilRead(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ hasScanned: false, resolve });
      this.hint();
    });
  }

  /** Resolves who waits: nothing more will be read. */
  release(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  /** Scans when it is due, and gives turns until no file has more. Gives the pause before the next step. */
  async step(signal: AbortSignal): Promise<number> {
    this.#takeHints();
    try {
      for (let again = true; again && !signal.aborted; again = await this.#round(signal)) await this.#scanWhenDue();
    } catch (error) {
      if (signal.aborted) return 0;
      throw error;
    }
    if (this.#waiters.every((waiter) => waiter.hasScanned) && this.#isRead()) this.release();
    return this.#pauseMs();
  }

  async #scanWhenDue(): Promise<void> {
    if (!this.#isScanWanted && this.#options.system.now() < this.#nextScanMs) return;
    this.#isScanWanted = false;
    const waiting = [...this.#waiters];
    await this.#scan();
    for (const waiter of waiting) waiter.hasScanned = true;
  }

  /** Looks at files that were written, and scans sooner where names came or went, or a closed file was written. */
  #takeHints(): void {
    const { hints, tracker } = this.#options;
    if (hints === undefined) return;
    const { entries, paths } = hints.take();
    if (paths.size === 0 && !entries) return;
    let isClosedOne = false;
    for (const generation of tracker.generations) {
      if (!paths.has(generation.path)) continue;
      generation.lookAtMs = 0;
      isClosedOne ||= generation.file === undefined;
    }
    if (entries || isClosedOne) this.#nextScanMs = Math.min(this.#nextScanMs, this.#nextHintedScanMs);
  }

  async #scan(): Promise<void> {
    const { hints, settings, system, tracker } = this.#options;
    const startedMs = system.now();
    try {
      await tracker.scan();
      await tracker.closeIdle();
      const endedMs = system.now();
      this.#nextScanMs = endedMs + this.#scanEveryMs();
      this.#nextHintedScanMs = endedMs + Math.max(minHintedScanMs, (endedMs - startedMs) / hintedScanShare);
      hints?.follow(tracker.count, () => [...settings.include, ...Array.from(tracker.generations, ({ path }) => path)]);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      // The host is out of handles or a directory cannot be listed: what is open goes on, and the scan comes again.
      tracker.fault(settings.include.join(" "), error.code);
      this.#nextScanMs = system.now() + minScanMs;
    }
  }

  /** True when nothing is left to read in any file that could be opened. */
  #isRead(): boolean {
    if (this.drains && this.#options.tracker.suspectCount > 0) return false;
    for (const generation of this.#options.tracker.open) {
      if (generation.readBytes >= generation.sizeBytes) continue;
      if ((this.#failures.get(generation) ?? 0) >= failuresToPassOver) continue;
      if (this.drains || generation.heldUpToBytes !== generation.sizeBytes) return false;
    }
    return true;
  }

  /** A turn for every file that is due. True when some have more to give. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const { system } = this.#options;
    let again = false;
    // Finishing and truncation add and remove generations while the round is under way.
    for (const generation of Array.from(this.#options.tracker.open)) {
      if (signal.aborted) return false;
      if (system.now() < generation.lookAtMs && !this.drains) continue;
      await this.#meanwhile(this.#options.budget.room(this.#options.settings.turnBytes, signal));
      const turn = await this.#turn(generation, signal);
      if (turn.again) {
        again = true;
        generation.lookAtMs = 0;
      }
      if (turn.reading !== undefined) await this.#send(turn.reading, signal);
    }
    return again;
  }

  async #send(reading: Reading, signal: AbortSignal): Promise<void> {
    const { loader, sender } = this.#options;
    await loader.prepare();
    await this.#meanwhile(sender.send(loader.load(reading), signal));
  }

  /**
   * Goes on scanning while `work` waits for the destination, for hours perhaps: a file that comes and is rotated away in
   * that time has to be seen, and its handle kept [C9].
   */
  async #meanwhile(work: Promise<void> | undefined): Promise<void> {
    if (work === undefined) return;
    const { system } = this.#options;
    const done = new AbortController();
    const ended = work.finally(() => done.abort());
    // Looked at below, and left alone when a scan fails first.
    ended.catch(() => undefined);
    while (!done.signal.aborted) {
      const waitMs = Math.max(minWaitScanMs, this.#nextScanMs - system.now());
      try {
        await sleep(system, waitMs, { signal: done.signal });
      } catch {
        break;
      }
      await this.#scanWhenDue();
    }
    await ended;
  }

  async #turn(generation: Generation, signal: AbortSignal): ReturnType<Reader["turn"]> {
    try {
      const turn = await this.#reader.turn(generation, signal, this.drains);
      this.#failures.delete(generation);
      return turn;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#options.tracker.fault(generation.path, error.code);
      this.#failures.set(generation, (this.#failures.get(generation) ?? 0) + 1);
      generation.lookAtMs = this.#options.system.now() + minScanMs;
      return { reading: undefined, again: false };
    }
  }

  #scanEveryMs(): number {
    const { settings } = this.#options;
    const { count } = this.#options.tracker;
    return Math.min(settings.maxScanMs, Math.max(minScanMs, (minScanMs * count) / filesPerMinScan));
  }

  #pauseMs(): number {
    if (this.#isScanWanted) return 0;
    const { settings, system } = this.#options;
    const nowMs = system.now();
    let dueMs = this.#nextScanMs;
    for (const generation of this.#options.tracker.open) dueMs = Math.min(dueMs, generation.lookAtMs);
    return Math.max(Math.min(settings.minLookMs, 10), dueMs - nowMs);
  }
}
