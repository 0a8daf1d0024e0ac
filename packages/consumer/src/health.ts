/**
 * Pure. Why each shard of a worker moves or does not: what `consumer.health()` tells.
 */
import type { ShardState } from "./processing/shard-state.ts";

/** One shard as its worker sees it. */
export interface ShardHealth {
  readonly shardId: string;
  readonly streamName: string;
  readonly phase: ShardState["phase"];
  /** The stored checkpoint, or the one that rides with the next renewal. */
  readonly checkpoint: string;
  /** How far the last batch was behind the tip; undefined before the first. */
  readonly millisBehindLatest: number | undefined;
  /** Since the last batch was handed over, or the lease was acquired. */
  readonly sinceDeliveryMs: number;
  /** Since the lease was last renewed; near the failover time it is in danger. */
  readonly sinceRenewalMs: number;
  /** Why it does not move, in words; undefined when it does. */
  readonly trouble: string | undefined;
}

/** A worker as it sees itself. Plain data. */
export interface ConsumerHealth {
  readonly workerId: string;
  readonly isRunning: boolean;
  /** True when this worker leads the fleet. */
  readonly isLeader: boolean;
  /** False when any shard has a trouble. */
  readonly isHealthy: boolean;
  readonly shards: readonly ShardHealth[];
}

/** What is known about a shard when its health is asked for. */
export interface ShardFacts {
  readonly state: ShardState;
  readonly waitingForParents: readonly string[];
  readonly stoppedBecause: string | undefined;
  readonly heldUpBy: string | undefined;
  readonly lastFailure: string | undefined;
  readonly hasHandlerBatch: boolean;
  readonly sinceDeliveryMs: number;
  readonly sinceRenewalMs: number;
  readonly failoverTimeMs: number;
}

/** A batch that a handler holds for longer than this is worth telling. Source: kcl.md 4.1, 20 s. */
const slowHandlerMs = 20_000;

/** The trouble with a shard, the worst first; undefined when there is none. */
export function troubleOf(facts: ShardFacts): string | undefined {
  if (facts.stoppedBecause !== undefined) return `stopped: ${facts.stoppedBecause}`;
  if (facts.sinceRenewalMs > (facts.failoverTimeMs * 2) / 3) {
    return `the lease was last renewed ${Math.round(facts.sinceRenewalMs)} ms ago and ends at ${facts.failoverTimeMs}`;
  }
  if (facts.heldUpBy !== undefined) return facts.heldUpBy;
  switch (facts.state.phase) {
    case "waiting-for-parents":
      return `waiting for the end of ${facts.waitingForParents.join(" and ") || "its parents"}`;
    case "backing-off":
      return facts.lastFailure === undefined
        ? "the handler left its loop early and is called again soon"
        : `the handler failed and is called again soon: ${facts.lastFailure}`;
    case "abandoned":
      return "the lease is lost and the handler has not returned";
    case "handling":
      if (facts.hasHandlerBatch && facts.sinceDeliveryMs > slowHandlerMs) {
        return `the handler has had its batch for ${Math.round(facts.sinceDeliveryMs / 1000)} s`;
      }
      return undefined;
    default:
      return undefined;
  }
}
