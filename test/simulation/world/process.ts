/**
 * Driver. A component on its host, through all its lives.
 */
import type { VirtualHost } from "@millrace/simulator";
import type { Component, RunningComponent } from "./component.ts";
import type { World } from "./world.ts";

export class Process {
  readonly component: Component;
  readonly host: VirtualHost;
  readonly #world: World;
  #running: RunningComponent | undefined;
  #isStopping = false;

  constructor(world: World, component: Component) {
    this.#world = world;
    this.component = component;
    this.host = world.timeline.host(component.name);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** True while a life is ending in good order. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Begins a life, unless one is under way. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#world.timeline.note(this.component.name, "start");
    this.#running = this.component.start(this.#world, this.host);
  }

  /** Ends the life in good order. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#world.timeline.note(this.component.name, "stop");
    this.#isStopping = true;
    await running.stop();
    if (this.#running !== running) return;
    this.#running = undefined;
    this.#isStopping = false;
  }

  /** Ends the life as SIGKILL does: nothing that it was about to do happens. */
  kill(): void {
    if (this.#running === undefined) return;
    this.#world.timeline.note(this.component.name, "kill");
    this.host.kill();
    this.#running.killed();
    this.#running = undefined;
    this.#isStopping = false;
  }

  /** Stalls the host as SIGSTOP does, for so long. */
  pause(forMs: number): void {
    if (this.host.isPaused) return;
    this.#world.timeline.note(this.component.name, `pause for ${Math.round(forMs)} ms`);
    this.host.pause();
    this.#world.after(forMs, () => this.host.resume());
  }
}
