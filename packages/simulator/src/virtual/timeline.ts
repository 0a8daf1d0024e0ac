/**
 * Driver. Virtual time: one heap of timed events for all hosts, run one by one, each until nothing moves any more.
 *
 * After an event every promise that it settled has run its course before the next event begins, so the order of
 * everything depends on the seed alone. No real timer and no real randomness is used.
 */
import { createHash } from "node:crypto";
import { realSystem, type Timer } from "@millrace/core/runtime";
import { EventHeap } from "./event-heap.ts";
import { VirtualHost, type HostEvent } from "./host.ts";
import { Prng } from "./prng.ts";

/** One thing that happened, for a trace that a reader can follow. */
export interface TraceEntry {
  /** Milliseconds since the start. */
  readonly atMs: number;
  readonly host: string;
  readonly what: string;
}

/** How a timeline begins; everything has a default. */
export interface TimelineOptions {
  /** Integer. @default 1 */
  readonly seed?: number | undefined;
  /** Wall clock at the start, milliseconds since 1970. @default 2026-01-01T00:00:00Z */
  readonly startWallMs?: number | undefined;
  /** Trace entries that are kept. @default 50 */
  readonly traceEntries?: number | undefined;
  /** Called after each event, once everything that it caused has settled. A throw ends the run. */
  readonly onSettled?: (() => void) | undefined;
}

/** How long a run goes on. */
export interface RunOptions {
  /** Ends the run when it returns true; asked after each event. */
  readonly until?: (() => boolean) | undefined;
  /** Virtual milliseconds to run for at most. @default no bound */
  readonly forMs?: number | undefined;
  /** Events to run at most: a loop that never waits is a bug. @default 5000000 */
  readonly maxEvents?: number | undefined;
}

/** Virtual time for any number of hosts. */
export class Timeline {
  readonly seed: number;
  readonly startWallMs: number;
  /** Chance for the one who drives the timeline; hosts have their own. */
  readonly random: Prng;
  readonly #hosts = new Map<string, VirtualHost>();
  readonly #heap = new EventHeap<HostEvent>();
  readonly #hash = createHash("sha256");
  readonly #trace: TraceEntry[] = [];
  readonly #traceEntries: number;
  readonly #onSettled: (() => void) | undefined;
  #nowMs = 0;
  #order = 0;
  #events = 0;

  constructor(options: TimelineOptions = {}) {
    this.seed = options.seed ?? 1;
    this.startWallMs = options.startWallMs ?? Date.UTC(2026, 0, 1);
    this.random = new Prng(this.seed);
    this.#traceEntries = options.traceEntries ?? 50;
    this.#onSettled = options.onSettled;
  }

  /** Milliseconds since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have run. */
  get events(): number {
    return this.#events;
  }

  /** The host of this name, made when it is first asked for. */
  host(name: string): VirtualHost {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = new VirtualHost(this, name, this.random.fork(name));
      this.#hosts.set(name, host);
    }
    return host;
  }

  /** Runs `callback` on a host, `delayMs` from now. */
  schedule(host: VirtualHost, delayMs: number, callback: () => void, what = "timer"): Timer {
    const atMs = this.#nowMs + Math.max(0, delayMs);
    const event: HostEvent = { atMs, order: this.#order++, host, life: host.life, what, callback };
    this.#heap.push(event);
    return {
      cancel() {
        event.callback = undefined;
      },
    };
  }

  /** Puts an event that a paused host could not take back, for now. @internal */
  repeat(event: HostEvent): void {
    event.atMs = this.#nowMs;
    event.order = this.#order++;
    this.#heap.push(event);
  }

  /** Notes something in the trace, and in its hash. */
  note(host: string, what: string): void {
    this.#hash.update(`${this.#nowMs} ${host} ${what}\n`);
    this.#trace.push({ atMs: this.#nowMs, host, what });
    if (this.#trace.length > this.#traceEntries) this.#trace.shift();
  }

  /** The last entries of the trace, oldest first. */
  trace(): readonly TraceEntry[] {
    return [...this.#trace];
  }

  /** A hash of everything that happened: equal for equal seeds. */
  traceHash(): string {
    return this.#hash.copy().digest("hex");
  }

  /**
   * Runs events until `until` is true, the time is over, or nothing is left to do.
   * @returns why it ended.
   */
  async run(options: RunOptions = {}): Promise<"done" | "time-over" | "idle"> {
    const { until, forMs = Infinity, maxEvents = 5_000_000 } = options;
    const endMs = this.#nowMs + forMs;
    const lastEvent = this.#events + maxEvents;
    await this.#settle();
    for (;;) {
      if (until?.() === true) return "done";
      const event = this.#heap.peek();
      if (event === undefined) return "idle";
      if (event.atMs > endMs) {
        this.#nowMs = endMs;
        return "time-over";
      }
      this.#heap.pop();
      if (!this.#runEvent(event)) continue;
      await this.#settle();
      if (this.#events > lastEvent) {
        throw new Error(`the timeline ran ${maxEvents} events and was not done: something loops without waiting`);
      }
    }
  }

  /** Runs until a promise has settled, and gives what it came to. */
  async settle<T>(promise: Promise<T>, options: { readonly forMs?: number | undefined } = {}): Promise<T> {
    let settled = false;
    const watch = async () => {
      await Promise.allSettled([promise]);
      settled = true;
    };
    void watch();
    const end = await this.run({ until: () => settled, forMs: options.forMs });
    if (!settled) throw new Error(`the promise has not settled: the timeline is ${end} at ${this.#nowMs} ms`);
    return promise;
  }

  #runEvent(event: HostEvent): boolean {
    const { callback, host } = event;
    if (callback === undefined || event.life !== host.life) return false;
    if (host.isPaused) {
      host.defer(event);
      return false;
    }
    this.#nowMs = Math.max(this.#nowMs, event.atMs);
    this.#events++;
    this.note(host.name, event.what);
    callback();
    return true;
  }

  /** Returns once every promise that can settle has: a macrotask begins only when no microtask is left. */
  async #settle(): Promise<void> {
    await realSystem.breathe();
    this.#onSettled?.();
  }
}
