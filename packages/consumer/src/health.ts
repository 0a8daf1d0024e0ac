/**
 * Pure. Why each shard of a worker moves or does not: what `consumer.health()` tells.
 */
import { formatCheckpoint } from "./checkpoint/checkpoint.ts";
import type { Lease } from "./leases/lease.ts";
import type { ShardState } from "./processing/shard-state.ts";

/** One shard as its worker sees it. */
export interface ShardHealth {
  readonly shardId: string;
  readonly streamName: string;
  /** `not-consumed` for a lease that was given to this worker and that it can do nothing with. */
  readonly phase: ShardState["phase"] | "not-consumed";
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

/** What a shard's handler does: `elsewhere` when it neither has a batch nor waits for one. */
export type HandlerDoing = "not-called" | "waiting" | "has-batch" | "elsewhere";

/** What is known about a shard when its health is asked for. */
export interface ShardFacts {
  readonly state: ShardState;
  readonly waitingForParents: readonly string[];
  readonly stoppedBecause: string | undefined;
  readonly heldUpBy: string | undefined;
  readonly lastFailure: string | undefined;
  /** Why nothing could be read last; undefined once something could. */
  readonly readFailure: string | undefined;
  readonly handler: HandlerDoing;
  readonly sincePhaseMs: number;
  readonly sinceDeliveryMs: number;
  /** Since the service last gave an answer about this shard, or reading it began. */
  readonly sinceReadMs: number;
  /** For how long a shard may be silent: longer than the time between two reads. */
  readonly readSilenceMs: number;
  readonly sinceRenewalMs: number;
  readonly failoverTimeMs: number;
}

/** A batch that a handler holds for longer than this is worth telling. Source: kcl.md 4.1, 20 s. */
const slowHandlerMs = 20_000;
/** A step of ours that takes longer than this is worth telling. */
const slowStepMs = 5_000;

/** The trouble with a shard, the worst first; undefined when there is none. */
export function troubleOf(facts: ShardFacts): string | undefined {
  if (facts.stoppedBecause !== undefined) return `stopped: ${facts.stoppedBecause}`;
  if (facts.sinceRenewalMs > (facts.failoverTimeMs * 2) / 3) {
    return `the lease was last renewed ${Math.round(facts.sinceRenewalMs)} ms ago and ends at ${facts.failoverTimeMs}`;
  }
  if (facts.heldUpBy !== undefined) return facts.heldUpBy;
  const isSlow = facts.sincePhaseMs > slowStepMs;
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
      return handlingTrouble(facts, facts.state.draining !== undefined);
    case "finishing":
      return isSlow ? `its end is not stored after ${secondsOf(facts.sincePhaseMs)}` : undefined;
    case "releasing":
      return isSlow ? `its lease is not given up after ${secondsOf(facts.sincePhaseMs)}` : undefined;
    default:
      return undefined;
  }
}

function handlingTrouble(facts: ShardFacts, isDraining: boolean): string | undefined {
  const { handler, sinceDeliveryMs, sinceReadMs, readFailure } = facts;
  const last = facts.lastFailure === undefined ? "" : `; the call before failed: ${facts.lastFailure}`;
  if (handler === "not-called") {
    return facts.sincePhaseMs > slowStepMs ? "the place to begin at is not known yet" : undefined;
  }
  if (handler !== "waiting" && sinceDeliveryMs > slowHandlerMs) {
    const what = handler === "has-batch" ? "has had its batch for" : "has not asked for a batch for";
    const then = isDraining ? ", and is to end" : "";
    return `the handler ${what} ${secondsOf(sinceDeliveryMs)}${then}${last}`;
  }
  if (handler !== "waiting") return undefined;
  if (readFailure !== undefined) return `it cannot be read, and is tried again: ${readFailure}`;
  return sinceReadMs > facts.readSilenceMs ? `nothing was heard of it for ${secondsOf(sinceReadMs)}` : undefined;
}

function secondsOf(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** The health of a lease that is held and that nothing is done with. */
export function strangerHealth(held: HeldStranger, now: number): ShardHealth {
  const sinceRenewalMs = now - held.lastRenewedAt;
  return {
    shardId: held.shardId,
    streamName: held.lease.streamIdentifier ?? "",
    phase: "not-consumed",
    checkpoint: formatCheckpoint(held.lease.checkpoint),
    millisBehindLatest: undefined,
    sinceDeliveryMs: sinceRenewalMs,
    sinceRenewalMs,
    trouble: "the lease is of a stream that this consumer was not told to read",
  };
}

interface HeldStranger {
  readonly shardId: string;
  readonly lastRenewedAt: number;
  readonly lease: Lease;
}
