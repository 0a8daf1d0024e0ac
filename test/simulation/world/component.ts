/**
 * Pure. What can live on a host of the world: a producer under load, a worker, an agent.
 */
import type { VirtualHost } from "@millrace/simulator";
import type { World } from "./world.ts";

/** Something that runs on a host, once for each life of the host. */
export interface Component {
  readonly name: string;
  /** Begins a life on `host`. What it needs of time, chance and Kinesis comes from there. */
  start(world: World, host: VirtualHost): RunningComponent;
}

/** A component in one of its lives. */
export interface RunningComponent {
  /** Ends this life in good order; resolves once nothing of it runs any more. */
  stop(): Promise<void>;
  /** Called when this life was ended from outside: nothing it was waiting for will happen. */
  killed(): void;
}
