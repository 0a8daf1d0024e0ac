/** Pure. What a case of the lane is. */
import type { Fleet } from "./fleet.ts";

export interface FleetCase {
  /** Of its stream and application. */
  readonly name: string;
  readonly title: string;
  readonly shardCount: number;
  /** True where no worker is cut off, so that nothing comes twice. */
  readonly exactlyOnce: boolean;
  run(fleet: Fleet): Promise<void>;
}
