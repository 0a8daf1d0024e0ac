/**
 * Driver. A fleet in one process under virtual time: Kinesis on a host of its own, a network, and processes that can
 * be started, stalled, killed and started again. After every event every checker looks.
 */
import type { KinesisPort } from "@millrace/core/kinesis";
import { KinesisSimulator, kinesisOver, Network, Prng, Timeline, type VirtualHost } from "@millrace/simulator";
import type { Checker } from "./checker.ts";
import type { Component } from "./component.ts";
import { Process } from "./process.ts";
import { StoredLog } from "./stored-log.ts";

export class World {
  readonly seed: number;
  readonly timeline: Timeline;
  readonly network: Network;
  /** Chance for what happens to the world; processes have their hosts'. */
  readonly random: Prng;
  readonly simulator: KinesisSimulator;
  readonly kinesisHost: VirtualHost;
  /** What Kinesis has stored. */
  readonly stored = new StoredLog();
  readonly processes: Process[] = [];
  readonly #checkers: Checker[] = [];
  readonly #kinesis: KinesisPort;
  readonly #fate: VirtualHost;

  constructor(seed: number) {
    this.seed = seed;
    this.timeline = new Timeline({ seed, onSettled: () => this.#check() });
    this.network = new Network(this.timeline);
    this.random = new Prng(seed).fork("world");
    this.kinesisHost = this.timeline.host("kinesis");
    this.#fate = this.timeline.host("fate");
    this.simulator = new KinesisSimulator({ system: this.kinesisHost.system });
    this.#kinesis = this.stored.watch(this.simulator.kinesis);
  }

  /** Kinesis as the code on a host reaches it. */
  kinesisFor(host: VirtualHost): KinesisPort {
    return kinesisOver(this.network, host, this.kinesisHost, this.#kinesis);
  }

  /** Something that must hold from now on. */
  addChecker(checker: Checker): void {
    this.#checkers.push(checker);
  }

  /** A process that has not been started. */
  addProcess(component: Component): Process {
    const process = new Process(this, component);
    this.processes.push(process);
    return process;
  }

  /** Lets something happen to the world, `delayMs` from now. */
  after(delayMs: number, happen: () => void): void {
    this.timeline.schedule(this.#fate, delayMs, happen, "fate");
  }

  /** Lets something happen again and again until `untilMs`, at waits of `meanMs` on average. */
  often(meanMs: number, untilMs: number, happen: () => void): void {
    const waitMs = 1 + this.random.wait(meanMs);
    if (this.timeline.nowMs + waitMs >= untilMs) return;
    this.after(waitMs, () => {
      happen();
      this.often(meanMs, untilMs, happen);
    });
  }

  /** Runs for so long. @throws {InvariantError} */
  async run(forMs: number): Promise<void> {
    await this.timeline.run({ forMs });
  }

  /**
   * Runs until a promise has settled, for so long at most.
   * @throws {InvariantError}, and whatever the promise rejects with.
   */
  settle<T>(promise: Promise<T>, forMs: number): Promise<T> {
    return this.timeline.settle(promise, { forMs });
  }

  /** Lets every checker look at the end. @throws {InvariantError} */
  checkEnd(): void {
    for (const checker of this.#checkers) {
      checker.check();
      checker.checkEnd?.();
    }
  }

  #check(): void {
    for (const checker of this.#checkers) checker.check();
  }
}
