/**
 * Driver. A machine on a timeline, with its own clock and chance, that can stall and die.
 */
import type { System, Timer } from "@millrace/core/runtime";
import type { Prng } from "./prng.ts";

/** Something that happens on a host. */
export interface HostEvent {
  atMs: number;
  order: number;
  readonly host: VirtualHost;
  readonly life: number;
  readonly what: string;
  callback: (() => void) | undefined;
}

/** What a host needs of the timeline it stands on. */
export interface HostTimeline {
  readonly nowMs: number;
  readonly startWallMs: number;
  schedule(host: VirtualHost, delayMs: number, callback: () => void, what?: string): Timer;
  repeat(event: HostEvent): void;
}

/** A machine on the timeline: its own clock and chance; it can stall and die. */
export class VirtualHost {
  readonly name: string;
  /** What the code on this host gets as its `System`. */
  readonly system: System;
  readonly #timeline: HostTimeline;
  readonly #deferred: HostEvent[] = [];
  #wallSkewMs = 0;
  #clock = { rate: 1, atMs: 0, readsMs: 0 };
  #life = 0;
  #isPaused = false;

  /** @internal */
  constructor(timeline: HostTimeline, name: string, random: Prng) {
    this.name = name;
    this.#timeline = timeline;
    this.system = {
      now: () => this.#clock.readsMs + (timeline.nowMs - this.#clock.atMs) * this.#clock.rate,
      wallNow: () => timeline.startWallMs + timeline.nowMs + this.#wallSkewMs,
      schedule: (delayMs, callback) => timeline.schedule(this, delayMs / this.#clock.rate, callback),
      random: () => random.next(),
      uuid: () => random.uuid(),
      breathe: () => new Promise((resolve) => timeline.schedule(this, 0, resolve, "breathe")),
    };
  }

  /** True between `pause` and `resume`. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Rises when the host dies: what an earlier life was waiting for does not happen in a later one. @internal */
  get life(): number {
    return this.#life;
  }

  /** Moves the wall clock of this host. */
  jumpClock(ms: number): void {
    this.#wallSkewMs += ms;
  }

  /**
   * Sets the clock that never goes back: from now on it runs `rate` times as fast, ahead of where it is by `aheadMs`,
   * 0 or more. Timers that are under way keep their time.
   */
  setClock({ rate, aheadMs = 0 }: { readonly rate: number; readonly aheadMs?: number }): void {
    this.#clock = { rate, atMs: this.#timeline.nowMs, readsMs: this.system.now() + aheadMs };
  }

  /** Stalls the host, as SIGSTOP or a long collection would: what falls due waits. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Lets the host go on; what fell due in the meantime happens now, in its order. */
  resume(): void {
    this.#isPaused = false;
    for (const event of this.#deferred.splice(0)) this.#timeline.repeat(event);
  }

  /** Ends everything that runs on the host, as SIGKILL would. It can be used again: a new life begins. */
  kill(): void {
    this.#life++;
    this.#isPaused = false;
    this.#deferred.length = 0;
  }

  /** @internal */
  defer(event: HostEvent): void {
    this.#deferred.push(event);
  }
}
